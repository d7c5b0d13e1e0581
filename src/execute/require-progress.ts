import {
  type Backend,
  COLUMNS,
  getActiveBackendId,
  makeRowKey,
  makeTargetKey,
  type RowChange,
} from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { clearsFailover, isBackendFailedOver, isFailedBack } from '../model/failover.js'
import type { Journal } from '../model/journal.js'
import type { Observation } from '../model/observation.js'
import type { GuardCode, Plan, Step } from '../model/plan.js'
import { describeFailover } from '../plan/words.js'
import { quote } from '../text/quote.js'

/** Times that a run waits for services to be down, if one starts again. */
const MOST_WAITS = 2

/** Times that a run tries steps of one kind: rows are written three times at most, and rows that change under their lock are planned again. */
const MOST_TRIES = 6

/**
 * A step that was done and is planned again tells that the world undid it. Errors: failed_over (a new failover after the reset),
 * replication_not_enabled, service_control_failed, timeout.
 */
export function requireProgress(plan: Plan, observation: Observation, { steps: done, first }: Journal): void {
  if (done.length === 0) return
  assertStaysReset(plan, done)
  if (findOtherFailover(plan, observation, first) !== undefined) return // requireSameFailover tells that, after the guards
  assertReplicationEnabled(plan, done, observation)
  assertServiceStays(plan, done, observation)
}

/** Errors: failed_over. */
function assertStaysReset({ steps }: Plan, done: readonly Step[]): void {
  const reset = listChanges(steps).find(clearsFailover)
  if (reset === undefined || !listChanges(done).some(clearsFailover)) return
  const { row } = reset
  const isRunning = row.state.replication_status === 'failing-over'
  throw new AgentError(
    'failed_over',
    `${quote(row.name)} was failed over again after its reset (${describeFailover(row.state)}).`,
    {
      hint: isRunning
        ? 'cinder-volume finishes that failover once it runs. Find out who started it, and why.'
        : 'Find out who failed it over, and why. Another run would reset it again.',
      ...nameRow(row),
    },
  )
}

/** Guards that tell of the other failover themselves, and what it means for the request. */
const SAYS_MORE: ReadonlySet<GuardCode> = new Set(['failover_in_progress', 'not_failed_over'])

/**
 * The request was made for the failover that the run saw first. A reset or an edit for another failover, which nobody has judged, would lead Cinder
 * to the wrong array. Errors: conflict.
 */
export function requireSameFailover(plan: Plan, observation: Observation, { first, request }: Journal): void {
  const found = findOtherFailover(plan, observation, first)
  if (found === undefined) return
  const isBack = isFailedBack(found.is)
  if (!isBack && !request.force && plan.refusals.some(({ code }) => SAYS_MORE.has(code))) return
  const { kind, name } = found.is.target
  throw new AgentError(
    'conflict',
    `${quote(name)} is ${describeArray(found.is)}, but it was ${describeArray(found.was)} when this run began.`,
    {
      hint: isBack
        ? 'Somebody failed it back, so there is nothing to promote. Find out who, and do not run this again.'
        : 'Find out who failed it over. Correct the request for that array, and run it again.',
      [kind]: name,
    },
  )
}

/** A backend that the plan resets or edits, and whose failover is not the one that the run saw first. */
function findOtherFailover(
  { steps }: Plan,
  { backends }: Observation,
  first: Observation | undefined,
): { readonly is: Backend; readonly was: Backend } | undefined {
  const known = new Map(first?.backends.map((backend) => [makeTargetKey(backend.target), backend]))
  for (const is of backends) {
    const key = makeTargetKey(is.target)
    const was = known.get(key)
    if (was !== undefined && isOtherFailover(is, was) && dependsOnFailover(steps, is, key)) return { is, was }
  }
  return undefined
}

/** Whether Cinder has failed the backend over or back. A reset, which another run may have done, leaves NULL, and a fail-back leaves `''`. */
function isOtherFailover(is: Backend, was: Backend): boolean {
  if (isFailedBack(is)) return isBackendFailedOver(was) && !isFailedBack(was)
  return isBackendFailedOver(is) && describeArray(is) !== describeArray(was)
}

function dependsOnFailover(steps: readonly Step[], backend: Backend, key: string): boolean {
  const edits = steps.flatMap((step) => (step.kind === 'update_config' ? step.edits : []))
  const changes = steps.flatMap((step) => (step.kind === 'write_rows' ? step.changes : []))
  return (
    edits.some(({ target }) => makeTargetKey(target) === key) ||
    changes.some((change) => makeTargetKey(change.backend.target) === key && change.rows.some(clearsFailover)) ||
    (steps.length > 0 && backend.target.desired.active_backend === 'reset' && isFailedBack(backend))
  )
}

function describeArray(backend: Backend): string {
  if (isFailedBack(backend)) return 'failed back to its primary'
  const active = getActiveBackendId(backend)
  if (active !== undefined) return `failed over to ${quote(active)}`
  return isBackendFailedOver(backend) ? 'failed over to an unknown array' : 'not failed over'
}

/** The driver says at its start whether it replicates (cinder/volume/manager.py, init_host). */
function assertReplicationEnabled({ steps }: Plan, done: readonly Step[], { service }: Observation): void {
  const enabling = listChanges(steps).find(
    ({ row, after }) => row.state.replication_status !== 'enabled' && after.replication_status === 'enabled',
  )
  if (enabling === undefined || service === undefined || !hasKind(done, 'start_service')) return
  const { row } = enabling
  throw new AgentError(
    'replication_not_enabled',
    `cinder-volume is up, but its driver reports replication_status ${quote(JSON.stringify(row.state.replication_status))} for ${quote(row.name)} (expected "enabled").`,
    {
      hint: 'Check in its log whether it reaches the replica. Correct {replicas}, or the array, and run this again.',
      ...nameRow(row),
    },
  )
}

/** Somebody else, such as a configuration manager, may start or stop the service while the agent works. */
function assertServiceStays({ steps }: Plan, done: readonly Step[], { service }: Observation): void {
  assertStaysDown(steps, done)
  if (service === undefined) return
  const { manager, name, host, state } = service
  if (hasKind(done, 'stop_service') && hasKind(steps, 'stop_service')) {
    throw new AgentError(
      'service_control_failed',
      `${quote(name)} was started again while it must be stopped (${manager}: ${state}).`,
      { hint: 'Check for a configuration manager or another run that starts it, then run this again.', host },
    )
  }
  if (hasKind(done, 'start_service') && hasKind(steps, 'start_service')) {
    throw new AgentError('service_control_failed', `${quote(name)} does not stay started (${manager}: ${state}).`, {
      hint: 'Check the log of cinder-volume, and run this again.',
      host,
    })
  }
}

/** The service may be that of another host. Errors: timeout. */
function assertStaysDown([next]: readonly Step[], done: readonly Step[]): void {
  if (next?.kind !== 'await_down' || countKind(done, 'await_down') < MOST_WAITS) return
  const [host = ''] = next.hosts
  throw new AgentError(
    'timeout',
    `The heartbeat of ${next.hosts.map((each) => quote(each)).join(', ')} does not stay stopped.`,
    { hint: 'Find the other process that serves this backend, and stop it.', host },
  )
}

/**
 * Whatever the world does, a run ends: each turn of its loop tries one step, and no kind of step is tried more than MOST_TRIES times. `tried` has the
 * steps that were not done too, because they were not needed any more. Errors: conflict.
 */
export function requireEnd(step: Step, tried: readonly Step['kind'][]): void {
  const tries = tried.filter((kind) => kind === step.kind).length
  if (tries < MOST_TRIES) return
  throw new AgentError(
    'conflict',
    `This run has tried the same step (${step.kind}) ${tries} times, and it is still needed.`,
    {
      hint: 'Find out who else changes the rows, cinder.conf or the service, then run this again.',
    },
  )
}

/** The next step must not write again what this run has written. Errors: conflict. */
export function requireNothingUndone({ steps }: Plan, { steps: done }: Journal): void {
  const edit = steps.find((step) => step.kind === 'update_config')
  if (edit?.kind === 'update_config' && hasKind(done, 'update_config')) {
    const [file] = edit.edits.map((each) => quote(each.file))
    throw new AgentError('conflict', `${file} was changed back after this run had changed it.`, {
      hint: 'Find out who changed it, such as a deploy tool, and run this again.',
    })
  }
  const written = new Set(listChanges(done).flatMap(describeColumns))
  const again = listChanges(steps.slice(0, 1)).find((change) =>
    describeColumns(change).some((each) => written.has(each)),
  )
  if (again === undefined) return
  throw new AgentError('conflict', `${quote(again.row.name)} was changed back after this run had changed it.`, {
    hint: 'Find out who changed it, and run this again.',
    ...nameRow(again.row),
  })
}

/** Without replication_status, which the driver sets at each start. */
function describeColumns({ row, after }: RowChange): readonly string[] {
  return COLUMNS.filter((column) => column !== 'replication_status' && row.state[column] !== after[column]).map(
    (column) => `${makeRowKey(row)} ${column} ${JSON.stringify(after[column])}`,
  )
}

function listChanges(steps: readonly Step[]): readonly RowChange[] {
  return steps.flatMap((step) => (step.kind === 'write_rows' ? step.changes.flatMap(({ rows }) => rows) : []))
}

function hasKind(steps: readonly Step[], kind: Step['kind']): boolean {
  return steps.some((step) => step.kind === kind)
}

function countKind(steps: readonly Step[], kind: Step['kind']): number {
  return steps.filter((step) => step.kind === kind).length
}

function nameRow({ table, name }: RowChange['row']): { readonly host?: string; readonly cluster?: string } {
  return table === 'services' ? { host: name } : { cluster: name }
}
