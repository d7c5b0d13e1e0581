/**
 * report/ makes the result document from what a run has done. It is pure: a journal in, a document out.
 *
 * It may import model/, text/, plan/ (summaries and warnings) and the reading half of oslo/. It promises one shape for
 * success, failure and check mode, keys in the order of the contract, and no secret. Actions are labels here; nothing is decided by them.
 */

import { sortActions } from '../model/actions.js'
import { isChange, listRows, makeRowKey, type Row, type RowChange } from '../model/backend.js'
import type {
  Action,
  BackendDocument,
  DiffDocument,
  ErrorCode,
  ErrorDocument,
  MemberDocument,
  ResultDocument,
} from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { Journal } from '../model/journal.js'
import type { Observation } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { type BackendSummary, summarizeSteps } from '../plan/summary.js'
import { isShownUp } from '../plan/timing.js'
import { listStepWarnings } from '../plan/warnings.js'
import { type Audience, wordHint } from '../text/hints.js'
import { quote } from '../text/quote.js'
import { diffConfig } from './config-diff.js'
import { diffRow } from './diff.js'
import { makeMessage } from './message.js'
import { listRowsBeyondUndo, makeUndo } from './undo.js'

export interface ReportOptions {
  readonly diff?: boolean
  /** What was found before the run looked at any backend. */
  readonly warnings?: readonly string[]
  readonly audience: Audience
}

/** The result of a run, or in check mode of its plan. */
export function makeResult(journal: Journal, options: ReportOptions): ResultDocument {
  const { error, last } = journal
  if (error !== undefined) return makeFailure(error, options, journal)
  if (last === undefined) throw new Error('a run that succeeded without a look')
  const { request } = journal
  const summaries = summarize(journal, last)
  return {
    changed: summaries.some(({ actions }) => actions.length > 0),
    failed: false,
    msg: makeMessage(summaries, { wants: wantsAnything(request), checkMode: request.checkMode, observation: last }),
    ...makeBody(summaries, last, journal, options),
  }
}

/** The result of a run that failed, with all that was done and seen by then. */
export function makeFailure(error: unknown, options: ReportOptions, journal?: Journal): ResultDocument {
  const known = error instanceof AgentError ? error : makeInternalError(error)
  const { host, cluster, hint: plain } = known.details
  const hint = plain === undefined ? undefined : wordHint(plain, options.audience)
  const last = journal?.last
  const summaries = journal === undefined || last === undefined ? [] : summarize(journal, last)
  const done = sortActions(summaries.flatMap(({ actions }) => actions))
  const pending = sortActions((journal?.remaining ?? []).flatMap(({ actions }) => actions))
  const document: ErrorDocument = {
    code: known.code,
    ...(host !== undefined && { host }),
    ...(cluster !== undefined && { cluster }),
    ...(hint !== undefined && { hint }),
    ...(done.length > 0 && { pending: [...pending] }),
  }
  return {
    changed: done.length > 0 || journal?.mayBeChanged === true,
    failed: true,
    msg:
      (hint === undefined ? known.problem : `${known.problem} ${hint}`) +
      describeProgress(done, pending, journal, options),
    ...(journal === undefined || last === undefined
      ? { backends: [], ...(options.diff && { diff: [] }), warnings: [...(options.warnings ?? [])] }
      : makeBody(summaries, last, journal, options)),
    error: document,
  }
}

/** As long as nothing is done, the rows count as they were read last. */
function summarize({ steps, first, request }: Journal, last: Observation): readonly BackendSummary[] {
  const isUntouched = steps.length === 0
  return summarizeSteps(steps, { first: isUntouched ? last : (first ?? last), last, isDone: !request.checkMode })
}

type Body = Pick<ResultDocument, 'backends' | 'diff' | 'warnings' | 'undo' | 'unconfirmed'>

function makeBody(
  summaries: readonly BackendSummary[],
  last: Observation,
  journal: Journal,
  { diff, warnings = [], audience }: ReportOptions,
): Body {
  const { request, unconfirmed } = journal
  return {
    backends: summaries.map((each) => makeBackend(each, last, journal)),
    ...(diff && { diff: listDiffs(summaries) }),
    warnings: [
      ...warnings,
      ...listStepWarnings(summaries, request, last),
      ...journal.warnings,
      ...journal.passed.map(({ code, problem }) => `Forced past ${code}: ${problem}`),
      ...unconfirmed.map(({ name }) => warnOfUnconfirmed(name)),
      ...listRowsBeyondUndo(summaries, journal).map((name) => warnOfRowBeyondUndo(name)),
    ].map((warning) => wordHint(warning, audience)),
    ...makeUndo(summaries, journal),
    ...(unconfirmed.length > 0 && { unconfirmed: unconfirmed.map(({ kind, name }) => ({ [kind]: name })) }),
  }
}

function warnOfUnconfirmed(name: string): string {
  return `The answer to a commit was lost: this run may have written the rows of ${quote(name)}, or another run. No undo is given for them.`
}

function warnOfRowBeyondUndo(name: string): string {
  return `Somebody has changed ${quote(name)} since this run wrote its row, so no undo is given for it.`
}

function listDiffs(summaries: readonly BackendSummary[]): DiffDocument[] {
  const edits = summaries.flatMap(({ edit }) => edit ?? [])
  const changes = summaries.flatMap(listWrittenRows).filter(isChange)
  return [...edits.map(diffConfig), ...changes.map(diffRow)]
}

/** What the run wrote, from what it found. */
function listWrittenRows({ rows, written }: BackendSummary): readonly RowChange[] {
  const found = new Map(rows.map(({ row }) => [makeRowKey(row), row]))
  return written.map((change) => ({ ...change, row: found.get(makeRowKey(change.row)) ?? change.row }))
}

function wantsAnything({ targets, restore, config, service }: Request): boolean {
  if (restore !== undefined || config !== undefined || service !== undefined) return true
  return (
    targets !== 'all' && targets.some(({ desired }) => Object.values(desired).some((wanted) => wanted !== undefined))
  )
}

function describeProgress(
  done: readonly Action[],
  pending: readonly Action[],
  journal: Journal | undefined,
  { audience }: ReportOptions,
): string {
  if (done.length === 0 || journal === undefined) return ''
  const format = (actions: readonly Action[]) =>
    actions.map((action) => (audience === 'command' ? action.replaceAll('_', ' ') : action)).join(', ')
  const { refusal } = journal
  const next =
    refusal !== undefined
      ? `is refused now (${refusal.code})`
      : pending.length === 0
        ? 'would find nothing left to do'
        : `would go on with ${format(pending)}`
  return ` Done so far: ${format(done)}; the same ${audience} ${next}.${describePutBack(journal)}`
}

/** Errors after which the same request may be the wrong one. */
const ENDS_THE_JOB: ReadonlySet<string> = new Set<ErrorCode>(['conflict', 'failed_over'])

/** What a run leaves behind that must be put back if the job is not to go on. */
function describePutBack({ steps, last, error, refusal, backup }: Journal): string {
  const isOver = refusal !== undefined || (error instanceof AgentError && ENDS_THE_JOB.has(error.code))
  if (!isOver || last === undefined) return ''
  const wrote = (action: Action) => steps.some((step) => step.kind === 'write_rows' && step.actions.includes(action))
  // After a reset the old cinder.conf would lead cinder-volume back to the array that the backend was failed over from.
  const files = wrote('reset_active_backend')
    ? []
    : steps.flatMap((step) => (step.kind === 'update_config' ? step.edits : []))
  const froze = wrote('freeze')
  const isFrozen = last.backends.some((backend) => listRows(backend)[0]?.state.frozen)
  const stopped = steps.some(({ kind }) => kind === 'stop_service') && last.service?.state !== 'started'
  const left = [
    ...files.map(({ file }) => {
      const copy = backup ?? last.config?.oldCopies.find(({ original }) => original === file)?.file.path
      return `restore ${quote(file)}${copy === undefined ? '' : ` from ${quote(copy)}`}`
    }),
    ...(stopped ? ['start cinder-volume'] : []),
    ...(froze && isFrozen ? ['thaw the backend'] : []),
  ]
  return left.length === 0 ? '' : ` If that is not to go on, put back what this run did: ${left.join(', ')}.`
}

/** A bug. Its text is not shown, because nobody knows what is in it. */
function makeInternalError(error: unknown): AgentError {
  const kind = error instanceof Error ? error.name : typeof error
  return new AgentError('internal_error', `Internal error (${kind}).`, {
    hint: 'Run it again with --verbose to see the stack, and report it.',
    cause: error,
  })
}

function makeBackend(
  { backend, actions, rows, edit }: BackendSummary,
  last: Observation,
  journal: Journal,
): BackendDocument {
  const { target, cluster, services } = backend
  const [main, ...members] = rows
  if (main === undefined) throw new Error('a backend without rows')
  const { section, backup } = journal
  const { service } = last
  return {
    ...(target.kind === 'host' && { host: target.name }),
    ...(cluster !== undefined && { cluster: cluster.name }),
    binary: 'cinder-volume',
    changed: actions.length > 0,
    actions: [...actions],
    before: main.row.state,
    after: main.after,
    ...makeLiveness(services, last),
    ...(section !== undefined && {
      config: {
        file: section.file,
        section: section.name,
        options: [...(edit?.options ?? [])],
        ...(backup !== undefined && { backup }),
      },
    }),
    ...(service !== undefined && {
      service: { manager: service.manager, name: service.name, state: service.state },
    }),
    ...(cluster !== undefined && { members: members.map((each) => makeMember(each, services, last)) }),
  }
}

function makeMember({ row, after }: RowChange, services: readonly Row[], last: Observation): MemberDocument {
  const now = services.filter(({ id }) => id === row.id)
  return { host: row.name, before: row.state, after, ...makeLiveness(now, last) }
}

function makeLiveness(services: readonly Row[], last: Observation): Pick<BackendDocument, 'state' | 'heartbeat_age'> {
  const ages = services.flatMap(({ heartbeatAge }) => heartbeatAge ?? [])
  return {
    state: services.some((row) => isShownUp(row, last)) ? 'up' : 'down',
    // A heartbeat by a clock that is ahead of the database's counts as one of now.
    heartbeat_age: ages.length === 0 ? null : Math.max(0, Math.floor(Math.min(...ages))),
  }
}
