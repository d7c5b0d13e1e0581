import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { createConnection, type ResultSetHeader, type RowDataPacket } from 'mysql2'
import { AgentError } from '../errors.js'
import type { Store, Table, Target, Transaction } from '../types.js'
import type { OpenOptions } from './engine.js'
import { connectionLost, translated } from './mysql-errors.js'
import { mysqlOptions } from './options.js'
import { interrupted } from './retry.js'
import { toRow } from './rows.js'
import {
  type Dialect,
  namesStatement,
  type ReadRow,
  readStatement,
  type Statement,
  updateStatement,
  type Value,
} from './statements.js'
import { type DatabaseUrl, redacted } from './url.js'

const DIALECT: Dialect = {
  age: 'TIMESTAMPDIFF(MICROSECOND, t.updated_at, UTC_TIMESTAMP(6))',
  utcNow: 'UTC_TIMESTAMP()',
  same: '<=>',
  list: '(?)',
}

/** Seconds after which InnoDB gives up waiting for a row, so that waiting is the retry's, which knows when to stop. */
const LOCK_WAIT = 5

/** The two tables in MySQL or MariaDB. The connection is made with the first statement, and again after it was lost. */
export function openMysql(url: DatabaseUrl, options: OpenOptions): Store {
  const connect = connector(url, options)
  let session: Promise<Session> | undefined
  const query = async (statement: Statement) => {
    session ??= connect()
    try {
      return await (await session).query(statement)
    } catch (error) {
      if (connectionLost(error)) session = undefined
      throw error
    }
  }
  const run = (sql: string) => query({ sql, values: [] })
  const read = async (targets: readonly Target[]) => {
    const rows = (await query(readStatement(DIALECT, targets))) as RowDataPacket[] // a SELECT returns rows
    return rows.map((row) => toRow(row as unknown as ReadRow)) // with the columns that the statement names
  }
  return {
    read: async (targets) => {
      if (options.readOnly) await run('START TRANSACTION READ ONLY')
      return read(targets)
    },
    names: async (table: Table) =>
      ((await query(namesStatement(table))) as RowDataPacket[]).map((row) => String(row['name'])),
    change: async (work) => {
      await run(`SET SESSION innodb_lock_wait_timeout = ${Math.min(LOCK_WAIT, options.timeout)}`)
      // Under SERIALIZABLE, which a server may have as its default, a plain SELECT would lock every row that it looks at.
      await run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
      await run('START TRANSACTION')
      try {
        const done = await work(transaction(query, read))
        await run('COMMIT')
        return done
      } catch (error) {
        if (session !== undefined) await run('ROLLBACK').catch(() => {})
        throw error
      }
    },
    close: async () => {
      await (await session?.catch(() => undefined))?.end()
    },
  }
}

function transaction(query: (statement: Statement) => Promise<unknown>, read: Transaction['read']): Transaction {
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

interface Session {
  query(statement: Statement): Promise<unknown>
  end(): Promise<void>
}

function connector(url: DatabaseUrl, { timeout, signal, warn }: OpenOptions): () => Promise<Session> {
  const settings = mysqlOptions(url, warn)
  const server = redacted(url)
  const milliseconds = timeout * 1000
  return async () => {
    const connection = createConnection({
      ...settings,
      ...(settings.ssl?.verifyIdentity && isIP(settings.host) && { stream: () => socketToAddress(settings) }),
      charset: 'utf8mb4',
      connectTimeout: 0, // ours, below, covers the handshake too
      disableEval: true,
    } as Parameters<typeof createConnection>[0]) // readonly, and its type forbids the undefined that it allows
    connection.on('error', () => {}) // each statement reports its own
    /** One answer of the server's; a time-out or a signal cuts the connection, at which the server rolls back. */
    const answer = <T>(ask: (done: (error: unknown, result: T) => void) => void, kind?: 'lock' | 'commit') =>
      new Promise<T>((fulfil, reject) => {
        const cut = (error: AgentError) => {
          connection.destroy()
          finish(() => reject(error))
        }
        const onSignal = () => cut(interrupted())
        const timer = setTimeout(() => cut(tooSlow(server, timeout, kind === 'lock')), milliseconds)
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onSignal)
          settle()
        }
        if (kind !== 'commit') {
          if (signal.aborted) return onSignal()
          signal.addEventListener('abort', onSignal)
        }
        ask((error, result) =>
          finish(() => (error ? reject(translated(error, server, settings.password)) : fulfil(result))),
        )
      })
    await answer<void>((done) => connection.connect((error) => done(error)))
    return {
      query: ({ sql, values }) => answer((done) => connection.query(sql, values.map(bytes), done), kindOf(sql)),
      end: () => new Promise((fulfil) => connection.end(() => fulfil())),
    }
  }
}

/** mysql2 leaves it to Node which name an address must have in the certificate, and Node takes it from here, else for `localhost`. */
function socketToAddress({ host, port }: { host: string; port: number }): Socket {
  return Object.assign(connectSocket(port, host), { _host: host })
}

/**
 * Text is bound as bytes: its escaping then depends on no sql_mode, and it is compared byte by byte, where the collation of Cinder's
 * tables would ignore case and trailing blanks.
 */
function bytes(value: Value): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [null] : value.map((each) => Buffer.from(each))
  return typeof value === 'string' ? Buffer.from(value) : value
}

function kindOf(sql: string): 'lock' | 'commit' | undefined {
  if (sql === 'COMMIT') return 'commit'
  return sql.endsWith('FOR UPDATE') ? 'lock' : undefined
}

function tooSlow(server: string, timeout: number, lock: boolean): AgentError {
  const what = lock ? 'kept the rows locked' : 'gave no answer'
  return new AgentError(lock ? 'busy' : 'timeout', `${server} ${what} for ${timeout} s.`, {
    hint: lock ? 'See who holds the lock, or raise timeout.' : 'See whether it is overloaded, or raise timeout.',
  })
}
