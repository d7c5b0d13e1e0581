import type { ErrorCode } from '../model/contract.generated.js'
import { AgentError, type Hint } from '../model/errors.js'
import { quote } from '../text/quote.js'

interface Kind {
  readonly code: ErrorCode
  readonly hint: Hint
  readonly transient?: boolean
}

const DENIED: Kind = {
  code: 'access_denied',
  hint: "Check the connection's user, password and grants, and whether the user must come by TLS.",
}
const READ_ONLY: Kind = {
  code: 'access_denied',
  hint: 'The server is read-only, as a replica is: connect to the one that takes writes.',
}
const LACKING: Kind = {
  code: 'schema_mismatch',
  hint: "The connection must name Cinder's database, of Ocata or later.",
}
const CONTENDED: Kind = {
  code: 'busy',
  hint: 'Run it again when whoever holds the lock has finished.',
  transient: true,
}
const UNAVAILABLE: Kind = { code: 'connection_failed', hint: 'Run it again when the server is back.', transient: true }
const UNREACHED: Kind = { code: 'connection_failed', hint: 'Check the address, and that the server runs.' }

/** The server's error numbers: https://mariadb.com/kb/en/mariadb-error-codes/ */
const NUMBERS: ReadonlyMap<number, Kind> = new Map([
  ...each(DENIED, [1044, 1045, 1130, 1142, 1143, 1227, 1370, 1698, 1820, 1862, 3118, 4151]),
  ...each(READ_ONLY, [1290, 1836]),
  ...each(LACKING, [1054, 1146]),
  // Deadlock (Galera: also a failed certification), lock wait, a row changed since it was read.
  ...each(CONTENDED, [1020, 1205, 1213]),
  // Too many connections; going down; not (yet) part of its Galera cluster; the statement or the connection was killed.
  ...each(
    UNAVAILABLE,
    [1040, 1047, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1317, 1927, 3169, 4031],
  ),
  ...each({ code: 'connection_failed', hint: 'Correct the connection.' }, [1046, 1049]),
  ...each(
    {
      code: 'timeout',
      hint: 'See whether the server is overloaded; its own limit is max_statement_time or max_execution_time.',
    },
    [1969, 3024],
  ),
  ...each(
    { code: 'connection_failed', hint: "Name fewer backends at once, or raise the server's max_allowed_packet." },
    [1153],
  ),
])

const LOST = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR'])

function each(kind: Kind, numbers: readonly number[]): [number, Kind][] {
  return numbers.map((number) => [number, kind])
}

/** Whether after this error nothing more may be asked over the same connection. */
export function connectionIsLost(error: unknown): boolean {
  return (
    !(error instanceof AgentError) ||
    !['busy', 'schema_mismatch'].includes(error.code) ||
    error.details.transient !== true
  )
}

/**
 * An error of mysql2 or of the server as one of the contract; its text comes along. `known`: the server was
 * reached before, so that it is worth while to wait for it.
 */
export function translated(cause: unknown, server: string, known: boolean): AgentError {
  const { errno = 0, code = '' } = (typeof cause === 'object' ? cause : {}) as { errno?: number; code?: string } // mysql2's errors
  const text = quote(cause instanceof Error ? cause.message || code : String(cause))
  const { code: own, hint, transient = false } = kindOf(errno, code)
  const again = transient || (known && errno <= 0)
  return new AgentError(own, `${server}: ${text.replace(/\.$/, '')}.`, { hint, transient: again, cause })
}

function kindOf(errno: number, code: string): Kind {
  if (LOST.has(code)) return UNAVAILABLE
  // The kernel's own time-out, where it is shorter than ours.
  if (code === 'ETIMEDOUT')
    return {
      code: 'timeout',
      hint: { request: 'Check the address, or raise timeout.', command: 'Check the address, or raise --timeout.' },
    }
  return NUMBERS.get(errno) ?? UNREACHED
}
