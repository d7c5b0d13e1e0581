import type { Row } from './backend.js'

/** What was seen of one service's heartbeat. Times are milliseconds of a monotonic clock. */
interface Heartbeat {
  /** `services.report_count`. */
  readonly count: number | null
  /** When the count was first seen. */
  readonly since: number
  /** When the count was last seen to rise; undefined if it was not. */
  readonly risenAt: number | undefined
}

/** The heartbeats that a run has seen, by `services.id`. */
export type HeartbeatHistory = ReadonlyMap<number, Heartbeat>

export function updateHistory(history: HeartbeatHistory, services: readonly Row[], now: number): HeartbeatHistory {
  return new Map(
    services.map(({ id, reportCount }) => {
      const known = history.get(id)
      if (known === undefined) return [id, { count: reportCount, since: now, risenAt: undefined }]
      return [id, known.count === reportCount ? known : { count: reportCount, since: now, risenAt: now }]
    }),
  )
}

/** A service counts as up while its last heartbeat is younger than `service_down_time` seconds. */
export function isUp(row: Row, serviceDownTime: number): boolean {
  return row.heartbeatAge !== null && row.heartbeatAge < serviceDownTime
}

/** Seconds from which on a heartbeat is so old that clocks which differ cannot explain it. */
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

/** Whether report_count has not changed for the heartbeat timeout, as far as this run has seen. */
export function hasHeartbeatStopped(row: Row, history: HeartbeatHistory, reportInterval: number, now: number): boolean {
  const seen = history.get(row.id)
  return seen !== undefined && now - seen.since >= getHeartbeatTimeout(reportInterval) * 1000
}
