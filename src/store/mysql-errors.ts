import type { ErrorCode } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

interface ErrorKind {
  readonly code: ErrorCode
  readonly hint: string
  readonly transient?: boolean
}

const DENIED: ErrorKind = {
  code: 'access_denied',
  hint: "Check the connection's user, password and grants, and whether the server requires TLS from this user.",
}
const READ_ONLY: ErrorKind = {
  code: 'access_denied',
  hint: 'Connect to the server that takes writes; this server is read-only, as a replica is.',
}
const NOT_CINDERS: ErrorKind = {
  code: 'schema_mismatch',
  hint: "Set {connection} to Cinder's database, of Ocata or later.",
}
const CONTENDED: ErrorKind = { code: 'busy', hint: 'Run it again when the lock is released.', transient: true }
const UNAVAILABLE: ErrorKind = {
  code: 'connection_failed',
  hint: 'Run it again when the server is back.',
  transient: true,
}
const UNREACHABLE: ErrorKind = {
  code: 'connection_failed',
  hint: 'Check the address, and whether the server runs there.',
}

/** The server's error numbers: https://mariadb.com/kb/en/mariadb-error-codes/ */
const NUMBERS: ReadonlyMap<number, ErrorKind> = new Map([
  ...mapErrorNumbers(DENIED, [1044, 1045, 1130, 1142, 1143, 1227, 1370, 1698, 1820, 1862, 3118, 4151]),
  ...mapErrorNumbers(READ_ONLY, [1290, 1836]),
  ...mapErrorNumbers(NOT_CINDERS, [1054, 1146]),
  // Deadlock (Galera: also a failed certification), lock wait, a row changed since it was read.
  ...mapErrorNumbers(CONTENDED, [1020, 1205, 1213]),
  // Too many connections; going down; not (yet) part of its Galera cluster; the statement or the connection was killed.
  ...mapErrorNumbers(
    UNAVAILABLE,
    [1040, 1047, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1317, 1927, 3169, 4031],
  ),
  ...mapErrorNumbers({ code: 'connection_failed', hint: 'Correct the database name in {connection}.' }, [1046, 1049]),
  ...mapErrorNumbers(
    {
      code: 'timeout',
      hint: "Check whether the server is overloaded, or raise the server's max_statement_time or max_execution_time.",
    },
    [1969, 3024],
  ),
  ...mapErrorNumbers(
    { code: 'connection_failed', hint: "Name fewer backends at once, or raise the server's max_allowed_packet." },
    [1153],
  ),
])

const LOST = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR'])

function mapErrorNumbers(kind: ErrorKind, numbers: readonly number[]): [number, ErrorKind][] {
  return numbers.map((number) => [number, kind])
}

/** Whether no further statement can use the connection after this error. */
export function isConnectionLost(error: unknown): boolean {
  return (
    !(error instanceof AgentError) ||
    !['busy', 'schema_mismatch'].includes(error.code) ||
    error.details.transient !== true
  )
}

interface ErrorContext {
  readonly server: string
  /** The server answered before, so a failure to connect is worth another try. */
  readonly wasReached: boolean
  readonly isCommit: boolean
}

/** An error of mysql2 (errno 0 or less) or of the server, with its text, as an error of the contract. */
export function translateMysqlError(cause: unknown, { server, wasReached, isCommit }: ErrorContext): AgentError {
  const { errno, code } = readErrorFields(cause)
  const text = quote(cause instanceof Error ? cause.message || code : String(cause))
  const kind = classifyMysqlError(errno, code)
  return new AgentError(kind.code, `${server}: ${text.replace(/\.$/, '')}.`, {
    hint: kind.hint,
    transient: kind.transient === true || (wasReached && errno <= 0),
    unconfirmed: isCommit && errno <= 0,
    cause,
  })
}

function readErrorFields(cause: unknown): { errno: number; code: string } {
  const fields = typeof cause === 'object' && cause !== null ? cause : {}
  const errno = 'errno' in fields ? Number(fields.errno) : 0
  return { errno: Number.isNaN(errno) ? 0 : errno, code: 'code' in fields ? String(fields.code) : '' }
}

function classifyMysqlError(errno: number, code: string): ErrorKind {
  if (LOST.has(code)) return UNAVAILABLE
  // The kernel's own time-out, if it is shorter than the deadline.
  if (code === 'ETIMEDOUT') return { code: 'timeout', hint: 'Check the address, or raise {timeout}.' }
  return NUMBERS.get(errno) ?? UNREACHABLE
}
