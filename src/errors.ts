import type { ErrorCode } from './contract.generated.js'

interface Details {
  /** What to do next, a sentence. */
  readonly hint?: string
  readonly host?: string
  readonly cluster?: string
  /** The same attempt may well succeed a moment later: a deadlock, a lock wait, a connection that was cut. */
  readonly transient?: boolean
  readonly cause?: unknown
}

/** The one way in which a run fails: a code of the contract, the problem as a sentence, and what to do about it. */
export class AgentError extends Error {
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, problem: string, details: Details = {}) {
    super(details.hint === undefined ? problem : `${problem} ${details.hint}`, { cause: details.cause })
    this.name = 'AgentError'
    this.code = code
    this.details = details
  }
}

/** Text from outside, fit for a message: one line, not endless, and without the secrets that are known. */
export function quotable(text: string, secrets: readonly string[] = [], most = 200): string {
  let line = text
  for (const secret of secrets) if (secret !== '') line = line.replaceAll(secret, '***')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal
  line = line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  return line.length > most ? `${line.slice(0, most)}…` : line
}
