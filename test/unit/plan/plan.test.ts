import { describe, expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Observation } from '../../../src/model/observation.js'
import type { Plan, Step } from '../../../src/model/plan.js'
import type { Request } from '../../../src/model/request.js'
import { planConfig } from '../../../src/plan/config.js'
import { makePlan } from '../../../src/plan/plan.js'
import { observeWorld, type World } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const started = { service: { manager: 'systemd', state: 'started' } }
const stopped = { service: { manager: 'systemd', state: 'stopped' } }
const PROMOTION = {
  ...started,
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  config: { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] },
}
const EDIT = { config: { options: { san_ip: 'ip-X' } } }

async function planFor(
  world: World,
  document: object,
  change: (observation: Observation) => Observation = (same) => same,
): Promise<Plan> {
  const request: Request = ask(document)
  return makePlan(request, change(await observeWorld(world, request)), planConfig)
}

/** The kinds of the steps; of a write the actions. */
const outline = ({ steps }: Plan) =>
  steps.map(({ kind, actions }) => (kind === 'write_rows' ? actions.join('+') : kind))

/** What each write leaves in the first row. */
const written = ({ steps }: Plan) =>
  steps.flatMap((step: Step) => (step.kind === 'write_rows' ? [step.changes[0]?.rows[0]?.after] : []))

test('a whole promotion has its steps in the order of the contract', async () => {
  expect(outline(await planFor(makeHostWorld(UNFROZEN, 'started'), PROMOTION))).toEqual([
    'freeze',
    'stop_service',
    'await_down',
    'update_config',
    'reset_active_backend+enable_replication',
    'start_service',
    'await_heartbeat',
    'thaw',
  ])
})

test('from the freeze to the thaw the backend is frozen and disabled', async () => {
  for (const state of [UNFROZEN, FAILED_OVER]) {
    const writes = written(await planFor(makeHostWorld(state, 'started'), PROMOTION))
    expect(writes.slice(0, -1).every((after) => after?.frozen && after.disabled)).toBe(true)
    expect(writes.at(-1)).toEqual(HEALTHY)
  }
})

test('a backend that was frozen stays so until a start is proven, though the request does not speak of it', async () => {
  const { frozen: _, ...request } = PROMOTION
  const [after, ...more] = written(await planFor(makeHostWorld(FAILED_OVER, 'stopped'), request))
  expect(after).toMatchObject({ frozen: true, disabled: true, replication_status: 'enabled' })
  expect(more).toEqual([])
})

test.each<readonly [string, World, object, readonly string[]]>([
  ['nothing is wanted', makeHostWorld(FAILED_OVER, 'started'), {}, []],
  ['all holds', makeHostWorld(HEALTHY, 'started'), { ...started, replication: 'enabled', frozen: false }, []],
  [
    'an edit alone stops and starts',
    makeHostWorld(HEALTHY, 'started'),
    { ...started, ...EDIT },
    ['stop_service', 'await_down', 'update_config', 'start_service', 'await_heartbeat'],
  ],
  ['without a service an edit is all', makeHostWorld(HEALTHY, 'started'), EDIT, ['update_config']],
  ['a stop is waited for', makeHostWorld(HEALTHY, 'started'), stopped, ['stop_service', 'await_down']],
  ['a stop that is not waited for', makeHostWorld(HEALTHY, 'started'), { ...stopped, wait: false }, ['stop_service']],
  [
    'a freeze comes before the stop',
    makeHostWorld(HEALTHY, 'started'),
    { ...stopped, frozen: true },
    ['freeze', 'stop_service', 'await_down'],
  ],
  ['a start is waited for', makeHostWorld(HEALTHY, 'stopped'), started, ['start_service', 'await_heartbeat']],
  ['a start that is not waited for', makeHostWorld(HEALTHY, 'stopped'), { ...started, wait: false }, ['start_service']],
  [
    'a unit between the two is started',
    makeHostWorld(HEALTHY, 'changing'),
    started,
    ['start_service', 'await_heartbeat'],
  ],
  ['a unit between the two is stopped', makeHostWorld(HEALTHY, 'changing'), stopped, ['stop_service']],
  [
    'a unit between the two is stopped for an edit',
    makeHostWorld(HEALTHY, 'changing'),
    { ...started, ...EDIT },
    ['stop_service', 'update_config', 'start_service', 'await_heartbeat'],
  ],
  [
    'a service that runs and has sent no heartbeat for long is waited for',
    { ...makeHostWorld(HEALTHY, 'started'), timeMs: 5000 },
    started,
    ['await_heartbeat'],
  ],
  [
    'a thaw in a next run waits for a heartbeat',
    makeHostWorld(FROZEN, 'started'),
    { ...started, frozen: false },
    ['await_heartbeat', 'thaw'],
  ],
  ['a thaw without a service does not', makeHostWorld(FROZEN, 'started'), { frozen: false }, ['thaw']],
  [
    'replication is disabled after the start, because the driver enables it',
    makeHostWorld({ ...HEALTHY, replication_status: 'disabled' }, 'stopped'),
    { ...started, replication: 'disabled' },
    ['start_service', 'await_heartbeat', 'disable_replication'],
  ],
  [
    'replication is disabled without a stop, once the service is seen to run',
    makeHostWorld(HEALTHY, 'started'),
    { ...started, replication: 'disabled' },
    ['await_heartbeat', 'disable_replication'],
  ],
  [
    'the driver does not enable what is failed over',
    makeHostWorld({ ...FAILED_OVER, replication_status: 'disabled' }, 'stopped'),
    { ...started, replication: 'disabled', force: true },
    ['start_service', 'await_heartbeat'],
  ],
  [
    'the driver enables nothing where the section has no replica',
    { ...makeHostWorld({ ...HEALTHY, replication_status: 'disabled' }, 'stopped'), file: '[arrayA]\nsan_ip = ip-A\n' },
    { ...started, replication: 'disabled' },
    ['start_service', 'await_heartbeat'],
  ],
  [
    'a reset without a service waits if asked to',
    makeHostWorld(FAILED_OVER, 'started'),
    { active_backend: 'reset', wait: true },
    ['await_down', 'reset_active_backend'],
  ],
  ['a healthy backend is not reset', makeHostWorld(HEALTHY, 'started'), { ...started, active_backend: 'reset' }, []],
])('%s', async (_, world, document, expected) => {
  expect(outline(await planFor(world, document))).toEqual(expected)
})

describe('a promotion without a service', () => {
  const { service: _, frozen: __, ...promotion } = PROMOTION

  test('leaves a frozen backend frozen, because nobody saw a start', async () => {
    const [after] = written(await planFor(makeHostWorld(FAILED_OVER, 'stopped'), promotion))
    expect(after).toEqual({ ...FROZEN, replication_status: 'enabled' })
  })

  test('thaws it if asked to', async () => {
    const [after] = written(await planFor(makeHostWorld(FAILED_OVER, 'stopped'), { ...promotion, frozen: false }))
    expect(after).toEqual(HEALTHY)
  })

  test('is not what a bare reset is: that is the SQL of the specification', async () => {
    const [after] = written(await planFor(makeHostWorld(FAILED_OVER, 'stopped'), { active_backend: 'reset' }))
    expect(after).toEqual({ ...HEALTHY, replication_status: 'disabled', frozen: true })
  })
})

test('a file that cannot be replaced stands in the way of an edit, and of nothing else', async () => {
  const obstacle = new AgentError('config_write_failed', 'It cannot be replaced.')
  const withObstacle = (observation: Observation): Observation => {
    const { config } = observation
    const [file] = config?.files ?? []
    if (config === undefined || file === undefined) throw new Error('a look without cinder.conf')
    return { ...observation, config: { ...config, obstacles: new Map([[file.path, obstacle]]) } }
  }
  const world = makeHostWorld(HEALTHY, 'stopped')
  expect((await planFor(world, EDIT, withObstacle)).obstacle).toBe(obstacle)
  expect((await planFor(world, { config: { options: { san_ip: 'ip-A' } } }, withObstacle)).obstacle).toBeUndefined()
})

test('when the time to wait is over, the plan goes on without the wait', async () => {
  const world = makeHostWorld(HEALTHY, 'started')
  const plan = await planFor(world, { ...stopped, force: true }, (seen) => ({ ...seen, waitIsOver: true }))
  expect(outline(plan)).toEqual(['stop_service'])
})

test('a heartbeat that was seen before a start does not prove it', async () => {
  const beat = (seen: Observation): Observation => ({
    ...seen,
    heartbeats: new Map([[1, { count: 8, since: 400, seenAt: 400, risenAt: 400, risenAfter: 0 }]]),
  })
  expect(outline(await planFor(makeHostWorld(HEALTHY, 'stopped'), started, beat))).toEqual([
    'start_service',
    'await_heartbeat',
  ])
  expect(outline(await planFor(makeHostWorld(FROZEN, 'started'), { ...started, frozen: false }, beat))).toEqual([
    'thaw',
  ])
})

describe('another array that is set directly', () => {
  const direct = (active_backend_id: string | null) => ({ active_backend_id, force: true })

  test('is refused while the service is up', async () => {
    const { refusals } = await planFor(makeHostWorld(HEALTHY, 'started'), direct('Z'))
    expect(refusals.map(({ code }) => code)).toEqual(['service_up'])
  })

  test('is not another array if none is meant, before and after', async () => {
    const world = makeHostWorld({ ...HEALTHY, active_backend_id: '' }, 'started')
    expect(await planFor(world, direct(null))).toMatchObject({ steps: [], refusals: [] })
    const restore = { host: 'vol1@arrayA', from: { ...HEALTHY, active_backend_id: '' }, to: HEALTHY }
    const { steps, refusals } = await planFor(world, { restore: [restore] })
    expect(steps).toHaveLength(1)
    expect(refusals).toEqual([])
  })
})

describe('a cluster', () => {
  const reset = { cluster: 'c9@arrayA', active_backend: 'reset', wait: true }

  test('waits for every member before a reset, and writes all rows alike', async () => {
    const world = makeClusterWorld(FAILED_OVER, FAILED_OVER, HEALTHY, 'started')
    world.rows = world.rows.map((row) => (row.table === 'services' ? { ...row, beatAtMs: 0 } : row))
    const { steps } = await planFor(world, reset)
    expect(steps[0]).toMatchObject({ kind: 'await_down', hosts: ['vol1@arrayA', 'vol2@arrayA'] })
    expect(steps[1]).toMatchObject({
      changes: [
        { rows: [1, 2, 3].map(() => ({ after: { replication_status: 'disabled', active_backend_id: null } })) },
      ],
    })
  })

  test('waits only for the own member before an edit', async () => {
    const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'started')
    world.rows = world.rows.map((row) => (row.table === 'services' ? { ...row, beatAtMs: 0 } : row))
    const { steps } = await planFor(world, { host: 'vol1@arrayA', ...started, ...EDIT })
    expect(steps[1]).toMatchObject({ kind: 'await_down', hosts: ['vol1@arrayA'] })
  })
})
