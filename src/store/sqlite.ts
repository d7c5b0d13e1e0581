import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Row, Table } from '../model/backend.js'
import { AgentError, getErrorCode } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { OpenOptions } from './engine.js'
import { interrupted } from './retry.js'
import { toRow } from './rows.js'
import { loadDriver } from './sqlite-driver.js'
import {
  type Dialect,
  namesStatement,
  type ReadRow,
  readStatement,
  type Statement,
  updateStatement,
} from './statements.js'
import type { Store, Transaction } from './store.js'
import type { DatabaseUrl } from './url.js'

const DIALECT: Dialect = {
  age: "CAST((julianday('now') - julianday(t.updated_at)) * 86400e6 AS INTEGER)",
  utcNow: "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
  text: (column) => column,
  same: 'IS',
  isIn: (column) => `${column} IN (SELECT value FROM json_each(?))`,
}

/** Milliseconds that SQLite itself waits for a lock; longer waits are the retry's, which a signal can end. */
const BUSY_TIMEOUT = 250

/** A journal or a WAL that reading alone may not touch. */
const NEEDS_CLEANING = /^SQLITE_(READONLY_(ROLLBACK|RECOVERY|CANTINIT|CANTLOCK|DIRECTORY)|CANTOPEN)/

/** The two tables in an SQLite file. Reading never writes to it, and a file that is not there is not made. */
export function openSqlite(url: DatabaseUrl, { readOnly, signal, warn }: OpenOptions): Store {
  for (const name of url.parameters.keys()) {
    if (name !== 'timeout') warn(`The connection's parameter ${quote(name)} is ignored.`)
  }
  const path = filePath(url)
  const Driver = loadDriver()
  mustExist(path)
  let db: Database | undefined
  const open = (readonly: boolean) => {
    if (db === undefined || db.readonly !== readonly) {
      db?.close()
      db = guarded(path, () => new Driver(path, { readonly, fileMustExist: true, timeout: BUSY_TIMEOUT }))
    }
    return db
  }
  return {
    read: async (targets) => {
      const statement = readStatement(DIALECT, targets)
      return rowsOf(readOnly ? all(open(true), path, statement) : readEitherWay(open, path, statement))
    },
    names: async (table: Table) =>
      all(open(db?.readonly ?? true), path, namesStatement(table)).map((row) => (row as { name: string }).name),
    change: async (work) => {
      const writable = open(false)
      if (signal.aborted) throw interrupted()
      guarded(path, () => writable.exec('BEGIN IMMEDIATE'))
      try {
        const done = await work(transaction(writable, path))
        guarded(path, () => writable.exec('COMMIT'))
        return done
      } catch (error) {
        if (writable.inTransaction) writable.exec('ROLLBACK')
        throw error
      }
    },
    close: async () => {
      db?.close()
    },
  }
}

function transaction(db: Database, path: string): Transaction {
  return {
    // BEGIN IMMEDIATE has locked the file; SQLite has no locks on rows.
    lock: async () => {},
    read: async (targets) => rowsOf(all(db, path, readStatement(DIALECT, targets))),
    update: async (change) => {
      const { sql, values } = updateStatement(DIALECT, change)
      return guarded(path, () => db.prepare(sql).run(...values).changes === 1)
    },
  }
}

function rowsOf(read: readonly unknown[]): readonly Row[] {
  return read.map((row) => toRow(row as ReadRow)) // the columns that the statement names
}

function all(db: Database, path: string, { sql, values }: Statement): readonly unknown[] {
  const bound = values.map((value) => (Array.isArray(value) ? JSON.stringify(value) : value))
  return guarded(path, () => db.prepare(sql).all(...bound))
}

/** Reads without write access, except where SQLite must first clean up after a writer that died. */
function readEitherWay(open: (readonly: boolean) => Database, path: string, statement: Statement): readonly unknown[] {
  try {
    return all(open(true), path, statement)
  } catch (error) {
    if (!(error instanceof AgentError && NEEDS_CLEANING.test(getErrorCode(error.cause) ?? ''))) throw error
    return all(open(false), path, statement)
  }
}

function filePath({ database, parameters, host, username }: DatabaseUrl): string {
  const form = 'Write sqlite:////absolute/path or sqlite:///relative/path.'
  if (host !== undefined || username !== undefined) {
    throw new AgentError('invalid_request', 'An SQLite URL has neither user nor host.', { hint: form })
  }
  if (database === '' || database === ':memory:' || parameters.get('uri') !== undefined) {
    throw new AgentError('invalid_request', 'The SQLite URL names no file.', { hint: form })
  }
  return resolve(database)
}

function mustExist(path: string): void {
  try {
    if (!statSync(path).isFile()) throw new AgentError('connection_failed', `${quote(path)} is not a regular file.`)
    accessSync(path, constants.R_OK)
  } catch (error) {
    if (error instanceof AgentError) throw error
    if (getErrorCode(error) === 'EACCES') throw new AgentError('access_denied', `${quote(path)} may not be read.`)
    throw new AgentError('connection_failed', `There is no SQLite file ${quote(path)} (${getErrorCode(error)}).`, {
      hint: 'Correct the connection; the agent never makes a database.',
    })
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw translated(error, path)
  }
}

/** SQLite's result codes as those of the contract: https://sqlite.org/rescode.html */
function translated(cause: unknown, path: string): unknown {
  const code = getErrorCode(cause) ?? ''
  const text = cause instanceof Error ? quote(cause.message) : ''
  const file = quote(path)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const hint = 'Run it again when whoever holds the lock has finished.'
    return new AgentError('busy', `${file} stayed locked by another process.`, { hint, transient: true, cause })
  }
  if (/no such (table|column)/.test(text)) {
    const hint = "The connection must name Cinder's database, of Ocata or later."
    return new AgentError('schema_mismatch', `${file} lacks what the agent needs: ${text}.`, { hint, cause })
  }
  if (code.startsWith('SQLITE_NOTADB'))
    return new AgentError('schema_mismatch', `${file} is not an SQLite database.`, { cause })
  if (NEEDS_CLEANING.test(code)) {
    const hint = 'Run it once without check mode (--check), as a user who may write to the file and its folder.'
    return new AgentError(
      'connection_failed',
      `${file} cannot be read until what a writer left behind is cleaned up.`,
      { hint, cause },
    )
  }
  if (/^SQLITE_(READONLY|PERM|AUTH)/.test(code)) {
    const hint = 'Run the agent as a user who may write to the file and its folder.'
    return new AgentError('access_denied', `${file} may not be written: ${text}.`, { hint, cause })
  }
  if (code.startsWith('SQLITE_')) return new AgentError('connection_failed', `${file}: ${text} (${code}).`, { cause })
  return cause
}
