import { type BackendState, COLUMNS, type Row } from '../model/backend.js'
import { quote } from '../text/quote.js'

/** What of a row differs from what a run left there. */
export function describeDifference(row: Row, expected: BackendState): string {
  const differing = COLUMNS.filter((column) => row.state[column] !== expected[column]).map(
    (column) => `${column}: expected ${JSON.stringify(expected[column])}, found ${JSON.stringify(row.state[column])}`,
  )
  return `${quote(row.name)} has changed since the run (${quote(differing.join('; '), 300)}).`
}

/** The two columns that tell of a failover. */
export function describeFailover({ active_backend_id, replication_status }: BackendState): string {
  return quote(
    `active_backend_id ${JSON.stringify(active_backend_id)}, replication_status ${JSON.stringify(replication_status)}`,
  )
}

/** Seconds since the last heartbeat, for a message. */
export function describeAge({ heartbeatAge }: Row): string {
  return `${Math.max(0, Math.floor(heartbeatAge ?? 0))} s`
}
