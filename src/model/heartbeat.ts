import type { Row } from './backend.js'

/** What was seen of one service's heartbeat. Times are milliseconds of a monotonic clock. */
interface Heartbeat {
  /** `services.report_count`. */
  readonly count: number | null
  /** When the count was first seen. */
  readonly since: number
  /** When it was looked at last. */
  readonly seenAt: number
  /** When the count was last seen to rise; undefined if it was not. */
  readonly risenAt: number | undefined
  /** The look before that: the heartbeat came between the two. */
  readonly risenAfter: number | undefined
}

/** The heartbeats that a run has seen, by `services.id`. */
export type HeartbeatHistory = ReadonlyMap<number, Heartbeat>

export function updateHistory(history: HeartbeatHistory, services: readonly Row[], now: number): HeartbeatHistory {
  return new Map(
    services.map(({ id, reportCount }) => {
      const known = history.get(id)
      if (known === undefined)
        return [id, { count: reportCount, since: now, seenAt: now, risenAt: undefined, risenAfter: undefined }]
      if (known.count === reportCount) return [id, { ...known, seenAt: now }]
      return [id, { count: reportCount, since: now, seenAt: now, risenAt: now, risenAfter: known.seenAt }]
    }),
  )
}

/** A service counts as up to Cinder while its last heartbeat is younger than `service_down_time` seconds. */
export function isUp(row: Row, serviceDownTime: number): boolean {
  return row.heartbeatAge !== null && row.heartbeatAge < serviceDownTime
}

/**
 * Seconds from which on a heartbeat is so old that clocks which differ cannot explain it: such clocks break the tokens of Keystone first.
 */
export function getLongDownTime(serviceDownTime: number): number {
  return Math.max(600, 10 * serviceDownTime)
}

/** Whether a service is down for so long that it cannot be at work any more. */
export function isLongDown({ heartbeatAge }: Row, serviceDownTime: number): boolean {
  return heartbeatAge === null || heartbeatAge >= getLongDownTime(serviceDownTime)
}

/** Seconds within which a running service sends a heartbeat: `report_interval` and a little, because a heartbeat may be late. */
export function getHeartbeatTimeout(reportInterval: number): number {
  return reportInterval + Math.min(2, Math.max(0.5, reportInterval / 5))
}

/** Whether report_count was seen to rise. */
export function hasRisen({ id }: Pick<Row, 'id'>, history: HeartbeatHistory): boolean {
  return history.get(id)?.risenAt !== undefined
}

/**
 * Seconds by which the clock that dates the heartbeats of a service is behind that of the database, negative if it is ahead. 0 if the two can agree,
 * undefined if no heartbeat was seen to come. `now` is when the row was read.
 */
export function measureClockLag({ id, heartbeatAge }: Row, history: HeartbeatHistory, now: number): number | undefined {
  const { risenAt, risenAfter } = history.get(id) ?? {}
  if (heartbeatAge === null || risenAt === undefined || risenAfter === undefined) return undefined
  const newest = heartbeatAge - (now - risenAt) / 1000
  const oldest = heartbeatAge - (now - risenAfter) / 1000
  return oldest > 0 ? oldest : Math.min(newest, 0)
}

/** Whether report_count has not changed for the heartbeat timeout, as far as this run has seen. */
export function hasHeartbeatStopped(row: Row, history: HeartbeatHistory, reportInterval: number, now: number): boolean {
  const seen = history.get(row.id)
  return seen !== undefined && now - seen.since >= getHeartbeatTimeout(reportInterval) * 1000
}
