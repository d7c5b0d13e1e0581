/** What an engine needs to open the database. */
export interface OpenOptions {
  /** Nothing may be written: SQLite is opened read-only, MySQL read in a read-only transaction. */
  readonly readOnly: boolean
  /** Ends statements and pauses at once, except a COMMIT that was sent. */
  readonly signal: AbortSignal
  readonly warn: (warning: string) => void
}
