import assert from 'node:assert/strict'
import { type BackendState, type Desired, isSameState, type RowChange, type Target } from '../../src/model/backend.js'
import { AgentError } from '../../src/model/errors.js'
import { isFailedOver } from '../../src/model/failover.js'
import type { Request } from '../../src/model/request.js'
import { toRequest } from '../../src/request/request.js'
import {
  cloneWorld,
  describeWorld,
  type Effect,
  Killed,
  makeConf,
  readPrimary,
  runInWorld,
  type World,
  type WorldRow,
  type WorldRun,
} from './world.js'

/**
 * Every small world there is, each run by the real loop on ports in memory: no database, no file, no clock but the world's own. The cases are in
 * several files of test/unit/execute/, which run side by side.
 */

export const STATES: readonly BackendState[] = [false, true].flatMap((disabled) =>
  (disabled ? [null, 'frozen', 'disk swap'] : [null]).flatMap((disabled_reason) =>
    ['enabled', 'disabled', 'failed-over', 'failing-over'].flatMap((replication_status) =>
      [null, 'B', 'Z'].flatMap((active_backend_id) =>
        [true, false].map((frozen) => ({ disabled, disabled_reason, replication_status, active_backend_id, frozen })),
      ),
    ),
  ),
)

export const FAILED_OVER: BackendState = {
  disabled: true,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: 'B',
  frozen: true,
}
export const HEALTHY: BackendState = {
  disabled: false,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: false,
}

export const DESIRED: readonly Desired[] = [undefined, 'reset' as const].flatMap((active_backend) =>
  [undefined, 'enabled' as const, 'disabled' as const].flatMap((replication) =>
    [undefined, true, false].map((frozen) => ({ active_backend, replication, frozen })),
  ),
)
export const SERVICES = [undefined, 'started', 'stopped'] as const

/** One of each kind. */
export const FEW_STATES: readonly BackendState[] = [
  HEALTHY,
  FAILED_OVER,
  { ...FAILED_OVER, frozen: false },
  { ...HEALTHY, frozen: true, disabled: true, disabled_reason: 'frozen' },
  { ...HEALTHY, disabled: true, disabled_reason: 'disk swap', replication_status: 'disabled' },
]

export const HOST = { kind: 'host', name: 'vol1@arrayA' } as const
export const CLUSTER = { kind: 'cluster', name: 'c9@arrayA' } as const

export function makeRequest(options: {
  readonly desired: Desired
  readonly service?: 'started' | 'stopped' | undefined
  readonly promote?: string | undefined
  readonly targets?: readonly Omit<Target, 'desired'>[]
  readonly force?: boolean
  readonly wait?: boolean
  readonly promoted?: string | undefined
}): Request {
  const { desired, service, promote, promoted, targets = [HOST], force = false, wait = service !== undefined } = options
  return {
    targets: targets.map(({ kind, name }) => ({ kind, name, desired, ...(promoted !== undefined && { promoted }) })),
    restore: undefined,
    source: {},
    config:
      promote === undefined
        ? undefined
        : {
            file: undefined,
            section: undefined,
            options: new Map(),
            devices: [
              new Map([
                ['backend_id', 'C'],
                ['san_ip', 'ip-C'],
                ['api_token', 't-C'],
              ]),
            ],
            promote,
            backup: false,
          },
    service:
      service === undefined
        ? undefined
        : { manager: 'systemd', name: undefined, state: service, timeout: 60, start: [], stop: [], status: [] },
    wait,
    waitTimeout: 20,
    checkMode: false,
    diff: false,
    force,
    serviceDownTime: 4,
    timeout: 30,
  }
}

/** The request of a document; about the first host if it names none. */
export function ask(document: object, check = false): Request {
  const isNamed = ['cluster', 'backends', 'restore'].some((key) => key in document)
  return toRequest(isNamed ? document : { host: HOST.name, ...document }, { check, diff: false })
}

/** A section that was promoted: its primary is B. */
export const PROMOTED = makeConf('B', ['C'])

const LONG_AGO_MS = -3_600_000

export function makeRow(name: string, state: BackendState, more: Partial<WorldRow> = {}): WorldRow {
  const id = Number(/\d+/.exec(name)?.[0])
  return {
    table: 'services',
    id,
    name,
    clusterName: null,
    state,
    beatAtMs: LONG_AGO_MS,
    reportCount: 7,
    ...more,
  }
}

export function makeWorld(rows: readonly WorldRow[], options: Partial<World> = {}): World {
  return {
    rows,
    file: makeConf('A', ['B']),
    service: 'stopped',
    serviceHost: 'vol1@arrayA',
    driverReplicates: true,
    timeMs: 500,
    ...options,
  }
}

/** A host whose cinder-volume runs, or was stopped long ago. */
export function makeHostWorld(state: BackendState, service: World['service'], options: Partial<World> = {}): World {
  const beatAtMs = service === 'started' ? 0 : LONG_AGO_MS
  return makeWorld([makeRow('vol1@arrayA', state, { beatAtMs })], { service, ...options })
}

/** One host in each of the states, with each desired state and service, whose cinder-volume runs or not. */
export function* listHostCases(
  states: readonly BackendState[],
  wanted: Omit<Parameters<typeof makeRequest>[0], 'desired' | 'service'>,
  options: Partial<World> = {},
): Generator<Case> {
  for (const state of states)
    for (const desired of DESIRED)
      for (const service of SERVICES)
        for (const running of ['started', 'stopped'] as const)
          yield {
            world: makeHostWorld(state, running, options),
            request: makeRequest({ desired, service, ...wanted }),
          }
}

export function makeClusterWorld(
  cluster: BackendState,
  one: BackendState,
  other: BackendState,
  service: World['service'],
): World {
  const clusterName = 'c9@arrayA'
  return makeWorld(
    [
      makeRow(clusterName, cluster, { table: 'clusters', beatAtMs: undefined }),
      makeRow('vol1@arrayA', one, { clusterName, beatAtMs: service === 'started' ? 0 : LONG_AGO_MS }),
      makeRow('vol2@arrayA', other, { clusterName }),
    ],
    { service },
  )
}

export const GUARDS = [
  'failover_in_progress',
  'not_failed_over',
  'not_promoted',
  'failed_over',
  'not_frozen',
  'service_up',
]

export function codeOf({ journal }: WorldRun): string | undefined {
  if (journal.error === undefined) return undefined
  if (journal.error instanceof AgentError) return journal.error.code
  throw journal.error
}

const actionsOf = ({ journal }: WorldRun) => journal.steps.flatMap(({ actions }) => [...actions])

/** What must hold of every effect of a run without force, judged without the planner. node:assert is quick enough for a million checks. */
function assertSafe(effects: readonly Effect[], before: World, request: Request): void {
  let file = before.file
  let running = before.service === 'started'
  const held = new Map<number, BackendState>()
  for (const effect of effects) {
    if (effect.kind === 'stop') running = false
    if (effect.kind === 'start') running = true
    if (effect.kind === 'file') {
      const primary = readPrimary(effect.text)
      const states = before.rows.map((row) => held.get(row.id) ?? row.state)
      if (primary !== readPrimary(file)) for (const state of states) assert.equal(state.active_backend_id, primary)
      assert.ok(!(running && request.service !== undefined))
      file = effect.text
    }
    if (effect.kind !== 'rows') continue
    for (const { row, after } of effect.changes) {
      held.set(row.id, after)
      assert.notEqual(row.state.replication_status, 'failing-over')
      assert.ok(!isSameState(row.state, after))
      assertSafeChange({ row, after }, request, running)
      if (isFailedOver(row.state) && !isFailedOver(after)) assertProven(row.state.active_backend_id, file, request)
    }
  }
}

function assertSafeChange({ row, after }: RowChange, request: Request, running: boolean): void {
  const target = request.targets === 'all' ? undefined : request.targets[0]
  const resets = isFailedOver(row.state) && !isFailedOver(after)
  if (resets) {
    assert.equal(target?.desired.active_backend, 'reset')
    assert.ok(!running || request.service === undefined)
    if (request.service?.state === 'started' && mustStayFrozen(row.state, target?.desired))
      assert.ok(after.frozen && after.disabled)
    return
  }
  const thaws = row.state.frozen === true && after.frozen === false
  if (thaws) assert.ok(!isFailedOver(row.state))
}

/** The primary is the array that the row was failed over to, unless the request touches nothing but the row, or states it. */
function assertProven(active: string | null, file: string, { targets, config, service }: Request): void {
  const [target] = targets === 'all' ? [] : targets
  assert.ok(!file.includes(`backend_id:${active},`))
  if (target?.promoted !== undefined) assert.ok(active === null || target.promoted === active)
  else if (config !== undefined || service !== undefined || target?.desired.frozen === false)
    assert.equal(readPrimary(file), active)
}

/** Until the start is proven a backend that is frozen, or whose freeze the request speaks of, stays frozen. */
function mustStayFrozen(state: BackendState, desired: Desired | undefined): boolean {
  return desired?.frozen !== undefined || state.frozen === true
}

export interface Case {
  readonly world: World
  readonly request: Request
}

/** Effects after which runs were killed so far: each case takes the next one, so that many alike take all of them. */
let killed = 0

/** The run, a check before it, a second run after it, and a kill after one of its effects with the next run. */
async function assertCase({ world, request }: Case): Promise<{ code: string | undefined; kills: number }> {
  const planned = cloneWorld(world)
  const check = await runInWorld(planned, { ...request, checkMode: true })
  assert.equal(describeWorld(planned), describeWorld(world))

  const after = cloneWorld(world)
  const run = await runInWorld(after, request)
  const code = codeOf(run)
  if (!request.force) assertSafe(run.effects, world, request)
  if (code !== undefined) {
    assert.ok(code === 'config_error' || (GUARDS.includes(code) && !request.force), code)
    assert.equal(codeOf(check), code)
    assert.equal(describeWorld(after), describeWorld(world))
    return { code, kills: 0 }
  }
  assert.equal(actionsOf(check).join(), actionsOf(run).join())

  const again = await runInWorld(after, request)
  assert.equal(codeOf(again), undefined)
  assert.equal(again.effects.length, 0)

  if (run.effects.length === 0) return { code, kills: 0 }
  const kill = 1 + (killed++ % run.effects.length)
  const rest = cloneWorld(world)
  await runInWorld(rest, request, { afterEffect: (count) => throwAt(count, kill) })
  const next = await runInWorld(rest, request)
  assert.equal(codeOf(next), undefined)
  assert.equal(describeWorld(rest), describeWorld(after))
  return { code, kills: 1 }
}

function throwAt(count: number, kill: number): void {
  if (count === kill) throw new Killed()
}

/** All cases, with a failing one in full, and the codes that they ended in. */
export async function assertAll(
  cases: Iterable<Case>,
): Promise<{ count: number; kills: number; outcomes: readonly string[] }> {
  let count = 0
  let kills = 0
  const outcomes = new Set<string>()
  for (const each of cases) {
    try {
      const outcome = await assertCase(each)
      count++
      kills += outcome.kills
      outcomes.add(outcome.code ?? 'done')
    } catch (error) {
      const { targets, config, service, force, wait } = each.request
      const request = JSON.stringify({ targets, promote: config?.promote, service: service?.state, force, wait })
      throw new Error(`${describeWorld(each.world)} ${request}: ${String(error)}`, { cause: error })
    }
  }
  return { count, kills, outcomes: [...outcomes].sort() }
}
