import type {
  BackendDocument,
  ConfigResult,
  ErrorDocument,
  MemberDocument,
  ResultDocument,
} from '../contract.generated.js'
import { AgentError } from '../errors.js'
import { changesOf, isUp, rowsOf } from '../plan/backend.js'
import type { BackendPlan, ConfigPlan, Plan, Row, RowChange } from '../types.js'
import { configDiff } from './config-diff.js'
import { rowDiff } from './diff.js'
import { message } from './message.js'

export interface ReportOptions {
  readonly checkMode: boolean
  readonly diff: boolean
  /** Seconds. */
  readonly serviceDownTime: number
  readonly warnings: readonly string[]
  /** The copy of cinder.conf that was left beside it. */
  readonly backup?: string | undefined
  /** Whether cinder.conf was changed by now. */
  readonly configDone?: boolean
}

/** The result of a run that did what its plan says, or in check mode would do it. */
export function success(
  plan: Plan,
  { checkMode, diff, serviceDownTime, warnings, backup }: ReportOptions,
): ResultDocument {
  const edits = plan.flatMap(({ actions, config }) => (config && actions.includes('update_config') ? [config] : []))
  return {
    changed: plan.some(({ actions }) => actions.length > 0),
    failed: false,
    msg: message(plan, checkMode, serviceDownTime),
    backends: plan.map((each) => backendDocument(each, serviceDownTime, backup)),
    ...(diff && { diff: [...edits.map(configDiff), ...changesOf(plan).map(rowDiff)] }),
    warnings: [...warnings, ...edits.flatMap((edit) => edit.warnings), ...forced(plan)],
  }
}

/** The guards that were passed over: with one that was not, there would be no success. */
function forced(plan: Plan): readonly string[] {
  return plan.flatMap(({ refusals }) => refusals.map(({ code, problem }) => `Forced past ${code}: ${problem}`))
}

/** The result of a run that failed, and changed nothing unless a commit is in doubt; what was seen by then is told all the same. */
export function failure(error: unknown, seen: Plan, options: Omit<ReportOptions, 'checkMode'>): ResultDocument {
  const known = error instanceof AgentError ? error : unexpected(error)
  const { host, cluster, hint } = known.details
  const document: ErrorDocument = {
    code: known.code,
    ...(host !== undefined && { host }),
    ...(cluster !== undefined && { cluster }),
    ...(hint !== undefined && { hint }),
  }
  return {
    changed: known.details.unconfirmed === true || options.configDone === true,
    failed: true,
    msg: known.message,
    backends: seen.map((each) =>
      backendDocument(undone(each, options.configDone === true), options.serviceDownTime, options.backup),
    ),
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

/** The plan as far as it was done: nothing, or cinder.conf alone. */
function undone({ backend, actions, config }: BackendPlan, configDone: boolean): BackendPlan {
  const done = configDone ? actions.filter((action) => action === 'update_config') : []
  return {
    backend,
    actions: done,
    config: configDone ? config : undefined,
    rows: rowsOf(backend).map((row) => ({ row, after: row.state })),
    refusals: [],
  }
}

function backendDocument(
  { backend, actions, rows, config }: BackendPlan,
  serviceDownTime: number,
  backup: string | undefined,
): BackendDocument {
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
    ...(config !== undefined && { config: configResult(config, backup) }),
    ...(cluster !== undefined && { members: members.map((each) => memberDocument(each, serviceDownTime)) }),
  }
}

function configResult({ file, section, options }: ConfigPlan, backup: string | undefined): ConfigResult {
  return { file, section, options: [...options], ...(backup !== undefined && { backup }) }
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
