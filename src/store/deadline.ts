/** The end of one turn to the database: connecting, statements and their retries together. */
export interface Deadline {
  /** The length of the whole turn, for messages. */
  readonly seconds: number
  /** 0 when the deadline has passed. */
  readonly remainingMs: () => number
}

export function startDeadline(seconds: number): Deadline {
  const end = performance.now() + seconds * 1000 // not Date.now(), which an NTP step moves
  return { seconds, remainingMs: () => Math.max(0, end - performance.now()) }
}
