import type { Row, RowChange, Scope } from './model/backend.js'
import { changesOf, keyOf, rowsOf } from './model/backend.js'
import { AgentError } from './model/errors.js'
import type { Plan } from './model/plan.js'
import type { Deadline } from './store/deadline.js'
import { retry } from './store/retry.js'
import type { Store, Transaction } from './store/store.js'

/** Rows as a plan. Throws what the run shall fail with: a name not found, a guard. */
export type Planner = (rows: readonly Row[]) => Plan

export interface WriteOptions {
  readonly targets: Scope
  /** Seconds that all tries may take together. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/**
 * Brings the plan into the tables, in one transaction. The rows are locked and planned again, since they may have changed after they
 * were read; what comes back is the plan that was written. It may be without changes: somebody else was quicker.
 * Errors: those of the planner and the store, conflict.
 */
export async function writeTables(store: Store, first: Plan, planner: Planner, options: WriteOptions): Promise<Plan> {
  let plan = first
  /** What a commit should have written whose answer never came. */
  let unconfirmed: Plan | undefined
  const attempt = async (deadline: Deadline) => {
    let written: Plan | undefined
    try {
      return await store.change(async (transaction) => {
        const locked = await lock(transaction, plan)
        plan = planner(await transaction.read(options.targets))
        const changes = changesOf(plan)
        if (unconfirmed !== undefined && changes.length === 0) return unconfirmed
        if (!changingRows(plan).every((row) => locked.has(keyOf(row)))) throw conflict(changes)
        for (const change of changes) if (!(await transaction.update(change))) throw conflict(changes)
        written = changes.length === 0 ? undefined : plan
        return plan
      }, deadline)
    } catch (error) {
      if (answerIsLost(error)) unconfirmed = written ?? unconfirmed
      throw error
    }
  }
  try {
    return await retry(options.timeout, options.signal, attempt)
  } catch (error) {
    throw unconfirmed === undefined ? error : inDoubt(error)
  }
}

/** Whether a commit that failed so may have been done all the same. */
function answerIsLost(error: unknown): boolean {
  return error instanceof AgentError && error.details.unconfirmed === true
}

function inDoubt(error: unknown): unknown {
  if (!(error instanceof AgentError)) return error
  return new AgentError(error.code, `The commit was sent, but its answer was lost: ${error.problem}`, {
    ...error.details,
    hint: 'Run it again: it finds out what was done, and does the rest.',
    unconfirmed: true,
  })
}

/** All rows of the backends that change, since the plan for one row of a cluster depends on the others. */
function changingRows(plan: Plan): readonly Row[] {
  return plan.filter(({ actions }) => actions.length > 0).flatMap(({ backend }) => rowsOf(backend))
}

/** Locks them always in the same order, so that two runs never wait for each other. */
async function lock(transaction: Transaction, plan: Plan): Promise<ReadonlySet<string>> {
  const rows = [...changingRows(plan)].sort((a, b) => a.table.localeCompare(b.table) || a.id - b.id)
  await transaction.lock(rows)
  return new Set(rows.map(keyOf))
}

function conflict(changes: readonly RowChange[]): AgentError {
  const names = [...new Set(changes.map(({ row }) => row.name))].slice(0, 3).join(', ')
  return new AgentError('conflict', `The rows of ${names} kept changing while the agent was about to change them.`, {
    hint: 'See who else works on them, then run it again.',
    transient: true,
  })
}
