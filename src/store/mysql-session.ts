import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { createConnection } from 'mysql2'
import { AgentError } from '../model/errors.js'
import type { Deadline } from './deadline.js'
import type { OpenOptions } from './engine.js'
import { translateMysqlError } from './mysql-errors.js'
import { type MysqlOptions, makeMysqlOptions } from './options.js'
import { interruptedError } from './retry.js'
import type { Statement, Value } from './statements.js'
import { type DatabaseUrl, redactUrl } from './url.js'

/** Added to the deadline for a COMMIT that was sent: without its answer nobody knows whether the change was made. */
const COMMIT_GRACE_MS = 2000

/** One connection to the server. After a time-out, a signal or a loss it cannot be used any more, and the server rolls back. */
export interface Session {
  query(statement: Statement, deadline: Deadline): Promise<unknown>
  /** Sends COM_QUIT. */
  end(): Promise<void>
  /** Closes the socket. */
  destroy(): void
}

/** Makes connections to the URL's server. After the first one, failures to connect are transient: the server may come back. */
export function makeConnector(
  url: DatabaseUrl,
  { signal, warn }: OpenOptions,
): (deadline: Deadline) => Promise<Session> {
  const settings = makeMysqlOptions(url, warn)
  const server = redactUrl(url)
  let wasReached = false
  return async (deadline) => {
    const connection = createConnection(toConnectionOptions(settings))
    connection.on('error', () => {}) // each statement reports its own
    const send = <T>(start: (done: Done<T>) => void, limit: Deadline, kind?: StatementKind): Promise<T> =>
      new Promise<T>((fulfil, reject) => {
        const isCommit = kind === 'commit'
        // A COMMIT that was not sent was not done.
        if (limit.remainingMs() === 0) return reject(deadlineError(server, limit))
        const ms = limit.remainingMs() + (isCommit ? COMMIT_GRACE_MS : 0)
        const stop = cutAfter(ms, isCommit ? undefined : signal, (reason) => {
          connection.destroy()
          reject(reason === 'signal' ? interruptedError() : deadlineError(server, limit, kind))
        })
        start((error, result) => {
          stop()
          if (error) reject(translateMysqlError(error, { server, wasReached, isCommit }))
          else fulfil(result)
        })
      })
    await send<void>((done) => connection.connect((error) => done(error)), deadline)
    wasReached = true
    return {
      query: ({ sql, values }, limit) =>
        send((done) => connection.query(sql, values.map(bindValue), done), limit, classifyStatement(sql)),
      end: () => new Promise((fulfil) => connection.end(() => fulfil())),
      destroy: () => connection.destroy(),
    }
  }
}

type Done<T> = (error: unknown, result: T) => void

/** Statements with an error of their own if their answer does not come. */
type StatementKind = 'lock' | 'commit' | undefined

function classifyStatement(sql: string): StatementKind {
  if (sql === 'COMMIT') return 'commit'
  return sql.endsWith('FOR UPDATE') ? 'lock' : undefined
}

/** Calls `cut` after the time or at the signal, whichever comes first, unless the function that it returns was called before. */
function cutAfter(ms: number, signal: AbortSignal | undefined, cut: (reason: 'time' | 'signal') => void): () => void {
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
  }, ms)
  if (signal?.aborted) onSignal()
  else signal?.addEventListener('abort', onSignal)
  return stop
}

function toConnectionOptions(settings: MysqlOptions): Parameters<typeof createConnection>[0] {
  const isVerifiedAddress = settings.ssl?.verifyIdentity && isIP(settings.host)
  return {
    ...settings,
    ...(isVerifiedAddress && { stream: () => connectToAddress(settings) }),
    charset: 'utf8mb4',
    connectTimeout: 0, // the deadline covers the handshake too
    disableEval: true,
  } as Parameters<typeof createConnection>[0] // its type forbids the readonly and undefined that it takes
}

/** Node checks the certificate of an address against `_host`, which mysql2 does not set. */
function connectToAddress({ host, port }: MysqlOptions): Socket {
  return Object.assign(connectSocket(port, host), { _host: host })
}

/** Text is bound as its bytes, which no sql_mode reads in another way; the server converts it to the column's character set. */
function bindValue(value: Value): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [null] : value.map(bindValue)
  if (typeof value !== 'string') return value
  return { toSqlString: () => `_utf8mb4 X'${Buffer.from(value).toString('hex')}'` }
}

function deadlineError(server: string, { seconds }: Deadline, kind?: StatementKind): AgentError {
  if (kind === 'lock') {
    return new AgentError('busy', `${server}: the rows were still locked after ${seconds} s.`, {
      hint: 'Find out who holds the lock, or raise {timeout}.',
    })
  }
  return new AgentError('timeout', `${server}: no answer within ${seconds} s.`, {
    hint: 'Check whether the server is overloaded, or raise {timeout}.',
    unconfirmed: kind === 'commit',
  })
}
