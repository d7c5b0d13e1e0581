/**
 * Cinder's two tables, services and clusters, in SQLite and MySQL. sqlite.ts and mysql.ts are twins behind the port below, and statements.ts
 * holds the SQL of both. Imports model/ and text/ alone.
 *
 * Promised: values are bound parameters; rows are locked and updated by primary key; an update demands the values that the plan was made
 * from; updated_at, the heartbeat, is never written; reading never writes to an SQLite file; a turn to the database ends at its deadline,
 * and a COMMIT that was sent COMMIT_GRACE_MS later; every failure is an AgentError without a secret in it.
 * Not promised: that a COMMIT whose answer is lost was done, or was not; its error has `unconfirmed`.
 */
import type { Row, RowChange, Scope, Table } from '../model/backend.js'
import type { Deadline } from './deadline.js'

/** One transaction, within the deadline of its `Store.change`. It is committed when the work returns, and rolled back when the work throws. */
export interface Transaction {
  /** Locks these rows, by primary key, until the transaction ends. */
  lock(rows: readonly Row[]): Promise<void>
  read(targets: Scope): Promise<readonly Row[]>
  /** Writes the columns that differ; false if the row no longer holds what the change was planned from. */
  update(change: RowChange): Promise<boolean>
}

/** Cinder's tables. Every method throws an AgentError; a transient one may be tried again (retry.ts). */
export interface Store {
  /** The rows that the targets name, with their clusters and all members of those: one statement, no locks. */
  read(targets: Scope, deadline: Deadline): Promise<readonly Row[]>
  /** The names of all volume backends, to offer similar ones. */
  listNames(table: Table, deadline: Deadline): Promise<readonly string[]>
  change<T>(work: (transaction: Transaction) => Promise<T>, deadline: Deadline): Promise<T>
  close(): Promise<void>
}
