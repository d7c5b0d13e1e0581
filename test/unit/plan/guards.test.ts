import { describe, expect, test } from 'vitest'
import { enforceGuards } from '../../../src/execute/enforce-guards.js'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Request } from '../../../src/model/request.js'
import { planConfig } from '../../../src/plan/config.js'
import { makePlan } from '../../../src/plan/plan.js'
import { observeWorld, type World } from '../../support/world.js'
import {
  ask,
  FAILED_OVER,
  HEALTHY,
  makeClusterWorld,
  makeHostWorld,
  makeRow,
  makeWorld,
  PROMOTED,
} from '../../support/worlds.js'

const FAILING_OVER: BackendState = { ...HEALTHY, replication_status: 'failing-over', frozen: true }
const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const RESET = { active_backend: 'reset' }
const STARTED = { service: { manager: 'systemd', state: 'started' } }
const STOPPED = { service: { manager: 'systemd', state: 'stopped' } }
const THAWED = { frozen: false }
const STATED = { ...THAWED, promoted: 'B' }
const CLUSTER = { cluster: 'c9@arrayA' }
const TO_C = { config: { promote: 'C' } }

async function listCodes(world: World, request: Request): Promise<readonly string[]> {
  return makePlan(request, await observeWorld(world, request), planConfig).refusals.map(({ code }) => code)
}

const down = (state: BackendState) => makeHostWorld(state, 'stopped', { file: PROMOTED })
const up = (state: BackendState) => makeHostWorld(state, 'started', { file: PROMOTED })
/** Its section has arrayB as a replica. */
const unpromoted = (state: BackendState) => makeHostWorld(state, 'stopped')
/** A cluster's row and two members, all of them down. */
const cluster = (...[row = HEALTHY, one = row, other = one]: readonly BackendState[]) => ({
  ...makeClusterWorld(row, one, other, 'stopped'),
  file: PROMOTED,
})

test.each<readonly [string, World, object, readonly string[]]>([
  [
    'a freeze while it fails over',
    down({ ...FAILING_OVER, frozen: false }),
    { frozen: true },
    ['failover_in_progress'],
  ],
  ['a start alone while it fails over', down(FAILING_OVER), STARTED, []],
  ['a stop while it fails over', up(FAILING_OVER), STOPPED, ['failover_in_progress']],
  [
    'a thaw after a start while it fails over',
    down(FAILING_OVER),
    { ...STARTED, ...THAWED },
    ['failover_in_progress', 'failed_over'],
  ],
  [
    'a freeze of a cluster of which one member fails over',
    cluster(HEALTHY, HEALTHY, FAILING_OVER),
    { ...CLUSTER, frozen: true },
    ['failover_in_progress'],
  ],
  ['what holds while it fails over', down({ ...FAILING_OVER, disabled: true }), { frozen: true }, []],
  ['a report while it fails over', down(FAILING_OVER), {}, []],

  [
    'a promotion of another array',
    unpromoted(FAILED_OVER),
    { ...RESET, config: { promote: 'Z' } },
    ['not_failed_over', 'not_promoted'],
  ],
  [
    'a promotion of another array that has a device',
    { ...unpromoted(FAILED_OVER), file: unpromoted(FAILED_OVER).file.replace('id:B', 'id:C') },
    TO_C,
    ['not_failed_over'],
  ],
  ['a promotion of a healthy backend', unpromoted(HEALTHY), { config: { promote: 'B' } }, ['not_failed_over']],
  ['a promotion of the array that it is on', unpromoted(FAILED_OVER), { ...RESET, config: { promote: 'B' } }, []],
  [
    'promote: true of a healthy backend with a start',
    down(FROZEN),
    { ...STARTED, config: { promote: true, options: { san_ip: 'ip-X' } } },
    ['not_failed_over'],
  ],

  ['a thaw without a reset', down(FAILED_OVER), { frozen: false }, ['failed_over']],
  ['a thaw after a start without a reset', up(FAILED_OVER), { ...STARTED, frozen: false }, ['failed_over']],
  ['replication enabled without a reset', down(FAILED_OVER), { replication: 'enabled' }, ['failed_over']],
  ['replication disabled without a reset', down(FAILED_OVER), { replication: 'disabled' }, ['failed_over']],
  [
    'replication of a cluster of which one member is failed over',
    cluster(HEALTHY, HEALTHY, FAILED_OVER),
    { ...CLUSTER, replication: 'disabled' },
    ['failed_over'],
  ],
  [
    'a thaw of a cluster of which one member is failed over',
    cluster(FROZEN, FROZEN, FAILED_OVER),
    { ...CLUSTER, frozen: false },
    ['failed_over'],
  ],
  ['a freeze of a backend that is failed over', down(UNFROZEN), { frozen: true }, []],
  ['a reset onto the old primary', unpromoted(FAILED_OVER), RESET, ['not_promoted']],
  ['a reset that nothing proves', down(FAILED_OVER), RESET, []],
  ['a reset that nothing proves, with a thaw', down(FAILED_OVER), { ...RESET, ...THAWED }, ['not_promoted']],
  ['a reset that nothing proves, with a service', down(FAILED_OVER), { ...RESET, ...STARTED }, ['not_promoted']],
  ['a statement about another failover', down(FAILED_OVER), { ...RESET, promoted: 'Z' }, ['not_promoted']],
  ['all of it with a reset', down(FAILED_OVER), { ...RESET, replication: 'enabled', ...STATED }, []],

  ['a reset of one that is not frozen', down(UNFROZEN), RESET, ['not_frozen']],
  ['a reset of one that is not frozen, with frozen: true', down(UNFROZEN), { ...RESET, frozen: true }, []],
  ['a reset of one that is not frozen, with frozen: false', down(UNFROZEN), { ...RESET, ...STATED }, []],
  [
    'a reset of a cluster whose members alone are frozen',
    cluster(UNFROZEN, FAILED_OVER),
    { ...CLUSTER, ...RESET },
    ['not_frozen'],
  ],
  ['a reset of a cluster whose row alone is frozen', cluster(FAILED_OVER, UNFROZEN), { ...CLUSTER, ...RESET }, []],
  ['a reset of a healthy backend that is not frozen', down(HEALTHY), RESET, []],

  ['a reset while it is up', up(FAILED_OVER), RESET, ['service_up']],
  ['a reset of a healthy backend while it is up', up(HEALTHY), RESET, []],
  ['a freeze while it is up', up(HEALTHY), { frozen: true }, []],
  ['a reset while it is up, with wait: true', up(FAILED_OVER), { ...RESET, wait: true }, []],
])('%s', async (_, world, document, codes) => {
  expect(await listCodes(world, ask(document))).toEqual(codes)
})

test('a member that is up, the last of them too, keeps a cluster from its reset', async () => {
  for (const name of ['vol1@arrayA', 'vol2@arrayA']) {
    const world = cluster(FAILED_OVER)
    world.rows = world.rows.map((row) => (row.name === name ? { ...row, beatAtMs: 0 } : row))
    expect(await listCodes(world, ask({ ...CLUSTER, ...RESET }))).toEqual(['service_up'])
  }
})

describe('where several hold', () => {
  test('they are listed in the order of the guards', async () => {
    const world = up({ ...UNFROZEN, replication_status: 'failing-over' })
    const request = ask({ ...RESET, config: { promote: 'Z' } })
    const codes = ['failover_in_progress', 'not_failed_over', 'not_promoted', 'not_frozen', 'service_up']
    expect(await listCodes(world, request)).toEqual(codes)
    expect(await listCodes(up(FAILING_OVER), ask({ frozen: false, replication: 'enabled' }))).toEqual([
      'failover_in_progress',
      'failed_over',
    ])
  })

  test('the order of the guards goes before that of the backends, and each names its own', async () => {
    const world = makeWorld(
      [
        makeRow('vol1@arrayA', FAILED_OVER, { beatAtMs: 0 }),
        makeRow('vol2@arrayA', UNFROZEN),
        makeRow('vol3@arrayA', FAILING_OVER),
      ],
      { file: PROMOTED },
    )
    const backends = [1, 2, 3].map((id) => ({ host: `vol${id}@arrayA` }))
    const request = ask({ backends, ...RESET })
    const { refusals } = makePlan(request, await observeWorld(world, request), planConfig)
    expect(refusals.map(({ code, target }) => [code, target.name])).toEqual([
      ['failover_in_progress', 'vol3@arrayA'],
      ['not_frozen', 'vol2@arrayA'],
      ['service_up', 'vol1@arrayA'],
    ])
  })
})

describe('what guards refuse and what stands in the way', () => {
  const obstacle = new AgentError('config_write_failed', 'It cannot be replaced.')
  const refusals = (['not_frozen', 'service_up'] as const).map((code) => ({
    code,
    target: { kind: 'cluster' as const, name: 'c9@arrayA' },
    problem: code,
    hint: '',
  }))
  const plan = { steps: [], needsRest: false, refusals, obstacle: undefined, section: undefined, warnings: [] }
  const caught = (work: () => unknown): AgentError => {
    try {
      work()
    } catch (error) {
      if (error instanceof AgentError) return error
    }
    throw new Error('nothing was refused')
  }

  test('the first refusal ends the run, and names its backend', () => {
    const error = caught(() => enforceGuards({ ...plan, obstacle }, ask({})))
    expect(error).toMatchObject({ code: 'not_frozen', details: { cluster: 'c9@arrayA' } })
  })

  test('force passes all refusals, and tells them', () => {
    expect(enforceGuards(plan, ask({ force: true, frozen: true }))).toBe(refusals)
  })

  test('an obstacle ends the run with force too', () => {
    for (const force of [true, false])
      expect(caught(() => enforceGuards({ ...plan, refusals: [], obstacle }, ask({ force })))).toBe(obstacle)
    expect(caught(() => enforceGuards({ ...plan, obstacle }, ask({ force: true })))).toBe(obstacle)
  })
})
