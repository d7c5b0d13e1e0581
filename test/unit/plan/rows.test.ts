import { describe, expect, test } from 'vitest'
import type { Backend, BackendState, Desired, Restoration } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import { isFailedOver } from '../../../src/model/failover.js'
import { freezeState, thawState } from '../../../src/model/freeze.js'
import { planRows, restoreRows } from '../../../src/plan/rows.js'
import { observeWorld } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const BY_ADMIN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'disk swap' }

async function backendOf(state: BackendState, ...members: readonly BackendState[]): Promise<Backend> {
  const [one, other] = members
  const world =
    one === undefined || other === undefined
      ? makeHostWorld(state, 'stopped')
      : makeClusterWorld(state, one, other, 'stopped')
  const { backends } = await observeWorld(world, ask({}))
  if (backends[0] === undefined) throw new Error('a world without a backend')
  return backends[0]
}

describe('what is written into a row', () => {
  const RESET = { active_backend: 'reset' } as const
  const { disabled: _, ...notDisabled } = FAILED_OVER
  test.each<readonly [string, BackendState, Desired, Partial<BackendState>, readonly string[]]>([
    ['nothing is wanted', FAILED_OVER, {}, {}, []],
    [
      'a reset',
      FAILED_OVER,
      RESET,
      { disabled: false, disabled_reason: null, replication_status: 'disabled', active_backend_id: null },
      ['reset_active_backend'],
    ],
    ['a reset of a healthy backend', HEALTHY, RESET, {}, []],
    ['a reset of what an admin disabled', BY_ADMIN, RESET, {}, []],
    ["a reset after a fail-back, which leaves ''", { ...HEALTHY, active_backend_id: '' }, RESET, {}, []],
    [
      'a reset with replication enabled, in one write',
      FAILED_OVER,
      { ...RESET, replication: 'enabled' },
      { ...notDisabled, ...HEALTHY, frozen: true },
      ['reset_active_backend', 'enable_replication'],
    ],
    [
      'a reset with replication disabled',
      FAILED_OVER,
      { ...RESET, replication: 'disabled' },
      { ...HEALTHY, replication_status: 'disabled', frozen: true },
      ['reset_active_backend'],
    ],
    [
      'a reset that stays frozen',
      FAILED_OVER,
      { ...RESET, frozen: true },
      { ...FROZEN, replication_status: 'disabled' },
      ['reset_active_backend'],
    ],
    [
      'a reset that is frozen by it',
      { ...FAILED_OVER, frozen: false },
      { ...RESET, frozen: true },
      { ...FROZEN, replication_status: 'disabled' },
      ['reset_active_backend', 'freeze'],
    ],
    [
      'a reset and a thaw',
      FAILED_OVER,
      { ...RESET, frozen: false },
      { ...HEALTHY, replication_status: 'disabled' },
      ['reset_active_backend', 'thaw'],
    ],
    [
      'replication enabled',
      { ...HEALTHY, replication_status: null },
      { replication: 'enabled' },
      HEALTHY,
      ['enable_replication'],
    ],
    ['replication enabled already', HEALTHY, { replication: 'enabled' }, {}, []],
    [
      'replication disabled',
      HEALTHY,
      { replication: 'disabled' },
      { replication_status: 'disabled' },
      ['disable_replication'],
    ],
    ['a freeze', HEALTHY, { frozen: true }, FROZEN, ['freeze']],
    ['a freeze of what an admin disabled keeps the reason', BY_ADMIN, { frozen: true }, { frozen: true }, ['freeze']],
    ['a freeze that is enabled', { ...HEALTHY, frozen: true }, { frozen: true }, FROZEN, ['freeze']],
    ['a freeze that holds', FROZEN, { frozen: true }, {}, []],
    ['a thaw', FROZEN, { frozen: false }, HEALTHY, ['thaw']],
    [
      'a thaw of what is disabled by a freeze alone',
      { ...FROZEN, frozen: false },
      { frozen: false },
      HEALTHY,
      ['thaw'],
    ],
    ['a thaw of what an admin disabled', BY_ADMIN, { frozen: false }, {}, []],
    ['another array', HEALTHY, { active_backend_id: 'Z' }, { active_backend_id: 'Z' }, ['set_active_backend_id']],
    ["no array, where it is ''", { ...HEALTHY, active_backend_id: '' }, { active_backend_id: null }, {}, []],
    ['a status', HEALTHY, { replication_status: 'error' }, { replication_status: 'error' }, ['set_replication_status']],
  ])('%s', async (_, before, desired, change, actions) => {
    const planned = planRows(await backendOf(before), desired)
    expect(planned.actions).toEqual(actions)
    expect(planned.rows.map(({ after }) => after)).toEqual(actions.length === 0 ? [] : [{ ...before, ...change }])
  })

  test('of a cluster, all rows are reset if one is failed over, and only those that differ are written', async () => {
    const backend = await backendOf({ ...FROZEN, replication_status: 'disabled' }, FAILED_OVER, HEALTHY)
    const { rows } = planRows(backend, { active_backend: 'reset', frozen: true })
    expect(rows.map(({ row }) => row.name)).toEqual(['vol1@arrayA', 'vol2@arrayA'])
    for (const { after } of rows) expect(after).toEqual({ ...FROZEN, replication_status: 'disabled' })
  })
})

describe('rows that are put back', () => {
  const restoration: Restoration = { from: FROZEN, to: BY_ADMIN, modifiedAt: '2026-01-01 00:00:00' }
  const restore = async (state: BackendState, name = 'services vol1@arrayA') =>
    restoreRows(await backendOf(state), new Map([[name, restoration]]))

  test('get what they were, with the time of then', async () => {
    expect(await restore(FROZEN)).toMatchObject({
      actions: ['restore'],
      rows: [{ after: BY_ADMIN, modifiedAt: '2026-01-01 00:00:00' }],
    })
  })

  test('are left alone if they hold it, or are not named', async () => {
    expect(await restore(BY_ADMIN)).toMatchObject({ actions: [], rows: [] })
    expect(await restore(FROZEN, 'clusters vol1@arrayA')).toMatchObject({ actions: [], rows: [] })
  })

  test('are refused if somebody changed them since', async () => {
    await expect(restore({ ...FROZEN, frozen: false })).rejects.toMatchObject({ code: 'conflict' })
    await expect(restore({ ...FROZEN, frozen: false })).rejects.toBeInstanceOf(AgentError)
  })
})

test('a backend is failed over by either of its two columns', () => {
  const states: readonly [Partial<BackendState>, boolean][] = [
    [{}, false],
    [{ active_backend_id: 'B' }, true],
    [{ active_backend_id: '' }, false],
    ...['failed-over', 'failover-error', 'failing-over', 'error'].map(
      (replication_status): [Partial<BackendState>, boolean] => [{ replication_status }, true],
    ),
    ...[null, 'disabled', 'not-capable'].map((replication_status): [Partial<BackendState>, boolean] => [
      { replication_status },
      false,
    ]),
  ]
  for (const [state, expected] of states)
    expect([state, isFailedOver({ ...HEALTHY, ...state })]).toEqual([state, expected])
})

test('what holds already is the same object, so that nothing is planned', () => {
  expect(freezeState(FROZEN)).toBe(FROZEN)
  expect(thawState(HEALTHY)).toBe(HEALTHY)
  expect(thawState(BY_ADMIN)).toBe(BY_ADMIN)
})
