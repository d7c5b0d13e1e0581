/** What an engine needs to open the database. */
export interface OpenOptions {
  /** Seconds, for connecting and for each statement. */
  readonly timeout: number
  /** Nothing may be written: SQLite is opened read-only, MySQL read in a read-only transaction. */
  readonly readOnly: boolean
  /** Ends waits early; never a commit that has been sent. */
  readonly signal: AbortSignal
  readonly warn: (warning: string) => void
}
