import { type BackendState, COLUMNS, type Row } from '../model/backend.js'
import { measureClockLag } from '../model/heartbeat.js'
import type { Observation } from '../model/observation.js'
import { quote } from '../text/quote.js'

/** Less is no difference that matters, or the time that a row takes to be written and read. */
const LEAST_CLOCK_LAG_S = 5

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

/** When the last heartbeat was, by the clock of the database. */
export function describeAge({ heartbeatAge }: Row): string {
  const age = Math.floor(heartbeatAge ?? 0)
  return age < -1 ? `${-age} s ahead of the clock of the database` : `${Math.max(0, age)} s ago`
}

/** What is seen of a heartbeat, for a message. */
export function describeHeartbeat(row: Row, { heartbeats, at, serviceDownTime }: Observation): string {
  const lag = describeClockLag(measureClockLag(row, heartbeats, at) ?? 0)
  const clock = lag && `, its clock is ${lag}`
  return `last heartbeat ${describeAge(row)}, service_down_time ${serviceDownTime} s${clock}`
}

/** A difference of two clocks; empty if it is too small to tell. */
export function describeClockLag(seconds: number): string {
  if (Math.abs(seconds) < LEAST_CLOCK_LAG_S) return ''
  return `about ${Math.round(Math.abs(seconds))} s ${seconds > 0 ? 'behind' : 'ahead of'} that of the database`
}
