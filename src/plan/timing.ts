import { type Backend, type Desired, listRows, type Row } from '../model/backend.js'
import { getHeartbeatTimeout, hasHeartbeatStopped, hasRisen, isLongDown, isUp } from '../model/heartbeat.js'
import type { Observation, ServiceFacts } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { needsReset } from './rows.js'

/**
 * What the request wants of a backend. A promotion without a service leaves a frozen backend frozen, because nobody has seen cinder-volume start on
 * the new primary.
 */
export function resolveDesired(backend: Backend, { config, service }: Request): Desired {
  const { desired } = backend.target
  const isPromotion = config?.promote !== undefined && desired.active_backend === 'reset'
  if (!isPromotion || service !== undefined || desired.frozen !== undefined) return desired
  const [main] = listRows(backend)
  return main?.state.frozen ? { ...desired, frozen: true } : desired
}

/** What is written before cinder-volume is stopped, while it is stopped, and after it was started. */
export interface DividedDesired {
  readonly before: Desired
  readonly stopped: Desired
  readonly after: Desired
}

/**
 * When each desired state is written. From the reset until the start is proven the backend stays frozen and disabled, so that nothing is scheduled
 * onto it. The driver sets replication_status at its start (cinder/volume/manager.py, init_host): so `enabled` is written before, `disabled` after.
 */
export function divideDesired(backend: Backend, desired: Desired, service: Request['service']): DividedDesired {
  if (service === undefined) return { before: {}, stopped: desired, after: {} }
  const { active_backend, replication, frozen, active_backend_id, replication_status } = desired
  const [main] = listRows(backend)
  const mayFreeze = frozen !== undefined || main?.state.frozen === true
  const holds = frozen === true || (service.state === 'started' && mayFreeze && needsReset(backend, desired))
  const held = holds ? ({ frozen: true } as const) : {}
  if (service.state === 'stopped') return { before: held, stopped: desired, after: {} }
  return {
    before: held,
    stopped: {
      active_backend,
      active_backend_id,
      replication_status,
      ...(replication === 'enabled' && { replication }),
      ...held,
    },
    after: { frozen, ...(replication === 'disabled' && { replication }) },
  }
}

/** Seconds between two heartbeats, as far as cinder.conf here tells. */
export function getReportInterval({ service, reportInterval }: Observation): number {
  return service?.reportInterval ?? reportInterval
}

/** unproven: nothing was seen of a heartbeat, but for long enough nobody has looked. */
export type Liveness = 'up' | 'down' | 'unproven'

/**
 * Whether a service runs that must be down. The age of a heartbeat alone is believed only if it is great, because clocks differ: else report_count
 * must be seen to stand still too. The service here that was stopped need not grow old: it is down if its manager says so and its count stands still,
 * because the unit that was stopped may not be the one that sends it.
 */
export function judgeLiveness(row: Row, observation: Observation): Liveness {
  const { service, heartbeats, at, serviceDownTime } = observation
  const age = row.heartbeatAge ?? Number.POSITIVE_INFINITY
  const rises = hasRisen(row, heartbeats)
  if (!rises && isLongDown(row, serviceDownTime)) return 'down'
  const isStopped = service?.state === 'stopped' && row.name === service.host
  const isOld = age >= serviceDownTime
  if ((isStopped || isOld) && hasHeartbeatStopped(row, heartbeats, getReportInterval(observation), at)) return 'down'
  return isStopped || (isOld && !rises) ? 'unproven' : 'up'
}

/** Whether a service is to be shown as up: to Cinder it is, or its heartbeat was seen to come, whatever its clock says. */
export function isShownUp(row: Row, observation: Observation): boolean {
  const { heartbeats, at, serviceDownTime } = observation
  const isStill = hasHeartbeatStopped(row, heartbeats, getReportInterval(observation), at)
  return isUp(row, serviceDownTime) || (hasRisen(row, heartbeats) && !isStill)
}

/**
 * Whether Cinder's API would still accept a failover of the service that is stopped or to be stopped, which then waits in its queue: as long as the
 * heartbeat counts as up, from these states (cinder/volume/api.py, failover). An edit or a reset in the meantime would be for another array.
 */
export function mayStillBeFailedOver(row: Row, { service, serviceDownTime }: Observation): boolean {
  const isAccepted = ['enabled', 'failed-over'].includes(row.state.replication_status ?? '')
  return row.name === service?.host && isAccepted && isUp(row, serviceDownTime)
}

/** The row whose heartbeat the service on this host sends. */
function findServiceRow({ backends }: Observation, { host }: ServiceFacts): Row | undefined {
  return backends.flatMap(({ services }) => services).find(({ name }) => name === host)
}

/** Whether the last heartbeat is so young that the process that runs now must have sent it. One from the future tells nothing. */
export function hasFreshHeartbeat(observation: Observation, service: ServiceFacts): boolean {
  const age = findServiceRow(observation, service)?.heartbeatAge ?? Number.POSITIVE_INFINITY
  return Math.abs(age) < getHeartbeatTimeout(service.reportInterval)
}

/** Whether this run has seen a heartbeat that came after those it saw first, and after the start if this run started the service. */
export function hasProvenHeartbeat(observation: Observation, service: ServiceFacts): boolean {
  const row = findServiceRow(observation, service)
  const risenAt = row && observation.heartbeats.get(row.id)?.risenAt
  return risenAt !== undefined && risenAt >= (service.startedAt ?? 0)
}
