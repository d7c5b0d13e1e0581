import type { Scope, Table } from '../model/backend.js'
import type { Deadline } from './deadline.js'
import type { OpenOptions } from './engine.js'
import { isConnectionLost } from './mysql-errors.js'
import { makeConnector, type Session } from './mysql-session.js'
import { parseNames, parseRows } from './rows.js'
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
  age: 'TIMESTAMPDIFF(MICROSECOND, t.updated_at, UTC_TIMESTAMP(6))',
  utcNow: 'UTC_TIMESTAMP()',
  text: (time) => `CAST(${time} AS CHAR)`,
  same: '<=>',
  isIn: (column) => `CONVERT(${column} USING utf8mb4) IN (?)`,
}

/** InnoDB gives up on a row after this; the retry, which a signal can end, waits longer. */
const LOCK_WAIT_S = 5

// Under SERIALIZABLE, which a server may have as its default, a plain SELECT in a transaction locks every row that it looks at.
const SET_ISOLATION = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'

/** The two tables in MySQL or MariaDB. The first statement connects, and so does the next one after a loss. */
export function openMysql(url: DatabaseUrl, options: OpenOptions): Store {
  const { query, end, isConnected } = makeReconnectingQuery(makeConnector(url, options))
  const readRows = async (targets: Scope, deadline: Deadline) =>
    parseRows(await query(makeReadStatement(DIALECT, targets), deadline))
  return {
    read: async (targets, deadline) => {
      if (options.readOnly) {
        await query(toStatement(SET_ISOLATION), deadline)
        await query(toStatement('START TRANSACTION READ ONLY'), deadline)
      }
      return readRows(targets, deadline)
    },
    listNames: async (table: Table, deadline) => parseNames(await query(makeNamesStatement(table), deadline)),
    change: async (work, deadline) => {
      const command = (sql: string) => query(toStatement(sql), deadline)
      const lockWait = Math.min(LOCK_WAIT_S, Math.ceil(deadline.remainingMs() / 1000))
      await command(`SET SESSION innodb_lock_wait_timeout = ${Math.max(1, lockWait)}`)
      await command(SET_ISOLATION)
      await command('START TRANSACTION')
      try {
        const result = await work(makeMysqlTransaction(query, readRows, deadline))
        await command('COMMIT')
        return result
      } catch (error) {
        if (isConnected()) await command('ROLLBACK').catch(() => {})
        throw error
      }
    },
    close: end,
  }
}

type Query = (statement: Statement, deadline: Deadline) => Promise<unknown>

/** Statements over one connection, made if there is none. After a loss it is closed, so that the server rolls back. */
function makeReconnectingQuery(connect: (deadline: Deadline) => Promise<Session>) {
  let session: Session | undefined
  const query: Query = async (statement, deadline) => {
    session ??= await connect(deadline)
    try {
      return await session.query(statement, deadline)
    } catch (error) {
      if (isConnectionLost(error)) {
        session.destroy()
        session = undefined
      }
      throw error
    }
  }
  return { query, isConnected: () => session !== undefined, end: async () => session?.end() }
}

function makeMysqlTransaction(query: Query, readRows: Store['read'], deadline: Deadline): Transaction {
  return {
    // One row a statement: with `id IN (…)` the optimizer may prefer to scan, and so lock, the whole table.
    lock: async (rows) => {
      for (const { table, id } of rows)
        await query({ sql: `SELECT id FROM ${table} WHERE id = ? FOR UPDATE`, values: [id] }, deadline)
    },
    read: (targets) => readRows(targets, deadline),
    update: async (change) => countUpdated(await query(makeUpdateStatement(DIALECT, change), deadline)) === 1,
  }
}

function toStatement(sql: string): Statement {
  return { sql, values: [] }
}

/** From the header that mysql2 returns for an UPDATE. */
function countUpdated(header: unknown): unknown {
  return typeof header === 'object' && header !== null && 'affectedRows' in header ? header.affectedRows : undefined
}
