import type { Row } from './backend.js'
import type { ServiceView } from './observation.js'

/** When each service was first seen with the number of heartbeats that it has now; milliseconds of a clock that never goes back. */
export type Sightings = ReadonlyMap<number, { readonly reportCount: number | null; readonly since: number }>

export function sighted(before: Sightings, rows: readonly Row[], now: number): Sightings {
  const services = rows.filter(({ table }) => table === 'services')
  return new Map(
    services.map(({ id, reportCount }) => {
      const known = before.get(id)
      return [id, known?.reportCount === reportCount ? known : { reportCount, since: now }]
    }),
  )
}

/** A service counts as up while its last heartbeat is younger than `service_down_time` seconds. */
export function isUp(row: Row, serviceDownTime: number): boolean {
  return row.heartbeatAge !== null && row.heartbeatAge < serviceDownTime
}

/** Seconds within which a service that runs beats: `report_interval` and a little, for a beat may come late. */
export function stillTime({ reportInterval }: ServiceView): number {
  return reportInterval + Math.min(2, Math.max(0.5, reportInterval / 5))
}

/** Whether the heartbeat has stood still under our eyes for so long that the process that was stopped must be the one that beats. */
export function standsStill(row: Row, sightings: Sightings, service: ServiceView, now: number): boolean {
  const seen = sightings.get(row.id)
  return seen !== undefined && seen.reportCount === row.reportCount && now - seen.since >= stillTime(service) * 1000
}
