import type { Row, RowChange, Scope, Table } from '../model/backend.js'

/** One transaction. It is committed when the work given to `Store.change` returns, and rolled back when that throws. */
export interface Transaction {
  /** Locks these rows, by primary key, until the transaction ends. */
  lock(rows: readonly Row[]): Promise<void>
  read(targets: Scope): Promise<readonly Row[]>
  /** Writes the columns that differ; false when the row no longer holds what the change was planned from. */
  update(change: RowChange): Promise<boolean>
}

/** Cinder's tables. Every method throws an AgentError; a transient one may be tried again. */
export interface Store {
  /** The rows that the targets name, with their clusters and all members of those: one statement, no locks. */
  read(targets: Scope): Promise<readonly Row[]>
  /** The names of all volume backends, to offer similar ones. */
  names(table: Table): Promise<readonly string[]>
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}
