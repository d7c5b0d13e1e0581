import type { Row, RowChange, Target } from './model/backend.js'
import { keyOf, rowsOf } from './model/backend.js'
import { isUp, type Sightings, sighted, standsStill, stillTime } from './model/heartbeat.js'
import type { ServiceState, ServiceView } from './model/observation.js'
import type { Action, ConfigPlan, Plan, Refusal, Stages } from './model/plan.js'
import type { Request } from './model/request.js'
import { backendsOf } from './observe/backends.js'
import { guard } from './plan/guards.js'
import { type Circumstances, ORDER, planBackend, planStage } from './plan/plan.js'
import type { ServiceManager } from './service/manager.js'
import type { Store } from './store/store.js'

/** A request at work: what it works with, what was found, and how far it has come. */
export interface Work {
  readonly request: Request
  readonly store: Store
  readonly signal: AbortSignal
  /** Tells a person who watches what is being done. */
  readonly say: (text: string) => void
  readonly warn: (warning: string) => void
  /** Seconds. */
  readonly serviceDownTime: number
  config: ConfigPlan | undefined
  manager: ServiceManager | undefined
  service: ServiceView | undefined
  /** The rows as they were before this run changed any, and as they were last read or written. */
  before: readonly Row[]
  rows: readonly Row[]
  sightings: Sightings
  readonly done: Map<Target, Set<Action>>
  /** What this run itself wrote, by the keys of the rows: from before its first write to after its last. */
  readonly written: Map<string, RowChange>
  /** Guards that were passed over with `force`, by their codes. */
  readonly passed: Map<Target, Map<Refusal['code'], Refusal>>
  backup: string | undefined
}

export function began(work: Pick<Work, 'request' | 'store' | 'signal' | 'say' | 'warn' | 'serviceDownTime'>): Work {
  return {
    ...work,
    config: undefined,
    manager: undefined,
    service: undefined,
    before: [],
    rows: [],
    sightings: new Map(),
    done: new Map(),
    written: new Map(),
    passed: new Map(),
    backup: undefined,
  }
}

/** The backend that a request with `config` or `service` is about. */
export function soleTarget({ targets }: Request): Target | undefined {
  return targets === 'all' ? undefined : targets[0]
}

/** Takes note of rows that were read. */
export function saw(work: Work, rows: readonly Row[]): void {
  work.rows = rows
  if (work.done.size === 0) work.before = rows
  work.sightings = sighted(work.sightings, rows, performance.now())
}

/** Takes note of rows that this run wrote. */
export function wrote(work: Work, changes: readonly RowChange[]): void {
  for (const change of changes) {
    const key = keyOf(change.row)
    work.written.set(key, { ...change, row: work.written.get(key)?.row ?? change.row })
  }
}

export function sawState(work: Work, state: ServiceState): void {
  if (work.service !== undefined) work.service = { ...work.service, state }
}

export function did(work: Work, target: Target | undefined, actions: Iterable<Action>): void {
  for (const action of actions) {
    if (target !== undefined) work.done.set(target, (work.done.get(target) ?? new Set()).add(action))
  }
}

function hasDone(work: Work, action: Action): boolean {
  return [...work.done.values()].some((actions) => actions.has(action))
}

/** Throws what the first guard that refuses has to say; with `force` takes note of those that are passed over. */
export function judge(work: Work, plan: Plan): void {
  if (!work.request.force) guard(plan)
  for (const { backend, refusals } of plan) {
    const known = work.passed.get(backend.target) ?? new Map()
    for (const refusal of refusals) work.passed.set(backend.target, known.set(refusal.code, refusal))
  }
}

/** What is still to be done, from what is known by now. Errors: service_not_found, ambiguous_service, invalid_request. */
export function planNow(work: Work): Plan {
  // Where heartbeats are waited for, one that is young yet forbids nothing.
  const willBeDown = work.request.wait ? () => false : undefined
  const circumstances = circumstancesOf(work, willBeDown)
  return backendsOf(work.request.targets, work.rows).map((backend) => planBackend(backend, circumstances))
}

/** One writing of the tables, from what is known by now. Errors: those of planNow. */
export function stageNow(work: Work, stage: keyof Stages): Plan {
  const circumstances = circumstancesOf(work)
  return backendsOf(work.request.targets, work.rows).map((backend) => planStage(backend, stage, circumstances))
}

/**
 * The service that was stopped counts as down when its manager says so and its heartbeat stands still: the one that was stopped may not be
 * the one that beats. All others are judged by the age of theirs.
 */
export function circumstancesOf(work: Work, isUpThen?: Circumstances['isUp']): Circumstances {
  const { config, service, serviceDownTime, request } = work
  const isStopped = (row: Row) =>
    service?.state === 'stopped' &&
    row.name === service.host &&
    (standsStill(row, work.sightings, service, performance.now()) ||
      (!request.wait && (row.heartbeatAge ?? 0) > stillTime(service)))
  return {
    serviceDownTime,
    restore: request.restore,
    service,
    config: config && hasDone(work, 'update_config') ? { ...config, options: [], refusal: undefined } : config,
    isUp: isUpThen ?? ((row) => isUp(row, serviceDownTime) && !isStopped(row)),
  }
}

/** What has become of the backends, in the form of a plan: from the rows before to those now, by the actions done. */
export function outcome(work: Work): Plan {
  const { request, rows, before, done, service, config } = work
  const was = new Map(before.map((row) => [keyOf(row), row]))
  return backendsOf(request.targets, rows).map((backend) => {
    const actions = done.get(backend.target) ?? new Set()
    return {
      backend,
      actions: ORDER.filter((action) => actions.has(action)),
      rows: rowsOf(backend).map((row) => ({ row: was.get(keyOf(row)) ?? row, after: row.state })),
      refusals: [...(work.passed.get(backend.target)?.values() ?? [])],
      restarts: false,
      config:
        config && actions.has('update_config')
          ? config
          : config && { ...config, warnings: config.options.length > 0 ? [] : config.warnings, options: [] },
      service,
    }
  })
}
