import { type Backend, getActiveBackendId, listRows, type Row } from '../model/backend.js'
import { getLongDownTime, hasRisen, isLongDown } from '../model/heartbeat.js'
import type { Observation } from '../model/observation.js'
import { formatList } from '../text/list.js'
import { quote } from '../text/quote.js'
import type { Candidate, Objection } from './guards.js'
import { judgeLiveness } from './timing.js'
import { describeAge } from './words.js'

const WAIT_HINT = 'Wait until cinder-volume has finished it.'
const FORCE_HINT = 'If the failover never ends, find out which array is in use, then add {force}.'

/**
 * Nothing is done under a failover that runs. A start alone is no harm: cinder-volume finishes at its start the failover that waits in its queue.
 * A stop would cut off the failover of another backend of the same process.
 */
export function objectToFailoverInProgress(candidate: Candidate): Objection | undefined {
  const { backend, rows, edit, stopsService, observation } = candidate
  const isStartAlone = rows.length === 0 && edit === undefined && !stopsService
  const failing = listRows(backend).filter(isFailingOver)
  if (failing.length > 0 && !isStartAlone && listLeftBehind(backend, observation).length === 0)
    return objectToOwnFailover(candidate, failing)
  const neighbour = stopsService ? observation.neighbours.find(isFailingOver) : undefined
  if (neighbour === undefined) return undefined
  return {
    problem: `${quote(neighbour.name)}, which the same cinder-volume serves, has a failover in progress (replication_status: failing-over). A stop would cut it off.`,
    hint: `${WAIT_HINT} ${FORCE_HINT}`,
  }
}

function objectToOwnFailover(candidate: Candidate, failing: readonly Row[]): Objection {
  const { backend, observation } = candidate
  const services = failing.filter(({ table }) => table === 'services')
  const members = services.map(describeMember)
  const which = backend.cluster === undefined || members.length === 0 ? '' : ` on ${formatList(members, '; ')}`
  return {
    problem: `${quote(backend.target.name)} has a failover in progress (replication_status: failing-over${which}).`,
    hint: `${findWayOn(candidate, services, observation)} ${FORCE_HINT}`,
  }
}

function describeMember(row: Row): string {
  return `${quote(row.name)}, ${row.heartbeatAge === null ? 'no heartbeat' : `last heartbeat ${describeAge(row)}`}`
}

function findWayOn(candidate: Candidate, failing: readonly Row[], observation: Observation): string {
  const { service, serviceDownTime } = observation
  const seen = failing.map((row) => judgeLiveness(row, observation))
  const isUp = seen.includes('up')
  if (isFinished(candidate.backend)) {
    return isUp
      ? WAIT_HINT
      : `The cluster's row says that the failover is finished, so its members that are down have missed the end. This goes on once their heartbeat is older than ${getLongDownTime(serviceDownTime)} s; keep them stopped until then.`
  }
  const isOwn = service?.state === 'stopped' && failing.some(({ name }) => name === service.host)
  const start = (what: string) =>
    `${describeRestore(candidate)}${what}: it finishes the failover at its start. Then run this again.`
  if (isOwn) return start(`Start ${quote(service.name)} (${service.manager})`)
  if (isUp) return WAIT_HINT
  // An age alone does not tell that it is down: clocks lag.
  return seen.includes('unproven')
    ? `${WAIT_HINT} If it does not run: ${start('Start it')}`
    : `cinder-volume is down. ${start('Start it')}`
}

/** What must be done before a start: cinder-volume starts on the array that its row names, and needs the entry of that array. */
function describeRestore({ backend, findActiveEntry }: Candidate): string {
  const entry = findActiveEntry()
  if (entry.kind !== 'missing') return ''
  const { section, copy } = entry
  const array = quote(getActiveBackendId(backend) ?? '')
  return copy === undefined
    ? `Put the entry of ${array} back into replication_device of [${quote(section)}] first. `
    : `Put ${quote(copy.file.path)} back as ${quote(copy.original)} first: it has the entry of ${array}. `
}

/**
 * Members of a cluster that died just before a failover, which Cinder leaves failing-over for good (cinder/volume/manager.py, finish_failover, writes
 * the cluster's row and tells the members that live). None unless the failover is finished, and all members that it left are down for long.
 */
export function listLeftBehind(
  backend: Backend,
  { heartbeats, serviceDownTime }: Pick<Observation, 'heartbeats' | 'serviceDownTime'>,
): readonly Row[] {
  if (!isFinished(backend)) return []
  const failing = backend.services.filter(isFailingOver)
  return failing.every((row) => isLongDown(row, serviceDownTime) && !hasRisen(row, heartbeats)) ? failing : []
}

/** Whether the cluster's row names the array that it was failed over to. */
function isFinished({ cluster }: Backend): boolean {
  return cluster?.state.replication_status === 'failed-over' && Boolean(cluster.state.active_backend_id)
}

function isFailingOver({ state }: Row): boolean {
  return state.replication_status === 'failing-over'
}

/** What a start does to the other backends of the same process. */
export function warnOfNeighbours({ neighbours }: Observation, restarts: boolean): readonly string[] {
  if (!restarts) return []
  return neighbours
    .filter(({ state }) => state.replication_status === 'failover-error' || state.replication_status === 'error')
    .map(
      ({ name, state }) =>
        `The start sets replication_status of ${quote(name)}, which the same cinder-volume serves, from ${quote(state.replication_status ?? '')} to what its driver says. Nothing tells then that its failover ended in an error: settle that first.`,
    )
}
