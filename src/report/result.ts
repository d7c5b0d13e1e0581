import { resolve } from 'node:path'
import type { Row, RowChange } from '../model/backend.js'
import { changesOf, differs } from '../model/backend.js'
import type {
  Action,
  BackendDocument,
  ConfigResult,
  DiffDocument,
  ErrorDocument,
  MemberDocument,
  ResultDocument,
  ServiceResult,
} from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { isUp } from '../model/heartbeat.js'
import type { ServiceView } from '../model/observation.js'
import type { BackendPlan, ConfigPlan, Plan } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { type Audience, wordHint } from '../text/hints.js'
import { configDiff } from './config-diff.js'
import { rowDiff } from './diff.js'
import { message } from './message.js'
import { editsIn, warningsOf } from './warnings.js'

export interface ReportOptions {
  readonly diff: boolean
  /** Seconds. */
  readonly serviceDownTime: number
  readonly warnings: readonly string[]
  /** The rows that this run itself changed. */
  readonly written: readonly RowChange[]
  /** The copy of cinder.conf that was left beside it. */
  readonly backup?: string | undefined
  /** Where the request had the database from. */
  readonly source: Request['source']
}

export interface FailureOptions extends ReportOptions {
  /** What had become of the backends by then. */
  readonly seen: Plan
  readonly audience: Audience
  /** What the same request would do now. */
  readonly pending: readonly Action[]
}

/** The result of a run that did what its plan says, or in check mode would do it. */
export function success(
  plan: Plan,
  request: Request,
  { diff, serviceDownTime, warnings, written, backup, source }: ReportOptions,
): ResultDocument {
  const { checkMode } = request
  return {
    changed: plan.some(({ actions }) => actions.length > 0),
    failed: false,
    msg: message(plan, { wants: wantsAnything(request), checkMode, serviceDownTime }),
    backends: plan.map((each) => backendDocument(each, serviceDownTime, backup)),
    ...(diff && { diff: diffOf(plan) }),
    warnings: [...warnings, ...warningsOf(plan)],
    ...undoOf(written, source),
  }
}

function wantsAnything({ targets, restore, config, service }: Request): boolean {
  if (restore !== undefined || config !== undefined || service !== undefined) return true
  return (
    targets !== 'all' && targets.some(({ desired }) => Object.values(desired).some((wanted) => wanted !== undefined))
  )
}

/** What puts back the rows that were changed; nothing where none were. What others changed meanwhile is not this run's to take back. */
function undoOf(
  written: readonly RowChange[],
  { connection: _, ...source }: ReportOptions['source'],
): Pick<ResultDocument, 'undo'> {
  const restore = written.filter(differs).map(({ row, after }) => ({
    [row.table === 'services' ? 'host' : 'cluster']: row.name,
    from: after,
    to: {
      ...row.state,
      ...(row.table === 'services' && row.state.disabled !== after.disabled && { modified_at: row.modifiedAt }),
    },
  }))
  const files = Object.fromEntries(
    Object.entries(source).map(([key, paths]) => [key, paths.map((path) => resolve(path))]),
  )
  return restore.length === 0 ? {} : { undo: { restore, ...files } }
}

function diffOf(plan: Plan): DiffDocument[] {
  return [...editsIn(plan).map(configDiff), ...changesOf(plan).map(rowDiff)]
}

/** The result of a run that failed; what was done and seen by then is told all the same. */
export function failure(error: unknown, { seen, pending, audience, ...options }: FailureOptions): ResultDocument {
  const known = error instanceof AgentError ? error : unexpected(error)
  const { host, cluster } = known.details
  const { hint: given } = known.details
  const hint = given === undefined ? undefined : wordHint(typeof given === 'object' ? given[audience] : given, audience)
  const done = [...new Set(seen.flatMap(({ actions }) => actions))]
  const document: ErrorDocument = {
    code: known.code,
    ...(host !== undefined && { host }),
    ...(cluster !== undefined && { cluster }),
    ...(hint !== undefined && { hint }),
    ...(done.length > 0 && { pending: [...new Set(pending)] }),
  }
  return {
    changed: known.details.unconfirmed === true || done.length > 0,
    failed: true,
    msg: (hint === undefined ? known.problem : `${known.problem} ${hint}`) + halfWay(done, pending, audience),
    backends: seen.map((each) => backendDocument(each, options.serviceDownTime, options.backup)),
    ...(options.diff && { diff: diffOf(seen) }),
    warnings: [...options.warnings, ...warningsOf(seen)],
    ...undoOf(options.written, options.source),
    error: document,
  }
}

function halfWay(done: readonly Action[], pending: readonly Action[], audience: Audience): string {
  if (done.length === 0) return ''
  const listed = (actions: readonly Action[]) =>
    actions.map((action) => (audience === 'command' ? action.replaceAll('_', ' ') : action)).join(', ')
  const next = pending.length === 0 ? 'would find nothing left to do' : `would go on with ${listed(pending)}`
  return ` Done so far: ${listed(done)}; the same ${audience} ${next}.`
}

/** A bug of ours. Its text is not shown, for nobody knows what is in it. */
function unexpected(error: unknown): AgentError {
  const kind = error instanceof Error ? error.name : typeof error
  const hint = 'Run it again with --verbose to see where, and report it.'
  return new AgentError('internal_error', `The agent hit a bug of its own (${kind}).`, { hint, cause: error })
}

function backendDocument(
  { backend, actions, rows, config, service }: BackendPlan,
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
    ...(service !== undefined && { service: serviceResult(service) }),
    ...(cluster !== undefined && { members: members.map((each) => memberDocument(each, serviceDownTime)) }),
  }
}

function configResult({ file, section, options }: ConfigPlan, backup: string | undefined): ConfigResult {
  return { file, section, options: [...options], ...(backup !== undefined && { backup }) }
}

function serviceResult({ manager, name, state }: ServiceView): ServiceResult {
  return { manager, name, state }
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
