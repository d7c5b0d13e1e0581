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
  return age < -LEAST_CLOCK_LAG_S ? `${-age} s ahead of the clock of the database` : `${Math.max(0, age)} s ago`
}

/** What is seen of a heartbeat, for a message. */
export function describeHeartbeat(row: Row, observation: Observation): string {
  const lag = describeClockLag(row, observation)
  const clock = lag && `, its clock is ${lag}`
  return `last heartbeat ${describeAge(row)}, service_down_time ${observation.serviceDownTime} s${clock}`
}

/** How the clock that dates the heartbeats of a service differs from that of the database; empty if it was not seen to. */
export function describeClockLag(row: Row, { heartbeats, at }: Observation): string {
  const lag = measureClockLag(row, heartbeats, at) ?? 0
  if (Math.abs(lag) < LEAST_CLOCK_LAG_S) return ''
  return `about ${Math.round(Math.abs(lag))} s ${lag > 0 ? 'behind' : 'ahead of'} that of the database`
}

/** Whether the two clocks differ, also if no heartbeat was seen to come: none comes from the future. */
export function hasOtherClock(row: Row, observation: Observation): boolean {
  return (row.heartbeatAge ?? 0) < -LEAST_CLOCK_LAG_S || describeClockLag(row, observation) !== ''
}
