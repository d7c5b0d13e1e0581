import { describe, expect, test } from 'vitest'
import { controlService } from '../../../src/execute/control-service.js'
import { type ExecuteOptions, execute } from '../../../src/execute/execute.js'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { ServiceState } from '../../../src/model/observation.js'
import { planConfig } from '../../../src/plan/config.js'
import { makePlan } from '../../../src/plan/plan.js'
import { makeResult } from '../../../src/report/result.js'
import { makeConf, observeWorld, openWorld, type World } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeHostWorld, PROMOTED } from '../../support/worlds.js'

const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const started = { service: { manager: 'systemd', state: 'started' } }
const stopped = { service: { manager: 'systemd', state: 'stopped' } }
const failure = new AgentError('service_control_failed', 'systemctl failed.')

type Manager = NonNullable<ExecuteOptions['manager']>

async function runWith(
  world: World,
  document: object,
  change: (options: ExecuteOptions) => Partial<ExecuteOptions>,
): Promise<Awaited<ReturnType<typeof execute>>> {
  const { options } = openWorld(world, ask(document))
  return execute({ ...options, ...change(options) })
}

function managerOf({ manager }: ExecuteOptions): Manager {
  if (manager === undefined) throw new Error('a request without a service')
  return manager
}

const codeOf = (error: unknown) => (error instanceof AgentError ? error.code : error)

describe('a stop or a start that fails', () => {
  /** A manager whose start and stop leave the state, and fail. */
  const failing =
    (world: World, left: ServiceState | 'unknown') =>
    (options: ExecuteOptions): Partial<ExecuteOptions> => {
      const manager = managerOf(options)
      let isUnknown = false
      const fail = async () => {
        if (left === 'unknown') isUnknown = true
        else world.service = left
        throw failure
      }
      const readState = async () => {
        if (isUnknown) throw new AgentError('service_control_failed', 'It does not answer.')
        return manager.readState()
      }
      return { manager: { ...manager, stop: fail, start: fail, readState } }
    }

  test.each<readonly [string, World['service'], object, ServiceState | 'unknown', readonly string[], boolean]>([
    ['a stop that worked all the same', 'started', stopped, 'stopped', ['stop_service'], false],
    ['a stop that was half done', 'started', stopped, 'changing', [], true],
    ['a stop that did nothing', 'started', stopped, 'started', [], false],
    ['a stop of which nothing is known', 'started', stopped, 'unknown', [], true],
    ['a start that worked all the same', 'stopped', started, 'started', ['start_service'], false],
    ['a start that was half done', 'stopped', started, 'changing', [], true],
    ['a start that did nothing', 'stopped', started, 'stopped', [], false],
    ['a start of which nothing is known', 'stopped', started, 'unknown', [], true],
  ])('%s', async (_, service, document, left, kinds, mayBeChanged) => {
    const world = makeHostWorld(HEALTHY, service)
    const journal = await runWith(world, document, failing(world, left))
    expect(journal.error).toMatchObject({ code: 'service_control_failed', problem: failure.problem })
    expect(journal.steps.map(({ kind }) => kind)).toEqual(kinds)
    expect(journal.mayBeChanged).toBe(mayBeChanged)
    const result = makeResult(journal, { audience: 'request' })
    expect(result).toMatchObject({ failed: true, changed: kinds.length > 0 || mayBeChanged })
    if (left !== 'unknown') expect(result.backends).toMatchObject([{ service: { state: left } }])
  })

  test('names the backend of the request, also where the first question to the manager fails', async () => {
    const world = makeHostWorld(HEALTHY, 'started')
    const one = await runWith(world, stopped, failing(world, 'started'))
    const other = await runWith(world, stopped, (options) => ({
      manager: {
        ...managerOf(options),
        readState: async () => {
          throw failure
        },
      },
    }))
    for (const journal of [one, other])
      expect(journal.error).toMatchObject({ code: 'service_control_failed', details: { host: 'vol1@arrayA' } })
    expect(makeResult(other, { audience: 'request' }).backends).toMatchObject([{ before: HEALTHY }])
  })
})

test('a start is known by its time, a stop by none', async () => {
  for (const [service, document, startedAt] of [
    ['stopped', started, 12_345],
    ['started', stopped, undefined],
  ] as const) {
    const world = makeHostWorld(HEALTHY, service, { timeMs: 12_345 })
    const request = ask(document)
    const observation = await observeWorld(world, request)
    const [step] = makePlan(request, observation, planConfig).steps
    if (step?.kind !== 'start_service' && step?.kind !== 'stop_service') throw new Error('another step')
    const { options } = openWorld(world, request)
    const tools = { ...options, onRows: () => {}, judge: () => makePlan(request, observation, planConfig) }
    const result = await controlService(step, observation, tools)
    expect(result.observation.service).toMatchObject({ state: document.service.state })
    expect(result.observation.service?.startedAt).toBe(startedAt)
  }
})

describe('the wait for a service to be down', () => {
  const beating = (world: World) => {
    world.rows = world.rows.map((row) => ({ ...row, beatsByItself: true, beatAtMs: 0 }))
    return world
  }
  const request = { ...started, active_backend: 'reset', replication: 'enabled', promoted: 'B', wait_timeout: 15 }

  test('ends the run when its time is over', async () => {
    const world = beating(makeHostWorld(FAILED_OVER, 'started', { file: PROMOTED }))
    const journal = await runWith(world, request, () => ({}))
    expect(codeOf(journal.error)).toBe('timeout')
    expect(journal.error).toMatchObject({ details: { host: 'vol1@arrayA' } })
    expect(world.timeMs).toBeGreaterThanOrEqual(15_000)
    expect(world.timeMs).toBeLessThan(20_000)
    expect(world.rows[0]?.state).toEqual({ ...FAILED_OVER })
  })

  test('goes on with force when its time is over', async () => {
    const world = beating(makeHostWorld(FAILED_OVER, 'started', { file: PROMOTED }))
    const journal = await runWith(world, { ...request, force: true }, () => ({}))
    expect(journal.error).toBeUndefined()
    expect(world.rows[0]?.state).toMatchObject({ active_backend_id: null, replication_status: 'enabled' })
  })

  test('ends when another run has done everything', async () => {
    const world = beating(makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED }))
    const journal = await runWith(world, { active_backend: 'reset', wait: true }, ({ clock }) => ({
      clock: {
        ...clock,
        pause: async (ms) => {
          world.rows = world.rows.map((row) => ({ ...row, state: HEALTHY }))
          await clock.pause(ms)
        },
      },
    }))
    expect(journal).toMatchObject({ error: undefined, steps: [{ kind: 'await_down' }] })
    expect(makeResult(journal, { audience: 'request' })).toMatchObject({ changed: false })
  })
})

describe('the wait for a heartbeat after a start', () => {
  /** A service that starts and then, at the first pause, stops for good or goes silent. */
  const dying =
    (world: World, then: () => void) =>
    ({ clock }: ExecuteOptions): Partial<ExecuteOptions> => ({
      clock: {
        ...clock,
        pause: async (ms) => {
          then()
          world.timeMs += ms
        },
      },
    })

  test('ends soon when its manager says that it is stopped', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const journal = await runWith(
      world,
      { ...started, wait_timeout: 60 },
      dying(world, () => {
        world.service = 'stopped'
      }),
    )
    expect(codeOf(journal.error)).toBe('service_control_failed')
    expect(world.timeMs).toBeLessThan(10_000)
    expect(journal.steps.map(({ kind }) => kind)).toEqual(['start_service'])
  })

  test('asks its manager at the end too', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const journal = await runWith(
      world,
      { ...started, wait_timeout: 2 },
      dying(world, () => {
        world.service = 'stopped'
      }),
    )
    expect(codeOf(journal.error)).toBe('service_control_failed')
  })

  test('is over when its time is; the rows are told as they were seen last, and nothing is thawed', async () => {
    const world = makeHostWorld(FROZEN, 'stopped')
    const journal = await runWith(
      world,
      { ...started, frozen: false, wait_timeout: 20 },
      dying(world, () => {
        world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, disabled_reason: 'disk swap' } }))
      }),
    )
    expect(codeOf(journal.error)).toBe('timeout')
    expect(world.rows[0]?.state.frozen).toBe(true)
    expect(journal.last?.backends[0]?.services[0]?.state.disabled_reason).toBe('disk swap')
  })
})

test('a wait that a signal ends tells the rows as they were seen last', async () => {
  for (const [service, document] of [
    ['stopped', started],
    ['started', stopped],
  ] as const) {
    const world = makeHostWorld(HEALTHY, service)
    let pauses = 0
    const journal = await runWith(world, document, ({ clock }) => ({
      clock: {
        ...clock,
        pause: async (ms) => {
          if (pauses++ > 0) throw new AgentError('interrupted', 'A signal.')
          world.timeMs += ms
          world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, disabled_reason: 'disk swap' } }))
        },
      },
    }))
    expect(codeOf(journal.error)).toBe('interrupted')
    expect(journal.last?.backends[0]?.services[0]?.state.disabled_reason).toBe('disk swap')
  }
})

describe('an edit that fails', () => {
  const EDIT = { config: { options: { san_ip: 'ip-X' } } }
  const failWith = (error: AgentError) => ({
    replaceFile: async () => {
      throw error
    },
  })

  test('was not done, unless it says that the content is in place', async () => {
    for (const [unconfirmed, kinds] of [
      [false, []],
      [true, ['update_config']],
    ] as const) {
      const world = makeHostWorld(HEALTHY, 'stopped')
      const error = new AgentError('config_write_failed', 'The folder was not synced.', { unconfirmed })
      const journal = await runWith(world, { ...EDIT, frozen: true }, () => failWith(error))
      expect(journal.error).toBe(error)
      expect(journal.steps.map(({ kind }) => kind)).toEqual(kinds)
      expect(journal.remaining.map(({ kind }) => kind)).toEqual(unconfirmed ? ['write_rows'] : [])
      expect(makeResult(journal, { audience: 'request' }).changed).toBe(unconfirmed)
      expect(world.rows[0]?.state).toEqual(HEALTHY)
    }
  })

  test('is a conflict if the file changed between the look and the write, and theirs stays', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const journal = await runWith(world, EDIT, ({ replaceFile }) => ({
      replaceFile: async (edit) => {
        world.file = makeConf('Y', [])
        return replaceFile(edit)
      },
    }))
    expect(codeOf(journal.error)).toBe('conflict')
    expect(world.file).toBe(makeConf('Y', []))
  })
})
