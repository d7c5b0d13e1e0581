import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/model/backend.js'
import { type Evidence, judgeReset, listProofWarnings, makeUnknown } from '../../../src/plan/proof.js'
import { observeWorld } from '../../support/world.js'
import { ask, FAILED_OVER, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

const MOVED: Evidence = { kind: 'moved', left: ['use_chap'] }
const DISPROVEN: Evidence = { kind: 'disproven', problem: 'it is another one' }
const UNKNOWN = makeUnknown('nobody knows')

async function makeBackend(active: string | null, promoted?: string, name = 'vol1@arrayA'): Promise<Backend> {
  const world = makeHostWorld({ ...FAILED_OVER, active_backend_id: active }, 'stopped')
  world.rows = world.rows.map((row) => ({ ...row, name }))
  const request = ask({ host: name, active_backend: 'reset', ...(promoted !== undefined && { promoted }) })
  const [backend] = (await observeWorld(world, request)).backends
  if (backend === undefined) throw new Error('a world without a backend')
  return backend
}

/** What becomes of the reset: refused, in doubt, or proven. */
function judge(backend: Backend, evidence: Evidence, isBare = false): string {
  const { objection, doubt } = judgeReset({ backend, evidence, isBare })
  return objection !== undefined ? 'refused' : doubt !== undefined ? 'doubt' : 'proven'
}

describe('a reset', () => {
  test.each<readonly [string, string | null, string | undefined, Evidence, string, string]>([
    ['moved', 'B', undefined, MOVED, 'proven', 'proven'],
    ['moved, and stated', 'B', 'B', MOVED, 'proven', 'proven'],
    ['moved, and another one is stated', 'B', 'C', MOVED, 'refused', 'refused'],
    ['disproven', 'B', undefined, DISPROVEN, 'refused', 'refused'],
    ['disproven, and stated', 'B', 'B', DISPROVEN, 'refused', 'refused'],
    ['unknown', 'B', undefined, UNKNOWN, 'refused', 'doubt'],
    ['unknown, and stated', 'B', 'B', UNKNOWN, 'proven', 'proven'],
    ['unknown, and another one is stated', 'B', 'C', UNKNOWN, 'refused', 'refused'],
    ['unknown, and stated in another case', 'B', 'b', UNKNOWN, 'refused', 'refused'],
    ['of a failover that named no array', null, undefined, UNKNOWN, 'refused', 'doubt'],
    ['of a failover that named no array, and stated', null, 'B', UNKNOWN, 'proven', 'proven'],
    ['of a failover that left no array, and stated', '', 'B', UNKNOWN, 'proven', 'proven'],
  ])('whose primary is %s', async (_, active, promoted, evidence, expected, bare) => {
    const backend = await makeBackend(active, promoted)
    expect(judge(backend, evidence)).toBe(expected)
    expect(judge(backend, evidence, true)).toBe(bare)
  })

  test('of a cluster whose rows name several arrays is not proven by a statement about one of them', async () => {
    const world = makeClusterWorld(FAILED_OVER, { ...FAILED_OVER, active_backend_id: 'C' }, FAILED_OVER, 'stopped')
    for (const promoted of ['B', 'C']) {
      const request = ask({ cluster: 'c9@arrayA', active_backend: 'reset', promoted })
      const [backend] = (await observeWorld(world, request)).backends
      expect(judge(backend as Backend, UNKNOWN, true)).toBe('refused')
    }
  })
})

describe('the warnings', () => {
  const judged = async (evidence: Evidence, name?: string, active = 'B') => {
    const backend = await makeBackend(active, undefined, name)
    return { backend, proof: judgeReset({ backend, evidence, isBare: true }) }
  }

  test('are none of a proof that leaves nothing', async () => {
    expect(listProofWarnings([await judged({ kind: 'moved', left: [] })])).toEqual([])
  })

  test('name the options that were left to the old primary', async () => {
    const [warning, ...more] = listProofWarnings([
      await judged({ kind: 'moved', left: ['one_option', 'other_option'] }),
    ])
    expect(more).toEqual([])
    for (const part of ['vol1@arrayA', 'one_option', 'other_option']) expect(warning).toContain(part)
  })

  test('of a doubt have its reason if it is one, and at most five names', async () => {
    const one = await judged(UNKNOWN)
    expect(listProofWarnings([one])).toEqual([expect.stringMatching(/vol1@arrayA.*B.*nobody knows/)])
    const names = [1, 2, 3, 4, 5, 6, 7].map((number) => `vol${number}@arrayA`)
    const all = await Promise.all(names.map((name) => judged(UNKNOWN, name)))
    const [warning, ...more] = listProofWarnings(all)
    expect(more).toEqual([])
    expect(names.filter((name) => warning?.includes(name))).toEqual(names.slice(0, 5))
    expect(warning).toContain('2 more')
    expect(warning).not.toContain('nobody knows')
  })

  test('show no control characters of a name of an array', async () => {
    const [warning] = listProofWarnings([await judged(UNKNOWN, undefined, 'B\u001b[2J')])
    expect(warning).not.toContain('\u001b')
  })
})
