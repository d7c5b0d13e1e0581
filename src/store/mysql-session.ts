import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { createConnection } from 'mysql2'
import { AgentError } from '../model/errors.js'
import type { OpenOptions } from './engine.js'
import { translated } from './mysql-errors.js'
import { type MysqlOptions, mysqlOptions } from './options.js'
import { interrupted } from './retry.js'
import type { Statement, Value } from './statements.js'
import { type DatabaseUrl, redacted } from './url.js'

/** One connection to the server. After a time-out, a signal or a loss it is of no use any more, and the server rolls back. */
export interface Session {
  query(statement: Statement): Promise<unknown>
  /** Takes leave of the server. */
  end(): Promise<void>
  /** Hangs up. */
  destroy(): void
}

/** Makes connections to the URL's server. A server that was there once may come back, so later failures to connect are transient. */
export function connector(url: DatabaseUrl, { timeout, signal, warn }: OpenOptions): () => Promise<Session> {
  const settings = mysqlOptions(url, warn)
  const server = redacted(url)
  let known = false
  return async () => {
    const connection = createConnection(connectionOptions(settings))
    connection.on('error', () => {}) // each statement reports its own
    const ask = <T>(question: (done: Done<T>) => void, kind?: Kind): Promise<T> =>
      new Promise<T>((fulfil, reject) => {
        const answered = limited(timeout, kind === 'commit' ? undefined : signal, (reason) => {
          connection.destroy()
          reject(reason === 'signal' ? interrupted() : tooSlow(server, timeout, kind))
        })
        question((error, result) => {
          answered()
          if (error) reject(translated(error, server, known))
          else fulfil(result)
        })
      })
    await ask<void>((done) => connection.connect((error) => done(error)))
    known = true
    return {
      query: ({ sql, values }) => ask((done) => connection.query(sql, values.map(bound), done), kindOf(sql)),
      end: () => new Promise((fulfil) => connection.end(() => fulfil())),
      destroy: () => connection.destroy(),
    }
  }
}

type Done<T> = (error: unknown, result: T) => void

/** Statements whose waiting, or whose loss, means something of its own. */
type Kind = 'lock' | 'commit' | undefined

function kindOf(sql: string): Kind {
  if (sql === 'COMMIT') return 'commit'
  return sql.endsWith('FOR UPDATE') ? 'lock' : undefined
}

/** Calls `cut` after `timeout` seconds or at the signal, whichever comes first, unless the function that it returns was called before. */
function limited(
  timeout: number,
  signal: AbortSignal | undefined,
  cut: (reason: 'time' | 'signal') => void,
): () => void {
  const stop = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onSignal)
  }
  const onSignal = () => {
    stop()
    cut('signal')
  }
  const timer = setTimeout(() => {
    stop()
    cut('time')
  }, timeout * 1000)
  if (signal?.aborted) onSignal()
  else signal?.addEventListener('abort', onSignal)
  return stop
}

function connectionOptions(settings: MysqlOptions): Parameters<typeof createConnection>[0] {
  const toAddress = settings.ssl?.verifyIdentity && isIP(settings.host)
  return {
    ...settings,
    ...(toAddress && { stream: () => socketToAddress(settings) }),
    charset: 'utf8mb4',
    connectTimeout: 0, // ours covers the handshake too
    disableEval: true,
  } as Parameters<typeof createConnection>[0] // its type forbids the readonly and undefined that it takes
}

/** mysql2 leaves it to Node which name an address must have in the certificate, and Node takes it from here, else for `localhost`. */
function socketToAddress({ host, port }: MysqlOptions): Socket {
  return Object.assign(connectSocket(port, host), { _host: host })
}

/** Text is bound by its bytes, so that no sql_mode can make its end something else; the server turns it into the column's character set. */
function bound(value: Value): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [null] : value.map(bound)
  if (typeof value !== 'string') return value
  return { toSqlString: () => `_utf8mb4 X'${Buffer.from(value).toString('hex')}'` }
}

function tooSlow(server: string, timeout: number, kind: Kind): AgentError {
  if (kind === 'lock') {
    return new AgentError('busy', `${server} kept the rows locked for ${timeout} s.`, {
      hint: {
        request: 'See who holds the lock, or raise timeout.',
        command: 'See who holds the lock, or raise --timeout.',
      },
    })
  }
  // Whether a commit went through can only be seen by looking again.
  return new AgentError('timeout', `${server} gave no answer for ${timeout} s.`, {
    hint: {
      request: 'See whether it is overloaded, or raise timeout.',
      command: 'See whether it is overloaded, or raise --timeout.',
    },
    transient: kind === 'commit',
  })
}
