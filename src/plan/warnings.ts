import { isFailedOver } from '../model/failover.js'
import type { Observation } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { quoteAll } from '../text/list.js'
import { quote } from '../text/quote.js'
import { listLeftBehind } from './failing-over.js'
import type { BackendSummary } from './summary.js'
import { describeClockLag } from './words.js'

/** What was done to one backend, or is to be done, with the facts that it was planned from. */
interface Subject extends BackendSummary {
  readonly request: Request
  readonly observation: Observation
}

interface StepWarning {
  readonly id: string
  readonly list: (subject: Subject) => readonly string[]
}

/** Every warning that goes with what a run does, in the order in which they are reported. */
const WARNINGS: readonly StepWarning[] = [
  { id: 'reset_while_unfrozen', list: warnOfUnfrozenReset },
  { id: 'other_backends_stop', list: warnOfOtherBackends },
  { id: 'start_while_failed_over', list: warnOfStartWhileFailedOver },
  { id: 'replication_not_checked', list: warnOfUncheckedReplication },
  { id: 'columns_set_directly', list: warnOfDirectColumns },
  { id: 'thaw_enables', list: warnOfEnabling },
  { id: 'failover_ended_in_error', list: warnOfFailoverError },
  { id: 'member_left_failing_over', list: warnOfLeftMembers },
  { id: 'members_not_checked', list: warnOfUncheckedMembers },
  { id: 'thaw_without_start', list: warnOfThawWithoutStart },
  { id: 'clocks_differ', list: warnOfClocks },
]

/** What an operator must know of what was done, or is to be done. */
export function listStepWarnings(
  summaries: readonly BackendSummary[],
  request: Request,
  observation: Observation,
): readonly string[] {
  const subjects = summaries.map((summary) => ({ ...summary, request, observation }))
  const warnings = subjects.flatMap((subject) => WARNINGS.flatMap(({ list }) => list(subject)))
  return [...warnings, ...summaries.flatMap(({ edit }) => edit?.warnings ?? [])]
}

/** With a service the backend is frozen before. */
function warnOfUnfrozenReset({ backend, rows, request, actions }: Subject): readonly string[] {
  const { desired, name } = backend.target
  if (!actions.includes('reset_active_backend') || request.service !== undefined || desired.frozen !== false) return []
  if (rows[0]?.row.state.frozen) return []
  return [`${quote(name)} was not frozen and is enabled at once, so volumes can be created on it from now on.`]
}

function warnOfOtherBackends({ observation: { service }, actions }: Subject): readonly string[] {
  if (service === undefined || service.others.length === 0 || !actions.includes('stop_service')) return []
  return [
    `Stopping ${quote(service.name)} stops the other backends that it serves too: ${service.others.map((each) => quote(each)).join(', ')}.`,
  ]
}

function warnOfStartWhileFailedOver({ backend, rows, edit, actions }: Subject): readonly string[] {
  if (edit === undefined || !actions.includes('start_service') || !rows.some(({ after }) => isFailedOver(after)))
    return []
  if (backend.target.desired.active_backend === 'reset') return []
  return [
    `cinder-volume starts on an edited section while ${quote(backend.target.name)} is still failed over. Some drivers refuse that. To reset it too, {reset}.`,
  ]
}

/** The driver sets replication_status at the start; wait: false skips the check. */
function warnOfUncheckedReplication({ backend, request, actions }: Subject): readonly string[] {
  if (request.service === undefined || request.wait || !actions.includes('start_service')) return []
  if (backend.target.desired.replication === undefined) return []
  return ['wait is false, so replication_status is not checked after cinder-volume has started.']
}

/**
 * A thaw enables the service, also if an admin had disabled it before it was frozen. A failover that fails disables it and keeps the reason of an
 * earlier time (cinder/volume/manager.py, failover), which may be over: Cinder keeps it when a service is enabled again (api/contrib/services.py).
 */
function warnOfEnabling({ rows, actions }: Subject): readonly string[] {
  if (!actions.includes('thaw')) return []
  return rows
    .filter(({ row, after }) => row.state.disabled && !after.disabled)
    .filter(({ row }) => !['frozen', 'failed-over'].includes(row.state.disabled_reason ?? ''))
    .flatMap(({ row }) => {
      const { disabled_reason, replication_status } = row.state
      const name = quote(row.name)
      const reason = quote(disabled_reason || 'none was given')
      if (!DISABLED_BY_FAILOVER.has(replication_status))
        return [`Thawing ${name} enables it, though it was disabled for another reason: ${reason}`]
      return disabled_reason
        ? [`The failover that ended in an error has disabled ${name}. Its reason is older, or Cinder's own: ${reason}`]
        : []
    })
}

/** After a failure Cinder itself has disabled the service. */
const DISABLED_BY_FAILOVER: ReadonlySet<string | null> = new Set(['failover-error', 'error'])

/** cinder/volume/manager.py, finish_failover: an error in the middle of a failover. */
function warnOfFailoverError({ backend, rows, actions }: Subject): readonly string[] {
  if (
    !actions.includes('reset_active_backend') ||
    !rows.some(({ row }) => row.state.replication_status === 'failover-error')
  )
    return []
  return [
    `The failover of ${quote(backend.target.name)} ended in an error, so its volumes may be on either array. Check the arrays before cinder-volume starts.`,
  ]
}

function warnOfLeftMembers({ backend, rows, actions, observation }: Subject): readonly string[] {
  if (actions.length === 0) return []
  const [cluster, ...services] = rows.map(({ row }) => row)
  const before = backend.cluster && { ...backend, cluster, services }
  return (before === undefined ? [] : listLeftBehind(before, observation)).map(
    ({ name }) =>
      `${quote(name)} was left failing-over by a failover that has finished without it. Its cinder-volume is down; give its cinder.conf the new primary before it starts.`,
  )
}

/** Each member reads a cinder.conf of its own, and the row that all share does not tell any more which array they must start on. */
function warnOfUncheckedMembers({ backend, actions, observation }: Subject): readonly string[] {
  if (backend.cluster === undefined || !actions.includes('reset_active_backend')) return []
  const others = backend.services.filter(({ name }) => name !== observation.service?.host)
  if (others.length === 0) return []
  const names = quoteAll(
    others.map(({ name }) => name),
    ', ',
  )
  return [
    `The cinder.conf of other members of ${quote(backend.target.name)} was not looked at: ${names}. Each must have the new primary before its cinder-volume starts.`,
  ]
}

/** Without a service nobody sees cinder-volume start on the section that was edited. */
function warnOfThawWithoutStart({ backend, request, edit, actions }: Subject): readonly string[] {
  if (
    request.service !== undefined ||
    edit === undefined ||
    !actions.includes('reset_active_backend') ||
    !actions.includes('thaw')
  )
    return []
  return [
    `${quote(backend.target.name)} is thawed without a check that cinder-volume starts with the edited section. Add service, or thaw later.`,
  ]
}

function warnOfDirectColumns({ backend, rows }: Subject): readonly string[] {
  const { desired } = backend.target
  const columns = (['active_backend_id', 'replication_status'] as const).filter(
    (column) => desired[column] !== undefined && rows.some(({ row, after }) => row.state[column] !== after[column]),
  )
  if (columns.length === 0) return []
  return [
    `Set past all guards on ${quote(backend.target.name)}: ${columns.join(', ')}. cinder-volume trusts these columns at its next start.`,
  ]
}

/** Cinder and this agent judge heartbeats by their age. */
function warnOfClocks({ backend, observation }: Subject): readonly string[] {
  return backend.services.flatMap((row) => {
    const lag = describeClockLag(row, observation)
    return lag === '' ? [] : [`The clock of cinder-volume on ${quote(row.name)} is ${lag}. Correct it.`]
  })
}
