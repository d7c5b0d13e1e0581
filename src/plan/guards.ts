import { type Backend, type Desired, listRows, type Row, type RowChange } from '../model/backend.js'
import { isFailedOver } from '../model/failover.js'
import { thawState } from '../model/freeze.js'
import { getHeartbeatTimeout, hasRisen, isUp } from '../model/heartbeat.js'
import type { Observation } from '../model/observation.js'
import type { ConfigEdit, GuardCode, Refusal } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { quote } from '../text/quote.js'
import { objectToFailoverInProgress } from './failing-over.js'
import type { ActiveEntry, Proof } from './proof.js'
import { getReportInterval, judgeLiveness, mayStillBeFailedOver } from './timing.js'
import { describeFailover, describeHeartbeat, hasOtherClock } from './words.js'

/** What a guard says; the rest of a refusal is known. */
export type Objection = Pick<Refusal, 'problem' | 'hint'>

/** One backend with all that is planned for it. */
export interface Candidate {
  readonly backend: Backend
  readonly desired: Desired
  /** All changes of its rows, in their order. */
  readonly rows: readonly RowChange[]
  readonly resets: boolean
  /** Whether the request speaks of a promotion that nothing in the section shows, though the row is still failed over. */
  readonly mustBeProven: boolean
  /** Whether the primary is the array that the backend is failed over to, as far as that matters. */
  readonly proof: Proof
  /** Whether no service of the backend may run. */
  readonly mustBeDown: boolean
  readonly controlsService: boolean
  readonly stopsService: boolean
  readonly edit: ConfigEdit | undefined
  /** The array that the backend runs on, if its section does not have the entry any more. */
  readonly findActiveEntry: () => ActiveEntry
  /** Why the section must not be edited, or the row reset, for the replica that the request names. */
  readonly configRefusal: Objection | undefined
  /** Whether the plan waits until services are down. */
  readonly waitsForDown: boolean
  readonly request: Request
  readonly observation: Observation
}

interface Guard {
  readonly code: GuardCode
  /** What it refuses, word for word as in README.md. */
  readonly refusesWhen: string
  readonly object: (candidate: Candidate) => Objection | undefined
}

/** Every guard, in the order in which refusals are reported. A guard speaks only if something would change. */
export const GUARDS: readonly Guard[] = [
  {
    code: 'failover_in_progress',
    refusesWhen:
      'anything but a start of cinder-volume is to be done while `replication_status` is `failing-over`, or cinder-volume is to be stopped while that of another backend that it serves is',
    object: objectToFailoverInProgress,
  },
  {
    code: 'not_failed_over',
    refusesWhen:
      '`config.promote` would change cinder.conf, or goes with a reset, and the backend is not failed over to the array that it names; or a reset goes with an edit, and the backend was failed back',
    object: ({ configRefusal }) => configRefusal,
  },
  {
    code: 'not_promoted',
    refusesWhen:
      'a reset is to be done, and it is not shown or stated that the primary of the section, as it will stand after this run, is the array that the backend is failed over to; or it is disproven; or cinder-volume is to be started on a row that stays failed over to an array that the section does not have as a replica; or a statement, or the primary of a backend whose promotion is not finished, is disproven',
    object: objectToPrimary,
  },
  {
    code: 'failed_over',
    refusesWhen:
      '`replication` or `frozen: false` would change a backend that is failed over, without a reset in the same request',
    object: objectToHiddenFailover,
  },
  {
    code: 'not_frozen',
    refusesWhen: 'a reset is to be done, the backend is not frozen, and the request does not say `frozen`',
    object: objectToUnfrozen,
  },
  {
    code: 'service_up',
    refusesWhen:
      "a reset is to be done, or another `active_backend_id` to be restored, and the service, or a member of the cluster, has a heartbeat younger than `service_down_time`, by the database's clock, or, where it is younger than ten minutes or ten times `service_down_time`, whose `report_count` was not seen to stand still: clocks lag; or cinder.conf is to be edited without `wait` while Cinder would still take a failover of the service that the run stops: its heartbeat is younger than that, and `replication_status` is `enabled` or `failed-over`",
    object: objectToRunningService,
  },
]

/** What all guards refuse, in their order, and in each by the order of the backends. */
export function listRefusals(candidates: readonly Candidate[]): readonly Refusal[] {
  const changing = candidates.filter(
    ({ rows, edit, controlsService, mustBeProven }) =>
      rows.length > 0 || edit !== undefined || controlsService || mustBeProven,
  )
  return GUARDS.flatMap(({ code, object }) =>
    changing.flatMap((candidate) => {
      const objection = object(candidate)
      const { kind, name } = candidate.backend.target
      return objection === undefined ? [] : [{ code, target: { kind, name }, ...objection }]
    }),
  )
}

/** If the request hides the failover too, `failed_over` alone refuses it: it lacks a reset, and a reset changes what the start must find. */
function objectToPrimary(candidate: Candidate): Objection | undefined {
  const { objection, isFailedOverStart } = candidate.proof
  return isFailedOverStart && objectToHiddenFailover(candidate) !== undefined ? undefined : objection
}

function objectToHiddenFailover({ backend, desired }: Candidate): Objection | undefined {
  const rows = listRows(backend)
  const failedOver = rows.find(({ state }) => isFailedOver(state))
  if (failedOver === undefined || desired.active_backend === 'reset') return undefined
  const thaws = desired.frozen === false && rows.some(({ state }) => thawState(state) !== state)
  const { replication } = desired
  const replicates = replication !== undefined && rows.some(({ state }) => state.replication_status !== replication)
  if (!thaws && !replicates) return undefined
  const what = thaws ? 'a thaw' : 'a change of replication'
  return {
    problem: `${quote(backend.target.name)} is failed over (${describeFailover(failedOver.state)}), so ${what} needs a reset in the same request.`,
    hint: 'Edit cinder.conf for the new primary and {reset}, or fail the backend back in Cinder.',
  }
}

function objectToUnfrozen({ backend, desired, resets }: Candidate): Objection | undefined {
  const [main] = listRows(backend)
  if (!resets || main?.state.frozen || desired.frozen !== undefined) return undefined
  return {
    problem: `${quote(backend.target.name)} is not frozen, so volumes could be created on it during the reset.`,
    hint: 'Freeze it first: {freeze}.',
  }
}

function objectToRunningService(candidate: Candidate): Objection | undefined {
  const { backend, request, observation, mustBeDown, waitsForDown } = candidate
  if (waitsForDown && request.wait) return undefined
  if (!mustBeDown) return objectToEditInFailover(candidate)
  const [first, ...others] = backend.services.filter((row) => {
    const liveness = judgeLiveness(row, observation)
    return liveness === 'up' || (liveness === 'unproven' && !waitsForDown) || mayStillBeFailedOver(row, observation)
  })
  if (first === undefined) return undefined
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  const [what, hint] = describeLiveness(first, observation)
  return {
    problem: `cinder-volume on ${quote(first.name)}${more} ${what} (${describeHeartbeat(first, observation)}).`,
    hint,
  }
}

/** Once the service is stopped nothing may be refused any more, so an edit needs the wait until Cinder would take no failover. */
function objectToEditInFailover({ backend, edit, observation }: Candidate): Objection | undefined {
  const row = backend.services.find((each) => mayStillBeFailedOver(each, observation))
  if (edit === undefined || row === undefined) return undefined
  return {
    problem: `To Cinder ${quote(row.name)} is up (${describeHeartbeat(row, observation)}), so it could be failed over during the edit of cinder.conf.`,
    hint: 'Add {wait}, or stop it and run this again once its heartbeat is older than that.',
  }
}

/** What is seen of a service that is not down, and what to do. */
function describeLiveness(row: Row, observation: Observation): readonly [string, string] {
  const { heartbeats, service, serviceDownTime } = observation
  if (!isUp(row, serviceDownTime) && judgeLiveness(row, observation) === 'unproven') {
    const isStopped = service?.state === 'stopped' && row.name === service.host
    const hint = isStopped
      ? 'Find the other process that serves this backend and stop it, or correct {service_name}.'
      : 'Run it again, or add {wait}.'
    return [`was not seen to stand still for ${getHeartbeatTimeout(getReportInterval(observation))} s`, hint]
  }
  const hint = hasOtherClock(row, observation)
    ? 'Stop it, and correct the clock of its host.'
    : 'Stop it and wait until its heartbeat is older than that, or add {wait}.'
  return [hasRisen(row, heartbeats) ? 'is up: its report_count rises' : 'is up', hint]
}
