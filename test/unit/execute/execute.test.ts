import { describe, expect, test } from 'vitest'
import { execute } from '../../../src/execute/execute.js'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Plan, Step } from '../../../src/model/plan.js'
import { openWorld, runInWorld, type World } from '../../support/world.js'
import { ask, codeOf, FAILED_OVER, HEALTHY, makeHostWorld, PROMOTED } from '../../support/worlds.js'

const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const started = { service: { manager: 'systemd', state: 'started' } }
const STATED = { ...started, active_backend: 'reset', replication: 'enabled', frozen: false, promoted: 'B' }
const PROMOTION = {
  ...started,
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  config: { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] },
}

/** The calls of the ports, with the polls of the waits left out. */
async function listCalls(world: World, document: object, check = false): Promise<readonly string[]> {
  const calls: string[] = []
  const run = await runInWorld(world, ask(document, check), { onCall: (name) => calls.push(name) })
  expect(codeOf(run)).toBeUndefined()
  return calls
}

describe('a service that would be started again', () => {
  test.each([
    ['an edit', 'started', PROMOTION, {}],
    ['an edit', 'stopped', PROMOTION, {}],
    ['a reset', 'started', STATED, { file: PROMOTED }],
    ['a reset', 'stopped', STATED, { file: PROMOTED }],
  ] as const)('forbids %s while it is %s, before anything is done', async (_, state, document, more) => {
    for (const check of [true, false]) {
      const run = await runInWorld(makeHostWorld(UNFROZEN, state, { restarts: true, ...more }), ask(document, check))
      expect(codeOf(run)).toBe('service_control_failed')
      expect(run.journal.error).toMatchObject({ details: { host: 'vol1@arrayA' } })
      expect(run.effects).toEqual([])
    }
  })

  test('is no matter where it need not be stopped', async () => {
    for (const document of [started, { ...started, frozen: true }]) {
      const world = makeHostWorld(HEALTHY, 'stopped', { restarts: true })
      expect(codeOf(await runInWorld(world, ask(document)))).toBeUndefined()
    }
  })
})

describe('what is read, judged and done, in its order', () => {
  test('a run that changes nothing is one look', async () => {
    expect(await listCalls(makeHostWorld(HEALTHY, 'stopped'), { replication: 'enabled' })).toEqual([
      'readRows',
      'approve',
    ])
  })

  test('check mode is one look too', async () => {
    const calls = await listCalls(makeHostWorld(UNFROZEN, 'started'), PROMOTION, true)
    expect(calls).toEqual(['readConfig', 'readState', 'readRows', 'approve'])
  })

  test('a write is a look and a transaction, judged again on the locked rows', async () => {
    expect(await listCalls(makeHostWorld(HEALTHY, 'stopped'), { frozen: true })).toEqual([
      'readRows',
      'approve',
      'lock',
      'readLocked',
      'approve',
      'update',
    ])
  })

  test('every step of a promotion has fresh facts, and is approved on them', async () => {
    const calls = await listCalls(makeHostWorld(UNFROZEN, 'started'), PROMOTION)
    const isPoll = (index: number) => calls[index] === 'readRows' && calls[index + 1] === 'approve'
    const stopAt = calls.indexOf('stop')
    const editAt = calls.indexOf('replaceFile')
    const startAt = calls.indexOf('start')
    const locks = ['lock', 'readLocked', 'approve', 'update']
    expect(calls.slice(0, stopAt + 1)).toEqual([
      ...['readConfig', 'readState', 'readRows', 'approve'],
      ...locks,
      ...['readRows', 'approve', 'stop'],
    ])
    // After the wait: all that an edit needs.
    expect(calls.slice(editAt - 4, editAt + 1)).toEqual([
      'readConfig',
      'readState',
      'readRows',
      'approve',
      'replaceFile',
    ])
    expect(calls.slice(stopAt + 1, stopAt + 3)).toEqual(['readConfig', 'approve'])
    const waits = calls.slice(stopAt + 3, editAt - 4)
    expect(waits.length).toBeGreaterThan(2)
    expect(waits.every((_, index) => isPoll(stopAt + 3 + index) || isPoll(stopAt + 2 + index))).toBe(true)
    expect(calls.slice(editAt + 1, startAt + 1)).toEqual([
      'approve',
      ...locks,
      ...['readConfig', 'readState', 'readRows', 'approve', 'start'],
    ])
    // The driver has written replication_status at its start.
    expect(calls.slice(startAt + 1, startAt + 4)).toEqual(['readRows', 'approve', 'readRows'])
    // The old copy is removed last.
    expect(calls.slice(-7)).toEqual(['approve', ...locks, 'approve', 'approve'])
  })
})

describe('what approves the plans', () => {
  test('sees each with the steps done before, and none that a guard refuses', async () => {
    const shown: [number, string | undefined][] = []
    const approve = ({ steps }: Plan, done: readonly Step[]) => {
      shown.push([done.length, steps[0]?.kind])
    }
    await runInWorld(
      makeHostWorld(HEALTHY, 'started'),
      ask({ service: { manager: 'systemd', state: 'stopped' }, frozen: true }),
      {
        approve,
      },
    )
    expect(shown[0]).toEqual([0, 'write_rows'])
    expect(shown).toContainEqual([1, 'stop_service'])
    expect(shown.at(-1)?.[0]).toBeGreaterThanOrEqual(2)
    const before = shown.length
    await runInWorld(makeHostWorld(UNFROZEN, 'stopped'), ask({ active_backend: 'reset' }), { approve })
    expect(shown).toHaveLength(before)
  })

  test('ends the run before the first step, and between two', async () => {
    const stop = new AgentError('interrupted', 'No.')
    for (const most of [0, 1]) {
      const approve = (_: Plan, done: readonly Step[]) => {
        if (done.length >= most) throw stop
      }
      const world = makeHostWorld(UNFROZEN, 'started')
      const { journal, effects } = await runInWorld(world, ask(PROMOTION), { approve })
      expect(journal.error).toBe(stop)
      expect(effects).toHaveLength(most)
    }
  })

  test('is not asked about a reset of a failover that came later', async () => {
    const world = makeHostWorld(FAILED_OVER, 'started', { file: PROMOTED })
    const arrays = new Set<string | null>()
    const run = await runInWorld(world, ask(STATED), {
      afterEffect: () => {
        world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, active_backend_id: 'Z' } }))
      },
      approve: ({ steps }) => {
        const write = steps.find((step) => step.kind === 'write_rows')
        arrays.add(write?.changes[0]?.rows[0]?.row.state.active_backend_id ?? null)
      },
    })
    expect(codeOf(run)).toBe('conflict')
    expect([...arrays]).toEqual(['B'])
  })
})

describe('what the journal has', () => {
  test('the first look and the last', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { journal } = await runInWorld(world, ask(PROMOTION))
    expect(journal.first?.backends[0]?.services[0]?.state).toEqual(UNFROZEN)
    expect(journal.last?.backends[0]?.services[0]?.state).toEqual(HEALTHY)
    expect(journal.last?.service?.state).toBe('started')
    expect(journal.steps.map(({ kind }) => kind)).toEqual([
      'write_rows',
      'stop_service',
      'await_down',
      'update_config',
      'write_rows',
      'start_service',
      'await_heartbeat',
      'write_rows',
      'remove_old_copy',
    ])
  })

  test('after a failure the steps done, and those that the same request would do', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { options } = openWorld(world, ask(PROMOTION))
    const failure = new AgentError('config_write_failed', 'The disk is full.')
    const replaceFile = async () => {
      throw failure
    }
    const journal = await execute({ ...options, replaceFile })
    expect(journal.error).toBe(failure)
    expect(journal.steps.map(({ kind }) => kind)).toEqual(['write_rows', 'stop_service', 'await_down'])
    expect(journal.remaining.map(({ kind }) => kind)).toEqual([
      'update_config',
      'write_rows',
      'start_service',
      'await_heartbeat',
      'write_rows',
    ])
    const untouched = makeHostWorld(HEALTHY, 'stopped')
    const early = await execute({
      ...openWorld(untouched, ask(PROMOTION)).options,
      readRows: async () => {
        throw failure
      },
    })
    expect(early).toMatchObject({ error: failure, steps: [], remaining: [], first: undefined, last: undefined })
  })

  test('the path of the backup, also after later steps', async () => {
    const { options } = openWorld(makeHostWorld(UNFROZEN, 'started'), ask(PROMOTION))
    const replaceFile: typeof options.replaceFile = async (edit) => {
      await options.replaceFile(edit)
      return '/etc/cinder/cinder.conf.old~'
    }
    const journal = await execute({ ...options, replaceFile })
    expect(journal).toMatchObject({ error: undefined, backup: '/etc/cinder/cinder.conf.old~' })
  })

  test('the refusals that force passed over, also those of an earlier plan, each once', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { journal } = await runInWorld(world, ask({ active_backend: 'reset', force: true }))
    expect(journal.passed.map(({ code }) => code)).toEqual(['not_promoted', 'not_frozen', 'service_up'])
    const failing = makeHostWorld({ ...FAILED_OVER, replication_status: 'failing-over' }, 'started')
    const whole = await runInWorld(failing, ask({ ...PROMOTION, force: true }))
    expect(codeOf(whole)).toBeUndefined()
    expect(whole.journal.passed.map(({ code }) => code)).toEqual(['failover_in_progress'])
  })

  test('the warnings of the first plan alone: a later one would speak of the own edit', async () => {
    const disabled = { ...HEALTHY, replication_status: 'disabled' }
    const config = { options: { use_chap: true }, replication_device: [] }
    const world = makeHostWorld(disabled, 'stopped')
    const { journal } = await runInWorld(world, ask({ replication: 'enabled', config }))
    expect(journal.steps.map(({ kind }) => kind)).toEqual(['update_config', 'write_rows'])
    expect(journal.warnings).toHaveLength(1)
  })
})

test('a promotion that is refused on newer facts is told by its guard, not as a change that was undone', async () => {
  const world = makeHostWorld(UNFROZEN, 'started')
  const run = await runInWorld(world, ask(PROMOTION), {
    afterEffect: (count) => {
      if (count === 2)
        world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, active_backend_id: 'Z' } }))
    },
  })
  expect(codeOf(run)).toBe('not_failed_over')
})

test('a reset that is undone by a new failover is told as that, before any guard', async () => {
  const world = makeHostWorld(UNFROZEN, 'started', { file: PROMOTED })
  const run = await runInWorld(world, ask(STATED), {
    afterEffect: () => {
      const [row] = world.rows
      if (row?.state.active_backend_id === null)
        world.rows = [{ ...row, state: { ...FAILED_OVER, replication_status: 'failing-over' } }]
    },
  })
  expect(codeOf(run)).toBe('failed_over')
})
