import type { BackendDocument, ErrorDocument, MemberDocument, ResultDocument } from '../contract.generated.js'
import { AgentError } from '../errors.js'
import { changesOf, isUp, rowsOf } from '../plan/backend.js'
import type { BackendPlan, Plan, Row, RowChange } from '../types.js'
import { rowDiff } from './diff.js'
import { message } from './message.js'

export interface ReportOptions {
  readonly checkMode: boolean
  readonly diff: boolean
  /** Seconds. */
  readonly serviceDownTime: number
  readonly warnings: readonly string[]
}

/** The result of a run that did what its plan says, or in check mode would do it. */
export function success(plan: Plan, { checkMode, diff, serviceDownTime, warnings }: ReportOptions): ResultDocument {
  const changes = changesOf(plan)
  return {
    changed: changes.length > 0,
    failed: false,
    msg: message(plan, checkMode, serviceDownTime),
    backends: plan.map((each) => backendDocument(each, serviceDownTime)),
    ...(diff && { diff: changes.map(rowDiff) }),
    warnings: [...warnings, ...forced(plan)],
  }
}

/** The guards that were passed over: with one that was not, there would be no success. */
function forced(plan: Plan): readonly string[] {
  return plan.flatMap(({ refusals }) => refusals.map(({ code, problem }) => `Forced past ${code}: ${problem}`))
}

/** The result of a run that failed, and changed nothing unless a commit is in doubt; what was seen by then is told all the same. */
export function failure(
  error: unknown,
  seen: Plan,
  options: Pick<ReportOptions, 'diff' | 'serviceDownTime' | 'warnings'>,
): ResultDocument {
  const known = error instanceof AgentError ? error : unexpected(error)
  const { host, cluster, hint } = known.details
  const document: ErrorDocument = {
    code: known.code,
    ...(host !== undefined && { host }),
    ...(cluster !== undefined && { cluster }),
    ...(hint !== undefined && { hint }),
  }
  return {
    changed: known.details.unconfirmed === true,
    failed: true,
    msg: known.message,
    backends: seen.map((each) => backendDocument(undone(each), options.serviceDownTime)),
    ...(options.diff && { diff: [] }),
    warnings: [...options.warnings],
    error: document,
  }
}

/** A bug of ours. Its text is not shown, for nobody knows what is in it. */
function unexpected(error: unknown): AgentError {
  const kind = error instanceof Error ? error.name : typeof error
  const hint = 'Run it again with --verbose to see where, and report it.'
  return new AgentError('internal_error', `The agent hit a bug of its own (${kind}).`, { hint, cause: error })
}

function undone({ backend }: BackendPlan): BackendPlan {
  return { backend, actions: [], rows: rowsOf(backend).map((row) => ({ row, after: row.state })), refusals: [] }
}

function backendDocument({ backend, actions, rows }: BackendPlan, serviceDownTime: number): BackendDocument {
  const { target, cluster, services } = backend
  const [main, ...members] = rows
  if (main === undefined) throw new Error('a backend without rows')
  return {
    ...(target.kind === 'host' && { host: target.name }),
    ...(cluster !== undefined && { cluster: cluster.name }),
    binary: 'cinder-volume',
    changed: actions.length > 0,
    actions: [...actions],
    before: main.row.state,
    after: main.after,
    ...liveness(services, serviceDownTime),
    ...(cluster !== undefined && { members: members.map((each) => memberDocument(each, serviceDownTime)) }),
  }
}

function memberDocument({ row, after }: RowChange, serviceDownTime: number): MemberDocument {
  return { host: row.name, before: row.state, after, ...liveness([row], serviceDownTime) }
}

function liveness(services: readonly Row[], serviceDownTime: number): Pick<BackendDocument, 'state' | 'heartbeat_age'> {
  const ages = services.flatMap(({ heartbeatAge }) => heartbeatAge ?? [])
  return {
    state: services.some((row) => isUp(row, serviceDownTime)) ? 'up' : 'down',
    // A heartbeat from a clock that is ahead of the database's counts as one of this moment.
    heartbeat_age: ages.length === 0 ? null : Math.max(0, Math.floor(Math.min(...ages))),
  }
}
