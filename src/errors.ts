import type { ErrorCode } from './contract.generated.js'

/** Who reads: whoever wrote a request, or whoever typed a command. */
export type Audience = 'request' | 'command'

/** What to do next, as sentences; said in two ways where the one names a key of the request, and the other an option. */
export type Hint = string | Readonly<Record<Audience, string>>

interface Details {
  readonly hint?: Hint
  readonly host?: string
  readonly cluster?: string
  /** The same attempt may well succeed a moment later: a deadlock, a lock wait, a connection that was cut. */
  readonly transient?: boolean
  /** A commit was sent whose answer never came, so the change may have been made. */
  readonly unconfirmed?: boolean
  readonly cause?: unknown
}

/** The one way in which a run fails: a code of the contract, the problem as a sentence, and what to do about it. */
export class AgentError extends Error {
  readonly code: ErrorCode
  /** The message without the hint. */
  readonly problem: string
  readonly details: Details

  constructor(code: ErrorCode, problem: string, details: Details = {}) {
    super(withHint(problem, worded(details.hint, 'request')), { cause: details.cause })
    this.name = 'AgentError'
    this.code = code
    this.problem = problem
    this.details = details
  }
}

export function worded(hint: Hint | undefined, audience: Audience): string | undefined {
  return typeof hint === 'object' ? hint[audience] : hint
}

export function withHint(problem: string, hint: string | undefined): string {
  return hint === undefined ? problem : `${problem} ${hint}`
}

/** The code of an error of Node's or of a driver's, such as ENOENT; undefined where it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** Text from outside, fit for a message: on one line, not endless, and without the user and password of any URL in it. */
export function quotable(text: string, most = 200): string {
  return oneLine(text.replace(/:\/+\S*@/g, '://***@'), most)
}

/** Text on one line, without control characters, and cut off where it is longer than `most`. */
export function oneLine(text: string, most = 200): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return line.length > most ? `${line.slice(0, most)}…` : line
}
