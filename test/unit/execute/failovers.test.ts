import { describe, expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import { makeResult } from '../../../src/report/result.js'
import { makeConf, OLD_COPY_PATH, readPrimary, runInWorld, type World } from '../../support/world.js'
import { ask, codeOf, FAILED_OVER, HEALTHY, makeClusterWorld, makeHostWorld, makeRow } from '../../support/worlds.js'

// Failovers and fail-backs that come while the agent works.

const HOST = 'vol1@arrayA'
const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const TO_C = [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }]
const WHOLE = {
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  service: { manager: 'systemd', state: 'started' },
}
const BY_NAME = { ...WHOLE, config: { promote: 'B', replication_device: TO_C } }
const BY_OPTIONS = {
  ...WHOLE,
  config: { options: { san_ip: 'ip-B', pure_api_token: 't-B' }, replication_device: TO_C },
}
/** What an edit alone is. */
const EDIT = { options: { pure_iscsi_cidr: '192.0.2.0/24' } }
const NO_RESET = { active_backend: undefined, frozen: undefined }
const ROADS = [
  ['by name', BY_NAME],
  ['by its options', BY_OPTIONS],
] as const

const setRows = (world: World, change: (state: BackendState) => Partial<BackendState>) => {
  world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, ...change(row.state) } }))
}
/** cinder/volume/manager.py, failover, to another array. */
const failOverTo = (world: World, array: string) =>
  setRows(world, () => ({ ...FAILED_OVER, active_backend_id: array, frozen: true }))
/** cinder/volume/manager.py, failover to "default". */
const failBack = (world: World) =>
  setRows(world, ({ frozen }) => ({
    ...HEALTHY,
    frozen,
    disabled: frozen,
    disabled_reason: frozen ? 'frozen' : '',
    active_backend_id: '',
  }))

/** The run, with something that happens in the world after its Nth effect. */
async function runDisturbed(world: World, document: object, at: number, happen: (world: World) => void) {
  const run = await runInWorld(world, ask(document), {
    afterEffect: (count) => {
      if (count === at) happen(world)
    },
  })
  return { ...run, code: codeOf(run), result: makeResult(run.journal, { audience: 'request' }) }
}

const BEFORE_THE_EDIT = [
  ['the freeze', 1, 'started'],
  ['the stop', 2, 'stopped'],
] as const

describe.each(BEFORE_THE_EDIT)('after %s', (_, at, service) => {
  test.each(ROADS)('a fail-back ends a promotion %s before the edit', async (_road, document) => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, document, at, failBack)
    expect(result).toMatchObject({ changed: true, failed: true })
    expect(['conflict', 'not_failed_over']).toContain(result.error?.code)
    expect(readPrimary(world.file)).toBe('A')
    expect(world.service).toBe(service)
    expect(world.rows[0]?.state).toMatchObject({ active_backend_id: '', replication_status: 'enabled' })
  })

  test('a fail-back is told, with what is to be put back, and without an undo that nothing would take', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, BY_OPTIONS, at, failBack)
    expect(result.error?.code).toBe('conflict')
    expect(result.msg).toContain('failed back')
    expect(result.msg).toContain('failed over to B')
    expect(result.msg).toContain('thaw')
    if (service === 'stopped') expect(result.msg).toContain('start cinder-volume')
    expect(result).not.toHaveProperty('undo')
    expect(result.backends).toMatchObject([{ before: UNFROZEN, after: { active_backend_id: '' } }])
  })

  test.each(ROADS)('a failover to another array ends a promotion %s before the edit', async (_road, document) => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, document, at, (each) => failOverTo(each, 'Z'))
    expect(['conflict', 'not_failed_over']).toContain(result.error?.code)
    expect(result.msg).toContain('failed over to Z')
    expect(result).not.toHaveProperty('undo')
    expect(result.backends).toMatchObject([{ before: UNFROZEN, after: { active_backend_id: 'Z' } }])
    expect(readPrimary(world.file)).toBe('A')
    expect(world.service).toBe(service)
  })
})

test('a fail-back after the edit ends the run before the reset, and the file is named to be restored', async () => {
  for (const [, document] of ROADS) {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, document, 3, failBack)
    expect(result.error?.code).toBe('conflict')
    expect(result.msg).toContain('.cinder.conf.before-promotion-arrayA')
    expect(world.rows[0]?.state.active_backend_id).toBe('')
    expect(world.service).toBe('stopped')
  }
})

test('a fail-back of a cluster counts by the row of the cluster, though members that are down have missed it', async () => {
  const world = makeClusterWorld(UNFROZEN, UNFROZEN, UNFROZEN, 'started')
  const document = { ...BY_OPTIONS, cluster: 'c9@arrayA' }
  const { result } = await runDisturbed(world, document, 2, (each) => {
    const members = each.rows.slice(1)
    failBack(each)
    each.rows = [...each.rows.slice(0, 1), ...members]
  })
  expect(result.error?.code).toBe('conflict')
  expect(readPrimary(world.file)).toBe('A')
})

test('an undo of rows that nobody has changed since is given after a failure too', async () => {
  const world = makeHostWorld(UNFROZEN, 'started')
  const { result } = await runDisturbed(world, BY_NAME, 2, (each) => {
    each.service = 'started'
  })
  expect(result).toMatchObject({ failed: true, undo: { restore: [{ to: UNFROZEN }] } })
})

test('a fail-back of a backend that only needs a reset leaves nothing to do', async () => {
  const world = makeHostWorld(FAILED_OVER, 'stopped', { file: makeConf('B', ['C']) })
  const run = await runInWorld(world, ask({ active_backend: 'reset', replication: 'enabled', promoted: 'B' }), {
    onCall: (name) => {
      if (name === 'lock') failBack(world)
    },
  })
  expect(codeOf(run)).toBeUndefined()
  expect(run.effects).toEqual([])
})

describe('between the reset and the start, or in it', () => {
  const RESUMED = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }

  test.each([
    ['before the start', 'readState'],
    ['in the start', 'start'],
  ])('a failover to another array %s is told as that, though the driver overwrites its status', async (_, call) => {
    for (const document of [BY_NAME, BY_OPTIONS]) {
      const world = makeHostWorld(UNFROZEN, 'started')
      let isReset = false
      const run = await runInWorld(world, ask(document), {
        afterEffect: () => {
          isReset = world.rows[0]?.state.active_backend_id === null
        },
        onCall: (name) => {
          if (name === call && isReset) {
            isReset = false
            setRows(world, () => ({ active_backend_id: 'C', replication_status: 'disabled', disabled: true }))
          }
        },
      })
      expect(codeOf(run)).toBe('failed_over')
      const { msg } = makeResult(run.journal, { audience: 'request' })
      expect(msg).toContain('"C"')
      expect(msg).not.toContain('restore') // the old cinder.conf has A for its primary
      expect(world.rows[0]?.state).toMatchObject({ frozen: true, disabled: true, active_backend_id: 'C' })
    }
  })

  test('a failover that is seen while the heartbeat is waited for is told as that, also if its row is overwritten then', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    let looks = 0
    const run = await runInWorld(world, ask(BY_NAME), {
      onCall: (name) => {
        if (name !== 'readRows' || world.service !== 'started') return
        if (world.rows[0]?.state.active_backend_id !== null) return
        looks++
        if (looks === 2) setRows(world, () => ({ replication_status: 'failing-over' }))
        if (looks === 3) setRows(world, () => ({ replication_status: 'disabled' }))
      },
    })
    expect(codeOf(run)).toBe('failed_over')
  })

  test('in a run that goes on after another, a failover is not told as a driver that does not replicate', async () => {
    const world = makeHostWorld(RESUMED, 'stopped')
    const run = await runInWorld(world, ask(WHOLE), {
      onCall: (name) => {
        if (name === 'start')
          setRows(world, () => ({ active_backend_id: 'C', replication_status: 'disabled', disabled: true }))
      },
    })
    expect(codeOf(run)).toBe('conflict')
    expect(makeResult(run.journal, { audience: 'request' }).msg).toContain('failed over to C')
  })
})

describe('a service that the run has stopped', () => {
  const failing = (world: World) => setRows(world, () => ({ replication_status: 'failing-over' }))

  test('is edited and reset only once its heartbeat counts as down to Cinder, from states that take a failover', async () => {
    for (const [state, waits] of [
      [UNFROZEN, true],
      [{ ...HEALTHY, replication_status: 'enabled' }, true],
      [{ ...HEALTHY, replication_status: 'disabled' }, false],
    ] as const) {
      const world = makeHostWorld(state, 'started')
      const document = state === UNFROZEN ? BY_NAME : { ...WHOLE, replication: undefined, config: EDIT, ...NO_RESET }
      let age: number | undefined
      const run = await runInWorld(world, ask(document), {
        onCall: (name) => {
          if (name === 'replaceFile') age = (world.timeMs - (world.rows[0]?.beatAtMs ?? 0)) / 1000
        },
      })
      expect(codeOf(run)).toBeUndefined()
      if (waits) expect(age).toBeGreaterThanOrEqual(10)
      else expect(age).toBeLessThan(10)
    }
  })

  test('is waited for beyond wait_timeout if its heartbeat only grows old', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    expect(codeOf(await runInWorld(world, ask({ ...BY_NAME, wait_timeout: 5 })))).toBeUndefined()
  })

  test('is not waited for without end where a site has set service_down_time high', async () => {
    const world = makeHostWorld(FAILED_OVER, 'started')
    const run = await runInWorld(world, ask({ ...BY_NAME, service_down_time: 86_400, wait_timeout: 30 }))
    expect(codeOf(run)).toBe('timeout')
    expect(world.timeMs).toBeLessThan(40_000)
    expect(run.effects.map(({ kind }) => kind)).toEqual(['stop'])
  })

  test('is not what is named if another member still beats at the end of the wait', async () => {
    const world = makeClusterWorld({ ...FAILED_OVER }, FAILED_OVER, FAILED_OVER, 'started')
    world.rows = world.rows.map((row) =>
      row.name === 'vol2@arrayA' ? { ...row, beatAtMs: 0, beatsByItself: true } : row,
    )
    const document = { cluster: 'c9@arrayA', ...WHOLE, replication: 'disabled', promoted: 'B', wait_timeout: 5 }
    world.file = makeConf('B', [])
    const { journal } = await runInWorld(world, ask(document))
    expect(makeResult(journal, { audience: 'request' }).error).toMatchObject({ code: 'timeout', host: 'vol2@arrayA' })
  })

  test('that Cinder fails over after all ends the run before the edit, and the hint names the way on', async () => {
    for (const [, document] of ROADS) {
      const world = makeHostWorld(UNFROZEN, 'started')
      const { result } = await runLate(world, document, failing)
      expect(result.error).toMatchObject({ code: 'failover_in_progress', pending: [] })
      expect(result.error?.hint).toContain('Start cinder-volume')
      expect(result.msg).toContain('failover_in_progress')
      expect(readPrimary(world.file)).toBe('A')

      const again = await runInWorld(world, ask(document))
      expect(codeOf(again)).toBe('failover_in_progress')
      expect(again.effects).toEqual([])

      // cinder-volume finishes at its start what waits in its queue.
      expect(codeOf(await runInWorld(world, ask({ service: WHOLE.service })))).toBeUndefined()
      expect(world.service).toBe('started')
      failOverTo(world, 'B')
      expect(codeOf(await runInWorld(world, ask(document)))).toBeUndefined()
      expect(world.rows[0]?.state).toEqual(HEALTHY)
    }
  })

  const ON_B: BackendState = { ...FAILED_OVER, replication_status: 'failing-over' }
  const ON_PRIMARY: BackendState = { ...ON_B, active_backend_id: null }
  const [BEFORE, AFTER] = [makeConf('A', ['B']), makeConf('B', ['C'])]

  test.each<readonly [string, BackendState, Partial<World>, readonly string[]]>([
    ['it was promoted long before', ON_PRIMARY, { file: AFTER }, []],
    ['a copy was left behind long before', ON_PRIMARY, { file: AFTER, oldCopy: BEFORE }, []],
    ['its entry is there', ON_B, { file: BEFORE, oldCopy: BEFORE }, []],
    ['its entry is in the copy alone', ON_B, { file: AFTER, oldCopy: BEFORE }, [OLD_COPY_PATH]],
    ['its entry is nowhere', ON_B, { file: AFTER }, ['replication_device']],
    ['the copy does not have its entry', ON_B, { file: AFTER, oldCopy: makeConf('A', ['Z']) }, ['replication_device']],
  ])('that is failing over is to be started, and what comes first is named: %s', async (_, state, options, named) => {
    const world = makeHostWorld(state, 'stopped', options)
    const run = await runInWorld(world, ask({ ...WHOLE, config: { options: { san_ip: 'ip-B' } } }))
    expect(codeOf(run)).toBe('failover_in_progress')
    const { error } = makeResult(run.journal, { audience: 'request' })
    expect(error?.hint).toContain('Start cinder-volume (systemd)')
    expect([OLD_COPY_PATH, 'replication_device'].filter((each) => error?.hint?.includes(each))).toEqual(named)
  })

  test('that is failing over is to be started also where its cinder.conf cannot be read', async () => {
    const file = AFTER.replace(/replication_device = .*/, 'replication_device = none')
    const run = await runInWorld(makeHostWorld(ON_B, 'stopped', { file }), ask(WHOLE))
    expect(codeOf(run)).toBe('failover_in_progress')
    expect(makeResult(run.journal, { audience: 'request' }).error?.hint).toMatch(/^Start cinder-volume/)
  })

  test.each([
    ['that is up', { ageS: 1 }, [true, false]],
    ['whose clock may lag', { ageS: 300 }, [true, true]],
    ['that is down for long', { ageS: 700 }, [false, true]],
  ] as const)(
    'of a host that this run does not know, %s: to be waited for or started',
    async (_, { ageS }, [waits, starts]) => {
      const world = makeHostWorld(ON_B, 'stopped')
      world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - ageS * 1000 }))
      const run = await runInWorld(world, ask({ active_backend: 'reset', promoted: 'B' }))
      expect(codeOf(run)).toBe('failover_in_progress')
      const { error } = makeResult(run.journal, { audience: 'request' })
      expect([error?.hint?.includes('Wait'), error?.hint?.includes('Start it')]).toEqual([waits, starts])
    },
  )

  test('is not edited without a wait while Cinder would still take a failover of it, and is not stopped for that', async () => {
    const edit = { service: WHOLE.service, config: EDIT, wait: false }
    for (const check of [true, false])
      for (const service of ['started', 'changing', 'stopped'] as const) {
        const world = makeHostWorld(HEALTHY, service)
        world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - 8000 }))
        const run = await runInWorld(world, ask(edit, check))
        expect(codeOf(run)).toBe('service_up')
        expect(makeResult(run.journal, { audience: 'request' })).toMatchObject({
          changed: false,
          error: { host: HOST },
        })
        expect(run.effects).toEqual([])
      }
  })

  test.each<readonly [string, BackendState, number, object]>([
    ['counts as down to Cinder', HEALTHY, 11, {}],
    ['replicates nothing', { ...HEALTHY, replication_status: 'disabled' }, 1, {}],
    ['is passed over by force', HEALTHY, 1, { force: true }],
    ['is waited for', HEALTHY, 1, { wait: true }],
  ])('is edited where it %s', async (_, state, ageS, more) => {
    const world = makeHostWorld(state, 'stopped')
    world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - ageS * 1000 }))
    const run = await runInWorld(world, ask({ service: WHOLE.service, config: EDIT, wait: false, ...more }))
    expect(codeOf(run)).toBeUndefined()
    expect(run.effects.map(({ kind }) => kind)).toEqual(['file', 'start'])
    expect(run.journal.passed.map(({ code }) => code)).toEqual('force' in more ? ['service_up'] : [])
  })

  test('is not reset without a wait while Cinder would still take a failover of it', async () => {
    const world = makeHostWorld(FAILED_OVER, 'stopped')
    world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - 8000 }))
    const run = await runInWorld(world, ask({ ...BY_NAME, wait: false }))
    expect(codeOf(run)).toBe('service_up')
    expect(run.effects).toEqual([])
  })

  /** The run, with something that happens once the service has been stopped for some seconds. */
  async function runLate(world: World, document: object, happen: (world: World) => void) {
    let stoppedAt: number | undefined
    const run = await runInWorld(world, ask(document), {
      onCall: (name) => {
        if (name === 'stop') stoppedAt = world.timeMs
        if (stoppedAt !== undefined && world.timeMs > stoppedAt + 5000) {
          stoppedAt = undefined
          happen(world)
        }
      },
    })
    return { result: makeResult(run.journal, { audience: 'request' }) }
  }
})

describe('a neighbour on the same cinder-volume', () => {
  const makeNeighbourWorld = (neighbour: BackendState, service: World['service'] = 'started') => {
    const world = makeHostWorld(UNFROZEN, service)
    world.file = world.file.replace('enabled_backends = arrayA', 'enabled_backends = arrayA, other')
    world.rows = [...world.rows, makeRow('vol1@other', neighbour, { id: 9, beatAtMs: 0 })]
    return world
  }
  const FAILING: BackendState = { ...HEALTHY, replication_status: 'failing-over' }

  test('that is failing over keeps the service from a stop, in check mode too', async () => {
    for (const check of [true, false]) {
      const world = makeNeighbourWorld(FAILING)
      const run = await runInWorld(world, ask(BY_NAME, check))
      expect(codeOf(run)).toBe('failover_in_progress')
      expect(makeResult(run.journal, { audience: 'request' }).msg).toContain('vol1@other')
      expect(run.effects).toEqual([])
    }
  })

  test('that begins to fail over before the stop does so too', async () => {
    const world = makeNeighbourWorld(HEALTHY)
    const run = await runInWorld(world, ask(BY_NAME), {
      afterEffect: (count) => {
        if (count === 1)
          world.rows = world.rows.map((row) => (row.name === 'vol1@other' ? { ...row, state: FAILING } : row))
      },
    })
    expect(codeOf(run)).toBe('failover_in_progress')
    expect(run.effects.map(({ kind }) => kind)).toEqual(['rows'])
  })

  test('that is failing over is no matter where nothing is stopped', async () => {
    const frozen = await runInWorld(makeNeighbourWorld(FAILING), ask({ service: WHOLE.service, frozen: true }))
    expect(codeOf(frozen)).toBeUndefined()
    expect(codeOf(await runInWorld(makeNeighbourWorld(FAILING, 'stopped'), ask(BY_NAME)))).toBeUndefined()
  })

  test('whose failover ended in an error is named before a start hides that, and once', async () => {
    const warningsOf = async (document: object, check: boolean) => {
      const { journal } = await runInWorld(
        makeNeighbourWorld({ ...HEALTHY, replication_status: 'failover-error' }),
        ask(document, check),
      )
      expect(journal.error).toBeUndefined()
      return makeResult(journal, { audience: 'request' }).warnings.filter((each) => each.includes('failover-error'))
    }
    for (const check of [true, false]) {
      expect(await warningsOf(BY_NAME, check)).toHaveLength(1)
      expect(await warningsOf({ service: WHOLE.service, frozen: true }, check)).toEqual([])
    }
  })

  test('is never changed', async () => {
    const world = makeNeighbourWorld(HEALTHY)
    expect(codeOf(await runInWorld(world, ask(BY_NAME)))).toBeUndefined()
    expect(world.rows[1]?.state).toEqual(HEALTHY)
  })
})

describe('a member of a cluster that a failover left failing-over', () => {
  const LEFT: BackendState = { ...HEALTHY, replication_status: 'failing-over' }
  const RESET = {
    cluster: 'c9@arrayA',
    active_backend: 'reset',
    replication: 'enabled',
    frozen: true,
    promoted: 'B',
  }
  const makeLeftWorld = (cluster: BackendState, ageS: number) => {
    const world = makeClusterWorld(cluster, FAILED_OVER, LEFT, 'stopped')
    world.file = makeConf('B', ['C'])
    world.rows = world.rows.map((row) =>
      row.name === 'vol2@arrayA' ? { ...row, beatAtMs: world.timeMs - ageS * 1000 } : row,
    )
    return world
  }

  test('is reset with its cluster if it is down for long, with a warning that names it', async () => {
    const world = makeLeftWorld(FAILED_OVER, 601)
    const run = await runInWorld(world, ask(RESET))
    expect(codeOf(run)).toBeUndefined()
    const { warnings } = makeResult(run.journal, { audience: 'request' })
    expect(warnings.filter((each) => /vol2@arrayA.*failing-over/.test(each))).toHaveLength(1)
    expect(world.rows.map(({ state }) => state.active_backend_id)).toEqual([null, null, null])
    expect(world.rows.map(({ state }) => state.replication_status)).toEqual(['enabled', 'enabled', 'enabled'])
  })

  test.each([
    ['is down for some minutes', FAILED_OVER, 300, '600 s'],
    ['is up', FAILED_OVER, 1, 'Wait'],
    ['whose cluster is failing over itself', { ...FAILED_OVER, replication_status: 'failing-over' }, 3600, 'force'],
    ['whose cluster names no array', { ...FAILED_OVER, active_backend_id: null }, 3600, 'force'],
  ] as const)('that %s keeps the cluster from a reset, and is named', async (_, cluster, age, part) => {
    const world = makeLeftWorld(cluster, age)
    const run = await runInWorld(world, ask(RESET))
    expect(codeOf(run)).toBe('failover_in_progress')
    const { msg } = makeResult(run.journal, { audience: 'request' })
    expect(msg).toContain('vol2@arrayA')
    expect(msg).toContain(part)
    expect(run.effects).toEqual([])
  })
})

describe('a cluster that the agent has frozen', () => {
  const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
  const CLUSTER = { cluster: 'c9@arrayA' }

  test('is told to be thawed with the agent too, unless the run thaws it itself', async () => {
    const { journal } = await runInWorld(
      makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped'),
      ask({ ...CLUSTER, frozen: true }),
    )
    expect(makeResult(journal, { audience: 'request' }).msg).toContain('cluster-enable')
    const host = await runInWorld(makeHostWorld(HEALTHY, 'stopped'), ask({ frozen: true }))
    expect(makeResult(host.journal, { audience: 'request' }).msg).not.toContain('cluster-enable')
  })

  test('and that Cinder has thawed is mended by the next thaw, with its members', async () => {
    const thawed = { ...FROZEN, frozen: false }
    const byApi = { ...HEALTHY, disabled_reason: '' }
    const world = makeClusterWorld(thawed, byApi, thawed, 'stopped')
    const report = await runInWorld(world, ask(CLUSTER))
    expect(makeResult(report.journal, { audience: 'request' }).msg).toContain('still disabled')
    const run = await runInWorld(world, ask({ ...CLUSTER, frozen: false }))
    expect(codeOf(run)).toBeUndefined()
    expect(world.rows.map(({ state }) => state.disabled)).toEqual([false, false, false])
    expect((await runInWorld(world, ask({ ...CLUSTER, frozen: false }))).effects).toEqual([])
  })
})

describe('the reason why a service is disabled', () => {
  const warningsOf = async (state: BackendState) => {
    const world = makeHostWorld(state, 'stopped', { file: makeConf('B', ['C']) })
    const document = { ...WHOLE, promoted: state.active_backend_id ?? 'B' }
    const { journal } = await runInWorld(world, ask(document, true))
    expect(journal.error).toBeUndefined()
    return makeResult(journal, { audience: 'request' }).warnings.filter((each) => /enables it|disabled/.test(each))
  }
  const reason = 'disk swap'

  test('is an admin’s wish if the failover has succeeded since: Cinder would have written another', async () => {
    expect(await warningsOf({ ...FAILED_OVER, disabled_reason: reason })).toEqual([
      expect.stringMatching(/another reason: disk swap/),
    ])
  })

  test.each(['failover-error', 'error'])('may be of an earlier time after %s', async (replication_status) => {
    const state = { ...FAILED_OVER, replication_status }
    expect(await warningsOf({ ...state, disabled_reason: reason })).toEqual([
      expect.not.stringMatching(/another reason/),
    ])
    expect(await warningsOf({ ...state, disabled_reason: '' })).toEqual([])
    expect(await warningsOf({ ...state, disabled_reason: 'frozen' })).toEqual([])
  })
})

test.each([
  [[], true],
  [TO_C, false],
])('a promotion that leaves the replicas %j tells what cannot be extended: %s', async (replication_device, isTold) => {
  for (const check of [true, false]) {
    const world = makeHostWorld(FAILED_OVER, 'stopped')
    const document = { ...WHOLE, replication: 'disabled', config: { promote: 'B', replication_device } }
    const { journal } = await runInWorld(world, ask(document, check))
    expect(journal.error).toBeUndefined()
    const { warnings } = makeResult(journal, { audience: 'request' })
    expect(warnings.some((each) => each.includes('extended'))).toBe(isTold)
  }
})
