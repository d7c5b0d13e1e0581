import { AgentError, quotable } from '../errors.js'

// https://mariadb.com/kb/en/mariadb-error-codes/
const DENIED = new Set([1044, 1045, 1142, 1143, 1227, 1290, 1370, 1698, 1836, 3118, 4151])
const NO_DATABASE = new Set([1046, 1049])
const LACKING = new Set([1054, 1146])
/** Deadlock (Galera: also a failed certification), lock wait, a row changed since it was read. */
const CONTENDED = new Set([1020, 1205, 1213])
/** The node is going down, or not (yet) part of its Galera cluster; too many connections. */
const UNAVAILABLE = new Set([1040, 1047, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1317, 1927, 3169, 4031])
const LOST = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR'])

/** Whether the error came with the end of the connection. */
export function connectionLost(error: unknown): boolean {
  return (
    error instanceof AgentError && ['connection_failed', 'timeout', 'interrupted', 'access_denied'].includes(error.code)
  )
}

/** An error of mysql2 or of the server as one of the contract; its text comes along, without the password. */
export function translated(cause: unknown, server: string, password: string): AgentError {
  const { errno = 0, code = '' } = (typeof cause === 'object' ? cause : {}) as { errno?: number; code?: string } // mysql2's errors
  const text = quotable(cause instanceof Error ? cause.message || code : String(cause), [password])
  const said = `${server}: ${text.replace(/\.$/, '')}.`
  if (DENIED.has(errno)) {
    return new AgentError('access_denied', said, { hint: "Check the connection's user, password and grants.", cause })
  }
  if (NO_DATABASE.has(errno))
    return new AgentError('connection_failed', said, { hint: 'Correct the connection.', cause })
  if (LACKING.has(errno)) {
    const hint = "The connection must name Cinder's database, of Ocata or later."
    return new AgentError('schema_mismatch', said, { hint, cause })
  }
  if (CONTENDED.has(errno)) {
    const hint = 'Run it again when whoever holds the lock has finished.'
    return new AgentError('busy', said, { hint, transient: true, cause })
  }
  // The kernel's own time-out, where it is shorter than ours.
  if (code === 'ETIMEDOUT')
    return new AgentError('timeout', said, { hint: 'Check the address, or raise timeout.', cause })
  if (UNAVAILABLE.has(errno) || LOST.has(code)) {
    return new AgentError('connection_failed', said, {
      hint: 'Run it again when the server is back.',
      transient: true,
      cause,
    })
  }
  if (errno > 0) return new AgentError('internal_error', said, { hint: 'Please report it.', cause })
  return new AgentError('connection_failed', said, { hint: 'Check the address, and that the server runs.', cause })
}
