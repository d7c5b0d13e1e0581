import type { ResultSetHeader, RowDataPacket } from 'mysql2'
import type { Scope, Table } from '../model/backend.js'
import type { OpenOptions } from './engine.js'
import { connectionIsLost } from './mysql-errors.js'
import { connector, type Session } from './mysql-session.js'
import { toRow } from './rows.js'
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
  age: 'TIMESTAMPDIFF(MICROSECOND, t.updated_at, UTC_TIMESTAMP(6))',
  utcNow: 'UTC_TIMESTAMP()',
  text: (column) => `CAST(${column} AS CHAR)`,
  same: '<=>',
  isIn: (column) => `CONVERT(${column} USING utf8mb4) IN (?)`,
}

/** Seconds after which InnoDB gives up waiting for a row, so that waiting is the retry's, which knows when to stop. */
const LOCK_WAIT = 5

// Under SERIALIZABLE, which a server may have as its default, a plain SELECT in a transaction locks every row that it looks at.
const ISOLATION = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'

/** The two tables in MySQL or MariaDB. The connection is made with the first statement, and again after it was lost. */
export function openMysql(url: DatabaseUrl, options: OpenOptions): Store {
  const { query, end, connected } = reconnecting(connector(url, options))
  const run = (sql: string) => query({ sql, values: [] })
  const read = async (targets: Scope) => {
    const rows = (await query(readStatement(DIALECT, targets))) as RowDataPacket[] // a SELECT returns rows
    return rows.map((row) => toRow(row as unknown as ReadRow)) // with the columns that the statement names
  }
  return {
    read: async (targets) => {
      if (!options.readOnly) return read(targets)
      await run(ISOLATION)
      await run('START TRANSACTION READ ONLY')
      return read(targets)
    },
    names: async (table: Table) => {
      const rows = (await query(namesStatement(table))) as RowDataPacket[] // a SELECT returns rows
      return rows.map((row) => String(row['name']))
    },
    change: async (work) => {
      await run(`SET SESSION innodb_lock_wait_timeout = ${Math.min(LOCK_WAIT, options.timeout)}`)
      await run(ISOLATION)
      await run('START TRANSACTION')
      try {
        const done = await work(transaction(query, read))
        await run('COMMIT')
        return done
      } catch (error) {
        if (connected()) await run('ROLLBACK').catch(() => {})
        throw error
      }
    },
    close: end,
  }
}

type Query = (statement: Statement) => Promise<unknown>

/** Statements over one connection, which is made when there is none. One that is lost to us is hung up, so that the server rolls back. */
function reconnecting(connect: () => Promise<Session>) {
  let session: Session | undefined
  const query: Query = async (statement) => {
    session ??= await connect()
    try {
      return await session.query(statement)
    } catch (error) {
      if (connectionIsLost(error)) {
        session.destroy()
        session = undefined
      }
      throw error
    }
  }
  return { query, connected: () => session !== undefined, end: async () => session?.end() }
}

function transaction(query: Query, read: Transaction['read']): Transaction {
  return {
    // One row a statement: with `id IN (…)` the optimizer may prefer to scan, and so lock, the whole table.
    lock: async (rows) => {
      for (const { table, id } of rows)
        await query({ sql: `SELECT id FROM ${table} WHERE id = ? FOR UPDATE`, values: [id] })
    },
    read,
    update: async (change) => {
      const header = (await query(updateStatement(DIALECT, change))) as ResultSetHeader // an UPDATE returns a header
      return header.affectedRows === 1
    },
  }
}
