import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Scope, Table } from '../model/backend.js'
import { AgentError, getErrorCode } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { OpenOptions } from './engine.js'
import { interruptedError } from './retry.js'
import { parseNames, parseRows } from './rows.js'
import { loadDriver } from './sqlite-driver.js'
import {
  type Dialect,
  makeNamesStatement,
  makeReadStatement,
  makeUpdateStatement,
  type Statement,
} from './statements.js'
import type { Store, Transaction } from './store.js'
import type { DatabaseUrl } from './url.js'

const DIALECT: Dialect = {
  age: "CAST((julianday('now') - julianday(t.updated_at)) * 86400e6 AS INTEGER)",
  utcNow: "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
  text: (time) => time,
  same: 'IS',
  isIn: (column) => `${column} IN (SELECT value FROM json_each(?))`,
}

/** SQLite itself waits this long for a lock; the retry, which a signal can end, waits longer. */
const BUSY_TIMEOUT_MS = 250

/** A journal or a WAL that a read-only connection cannot read past. */
const NEEDS_CLEANING = /^SQLITE_(READONLY_(ROLLBACK|RECOVERY|CANTINIT|CANTLOCK|DIRECTORY)|CANTOPEN)/

/**
 * The two tables in an SQLite file. Reading never writes to the file, and a missing file is not made. Each call blocks for at most
 * BUSY_TIMEOUT_MS, so the deadline is the retry's alone.
 */
export function openSqlite(url: DatabaseUrl, { readOnly, signal, warn }: OpenOptions): Store {
  for (const name of url.parameters.keys()) {
    if (name !== 'timeout') warn(`The connection's parameter ${quote(name)} is ignored.`)
  }
  const path = parseFilePath(url)
  const Driver = loadDriver()
  requireFile(path)
  let db: Database | undefined
  const open = (readonly: boolean) => {
    if (db === undefined || db.readonly !== readonly) {
      db?.close()
      db = translateErrors(path, () => new Driver(path, { readonly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS }))
    }
    return db
  }
  return {
    read: async (targets) => {
      const statement = makeReadStatement(DIALECT, targets)
      return parseRows(readOnly ? selectAll(open(true), path, statement) : readEitherWay(open, path, statement))
    },
    listNames: async (table: Table) =>
      parseNames(selectAll(open(db?.readonly ?? true), path, makeNamesStatement(table))),
    change: async (work) => {
      const writable = open(false)
      if (signal.aborted) throw interruptedError()
      translateErrors(path, () => writable.exec('BEGIN IMMEDIATE'))
      try {
        const result = await work(makeSqliteTransaction(writable, path))
        translateErrors(path, () => writable.exec('COMMIT'), true)
        return result
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

function makeSqliteTransaction(db: Database, path: string): Transaction {
  return {
    // BEGIN IMMEDIATE has locked the file; SQLite has no locks on rows.
    lock: async () => {},
    read: async (targets: Scope) => parseRows(selectAll(db, path, makeReadStatement(DIALECT, targets))),
    update: async (change) => {
      const { sql, values } = makeUpdateStatement(DIALECT, change)
      return translateErrors(path, () => db.prepare(sql).run(...values).changes === 1)
    },
  }
}

function selectAll(db: Database, path: string, { sql, values }: Statement): readonly unknown[] {
  const bound = values.map((value) => (Array.isArray(value) ? JSON.stringify(value) : value))
  return translateErrors(path, () => db.prepare(sql).all(...bound))
}

/** Reads without write access, unless SQLite must first clean up after a writer that died. */
function readEitherWay(open: (readonly: boolean) => Database, path: string, statement: Statement): readonly unknown[] {
  try {
    return selectAll(open(true), path, statement)
  } catch (error) {
    if (!(error instanceof AgentError && NEEDS_CLEANING.test(getErrorCode(error.cause) ?? ''))) throw error
    return selectAll(open(false), path, statement)
  }
}

function parseFilePath({ database, parameters, host, username }: DatabaseUrl): string {
  const hint = 'Write sqlite:////absolute/path or sqlite:///relative/path.'
  if (host !== undefined || username !== undefined) {
    throw new AgentError('invalid_request', 'The SQLite URL has a user or a host.', { hint })
  }
  if (database === '' || database === ':memory:' || parameters.get('uri') !== undefined) {
    throw new AgentError('invalid_request', 'The SQLite URL names no file.', { hint })
  }
  return resolve(database)
}

function requireFile(path: string): void {
  try {
    if (!statSync(path).isFile()) throw new AgentError('connection_failed', `${quote(path)} is not a regular file.`)
    accessSync(path, constants.R_OK)
  } catch (error) {
    if (error instanceof AgentError) throw error
    const code = getErrorCode(error)
    if (code === 'EACCES') throw new AgentError('access_denied', `${quote(path)} cannot be read (${code}).`)
    throw new AgentError('connection_failed', `There is no SQLite file ${quote(path)} (${code}).`, {
      hint: 'Correct {connection}. The agent never makes a database.',
    })
  }
}

function translateErrors<T>(path: string, work: () => T, isCommit = false): T {
  try {
    return work()
  } catch (error) {
    throw translateSqliteError(error, path, isCommit)
  }
}

/** SQLite's result codes (https://sqlite.org/rescode.html) as those of the contract. */
function translateSqliteError(cause: unknown, path: string, isCommit: boolean): unknown {
  const code = getErrorCode(cause) ?? ''
  const text = cause instanceof Error ? quote(cause.message) : ''
  const file = quote(path)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const hint = 'Run it again when the lock is released.'
    return new AgentError('busy', `${file} is locked by another process.`, { hint, transient: true, cause })
  }
  if (/no such (table|column)/.test(text)) {
    const hint = "Set {connection} to Cinder's database, of Ocata or later."
    return new AgentError('schema_mismatch', `${file} lacks a table or column of Cinder's: ${text}.`, { hint, cause })
  }
  if (code.startsWith('SQLITE_NOTADB'))
    return new AgentError('schema_mismatch', `${file} is not an SQLite database.`, { cause })
  if (NEEDS_CLEANING.test(code)) {
    const hint = 'Run it once without {check}, as a user who can write to the file and its folder.'
    const problem = `${file} cannot be read read-only: a writer that died left a journal behind.`
    return new AgentError('connection_failed', problem, { hint, cause })
  }
  if (/^SQLITE_(READONLY|PERM|AUTH)/.test(code)) {
    const hint = 'Run the agent as a user who can write to the file and its folder.'
    return new AgentError('access_denied', `${file} cannot be written: ${text}.`, { hint, cause })
  }
  if (!code.startsWith('SQLITE_')) return cause
  return new AgentError('connection_failed', `${file}: ${text} (${code}).`, { unconfirmed: isCommit, cause })
}
