import { ACTIONS } from '../model/actions.js'
import {
  type BackendName,
  isSameState,
  listRows,
  makeRowKey,
  type Row,
  type RowChange,
  withStates,
} from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import { observeRows } from '../observe/observe.js'
import { type Deadline, startDeadline } from '../store/deadline.js'
import { retry } from '../store/retry.js'
import type { Transaction } from '../store/store.js'
import { quote } from '../text/quote.js'
import type { StepResult, StepTools } from './step.js'

type WriteRows = Extract<Step, { readonly kind: 'write_rows' }>

/** The names that a message lists. */
const MOST_NAMED = 3

const DATABASE_ERRORS: ReadonlySet<string> = new Set(['connection_failed', 'timeout', 'interrupted', 'busy'])

/** For a last look after the deadline. */
const LOOK_UP_S = 2

/** What one try came to, once it is committed. */
type Attempt = Pick<StepResult, 'done' | 'observation' | 'isFinal' | 'unconfirmed'>

/**
 * Writes the rows in one transaction. The rows are locked, and the plan is made again on what they hold then, because they may have changed since
 * they were read. Nothing is written if the new plan begins with another step. Errors: those of `judge` and of the store, conflict.
 */
export async function writeRows(step: WriteRows, observation: Observation, tools: StepTools): Promise<StepResult> {
  const { request, store, signal, onProgress } = tools
  onProgress(`writing the rows: ${step.actions.map((action) => ACTIONS[action].step).join(', ')}`)
  let planned = step
  /** What a commit may have written whose answer never came. */
  let lost: WriteRows | undefined
  let latest = observation
  const attempt = async (deadline: Deadline): Promise<Attempt> => {
    let written: WriteRows | undefined
    try {
      return await store.change(async (transaction) => {
        const locked = await lockRows(transaction, planned)
        const seen = await observeRows(latest, () => transaction.read(request.targets), tools)
        latest = seen
        if (lost !== undefined && mayBeOwn(lost, seen)) return claim(lost, seen, tools)
        const { steps } = tools.judge(seen)
        const [next] = steps
        if (next?.kind !== 'write_rows') return { done: undefined, observation: seen, isFinal: next === undefined }
        planned = next
        if (!listBackendRows(next).every((row) => locked.has(makeRowKey(row)))) throw makeConflictError(next)
        const stamped = withTimes(next)
        await updateRows(transaction, stamped)
        written = stamped
        return { done: stamped, observation: withWritten(seen, stamped), isFinal: steps.length === 1 }
      }, deadline)
    } catch (error) {
      if (isAnswerLost(error)) lost = written ?? lost
      throw error
    }
  }
  try {
    return await retry(request.timeout, signal, attempt)
  } catch (error) {
    if (lost === undefined) throw error
    return lookUp(lost, error, latest, tools)
  }
}

/** Once more after the deadline: the rows tell whether a change whose answer was lost was made. */
async function lookUp(
  lost: WriteRows,
  error: unknown,
  observation: Observation,
  tools: StepTools,
): Promise<StepResult> {
  let seen = observation
  try {
    seen = await observeRows(seen, () => tools.store.read(tools.request.targets, startDeadline(LOOK_UP_S)), tools)
    if (mayBeOwn(lost, seen)) return claim(lost, seen, tools)
  } catch {
    // The first error is the one to report.
  }
  return {
    done: undefined,
    observation: seen,
    mayBeDone: true,
    unconfirmed: listTargets(lost),
    error: withLostAnswer(error),
  }
}

/** All rows of the backends that change, because the plan for one row of a cluster depends on the others. */
function listBackendRows({ changes }: WriteRows): readonly Row[] {
  return changes.flatMap(({ backend }) => listRows(backend))
}

/** Locks rows always in the same order, so that two runs never wait for each other. */
async function lockRows(transaction: Transaction, step: WriteRows): Promise<ReadonlySet<string>> {
  const rows = [...listBackendRows(step)].sort((a, b) => a.table.localeCompare(b.table) || a.id - b.id)
  await transaction.lock(rows)
  return new Set(rows.map(makeRowKey))
}

async function updateRows(transaction: Transaction, step: WriteRows): Promise<void> {
  for (const change of step.changes.flatMap(({ rows }) => rows))
    if (!(await transaction.update(change))) throw makeConflictError(step)
}

/** The changes with the time that each writes, so that the run knows its own changes again. */
function withTimes(step: WriteRows): WriteRows {
  const stamp = (change: RowChange): RowChange =>
    change.modifiedAt === undefined && setsTime(change) ? { ...change, modifiedAt: change.row.readAt } : change
  return { ...step, changes: step.changes.map((change) => ({ ...change, rows: change.rows.map(stamp) })) }
}

/** `modified_at` goes with `disabled` (cinder/db/sqlalchemy/api.py, service_update). */
function setsTime({ row, after }: RowChange): boolean {
  return row.table === 'services' && row.state.disabled !== after.disabled
}

function withWritten(observation: Observation, { changes }: WriteRows): Observation {
  const states = new Map(changes.flatMap(({ rows }) => rows.map(({ row, after }) => [makeRowKey(row), after] as const)))
  return { ...observation, backends: observation.backends.map((backend) => withStates(backend, states)) }
}

/** Whether a COMMIT was sent whose answer never came. */
function isAnswerLost(error: unknown): boolean {
  return error instanceof AgentError && error.details.unconfirmed === true
}

/** Whether the rows hold what the lost commit would have written. Another time in `modified_at` proves that another run wrote them. */
function mayBeOwn({ changes }: WriteRows, { backends }: Observation): boolean {
  const found = new Map(backends.flatMap((backend) => listRows(backend).map((row) => [makeRowKey(row), row] as const)))
  return changes.every(({ rows }) =>
    rows.every((change) => {
      const row = found.get(makeRowKey(change.row))
      if (row === undefined || !isSameState(row.state, change.after)) return false
      return !setsTime(change) || row.modifiedAt === change.modifiedAt
    }),
  )
}

/** The rows are as wanted, but another run may have written them in the same second. */
function claim(lost: WriteRows, seen: Observation, { judge }: StepTools): Attempt {
  return { done: lost, observation: seen, isFinal: judge(seen).steps.length === 0, unconfirmed: listTargets(lost) }
}

function listTargets({ changes }: WriteRows): readonly BackendName[] {
  return changes.map(({ backend: { target } }) => ({ kind: target.kind, name: target.name }))
}

/** What a guard says of the rows as they are now comes first; the warnings have the lost answer then. */
function withLostAnswer(error: unknown): unknown {
  if (!(error instanceof AgentError) || !DATABASE_ERRORS.has(error.code)) return error
  return new AgentError(
    error.code,
    `The answer to the commit was lost, so the change may have been made: ${error.problem}`,
    {
      ...error.details,
      hint: 'Run it again. It checks what was done, and does the rest.',
    },
  )
}

function makeConflictError({ changes }: WriteRows): AgentError {
  const names = changes
    .slice(0, MOST_NAMED)
    .map(({ backend }) => quote(backend.target.name))
    .join(', ')
  return new AgentError('conflict', `The rows of ${names} kept changing during the run.`, {
    hint: 'Find out who else changes them, then run this again.',
    transient: true,
  })
}
