import type { ErrorCode } from './contract.generated.js'

interface Details {
  /** What to do next. A name in braces is worded by each front end (text/hints.ts). */
  readonly hint?: string
  readonly host?: string
  readonly cluster?: string
  /** The same attempt may well succeed a moment later: a deadlock, a lock wait, a connection that was cut. */
  readonly transient?: boolean
  /** The change may have been made: a commit whose answer never came, or a file that was replaced but not synced. */
  readonly unconfirmed?: boolean
  /** The copy of a file that was replaced although this error came. */
  readonly backup?: string | undefined
  readonly cause?: unknown
}

/** The one way in which a run fails: a code of the contract, the problem as a sentence, and what to do about it. */
export class AgentError extends Error {
  readonly code: ErrorCode
  /** The message without the hint. */
  readonly problem: string
  readonly details: Details

  constructor(code: ErrorCode, problem: string, details: Details = {}) {
    super(problem, { cause: details.cause })
    this.name = 'AgentError'
    this.code = code
    this.problem = problem
    this.details = details
  }
}

/** The code of an error of Node's or of a driver's, such as ENOENT; undefined if it has none. */
export function getErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
