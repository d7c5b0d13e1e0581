/**
 * plan/ decides: a request and an observation in, a plan out. rows.ts plans what is written into rows, timing.ts when, config.ts the edit of
 * cinder.conf; guards.ts and warnings.ts are tables. Imports model/, text/, drivers/ and the reading half of oslo/.
 *
 * Promised: no input or output; the same facts give the same plan, so check mode is the run's own first plan, and the next run finishes the work of
 * a run that was killed; planned again after all steps are done, nothing is left.
 * Not promised: that a plan can be carried out. The facts are of one moment, so every step is planned and judged again before it is done.
 */
import {
  type Backend,
  type BackendState,
  type Desired,
  listRows,
  makeRowKey,
  type Row,
  withStates,
} from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { clearsFailover, isBackendFailedOver, isFailedBack, isFailedOver } from '../model/failover.js'
import type { Observation } from '../model/observation.js'
import type { BackendChange, Plan, Step } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { quote } from '../text/quote.js'
import type { ConfigPlan, PlanConfig } from './config-plan.js'
import { warnOfNeighbours } from './failing-over.js'
import { type Candidate, listRefusals } from './guards.js'
import {
  judgeFailedOverStart,
  judgeNormal,
  judgeReset,
  listProofWarnings,
  PROVEN,
  type Proof,
  warnOfFailedBack,
  warnOfLostEntry,
  warnOfUnknownPrimary,
} from './proof.js'
import { applyChange, needsReset, planRows, restoreRows } from './rows.js'
import {
  divideDesired,
  hasFreshHeartbeat,
  hasProvenHeartbeat,
  judgeLiveness,
  mayStillBeFailedOver,
  resolveDesired,
} from './timing.js'

/** The changes of one backend's rows, by when they are written. */
interface BackendPhases {
  readonly backend: Backend
  readonly desired: Desired
  readonly before: BackendChange
  readonly stopped: BackendChange
  /** The backend as the second change leaves it, and what is still wanted of it then. */
  readonly left: Backend
  readonly after: Desired
}

/**
 * All steps that are missing, in order, and what forbids them. The plan comes from the request and the observation alone, so that the next run of
 * a killed run finishes its work. Errors: config_error, invalid_request, conflict (a restore of rows that changed since).
 */
export function makePlan(request: Request, observation: Observation, planConfig: PlanConfig): Plan {
  const config = planConfig(request, observation)
  const phases = observation.backends.map((backend) => planPhases(backend, request))
  const isAtRest = config.edit !== undefined || phases.some(({ stopped }) => stopped.rows.length > 0)
  const control = planService(observation, request, isAtRest)
  const predict = control.starts ? makeStartPrediction(observation, config) : (backend: Backend) => backend
  const tails = phases.map(({ left, after }) => planRows(predict(left), after))
  const { service } = observation
  const awaitDown = planAwaitDown(phases, request, observation, isAtRest)
  const optional: readonly (Step | undefined)[] = [
    request.wait ? undefined : awaitDown,
    makeWriteStep(phases.map(({ before }) => before)),
    control.stops && service ? { kind: 'stop_service', actions: ['stop_service'], service } : undefined,
    request.wait ? awaitDown : undefined,
    config.edit && { kind: 'update_config', actions: ['update_config'], edits: [config.edit] },
    makeWriteStep(phases.map(({ stopped }) => stopped)),
    control.starts && service ? { kind: 'start_service', actions: ['start_service'], service } : undefined,
    planAwaitHeartbeat(observation, request, control.starts, tails),
    makeWriteStep(tails),
    planCleanup(phases, tails, request, config),
  ]
  const steps = optional.filter((step) => step !== undefined)
  const waitsForDown = steps.some(({ kind }) => kind === 'await_down')
  const controlsService = control.stops || control.starts
  const facts = { request, observation, config, waitsForDown, controlsService, ...control }
  // Also a wait needs to know whose service it is.
  const isAboutFiles = request.service === undefined ? config.edit !== undefined : steps.length > 0
  if (isAboutFiles && config.otherBackend !== undefined) throw config.otherBackend
  const candidates = phases.map((each, index) => makeCandidate(each, tails[index], facts))
  return {
    steps,
    needsRest: isAtRest,
    refusals: listRefusals(candidates),
    obstacle: findWriteObstacle(config, observation) ?? findMissingReplica(candidates, config),
    section: config.section,
    warnings: [
      ...config.warnings,
      ...(isAboutFiles ? config.notes : []),
      ...listProofWarnings(candidates),
      ...candidates.flatMap(({ backend, edit, resets }) =>
        edit?.keepsOldCopy && !resets ? warnOfLostEntry(backend, config.findEvidence(backend)) : [],
      ),
      ...phases.flatMap(({ left }) => (control.starts ? warnOfStart(left, request, config) : [])),
      ...phases.flatMap(({ left }) => (isFailedBack(left) ? warnOfFailedBack(left, config.findEvidence(left)) : [])),
      ...warnOfMissingReplica(candidates, config),
      ...warnOfNeighbours(observation, control.starts),
    ],
  }
}

type CandidateFacts = Pick<Candidate, 'request' | 'observation' | 'waitsForDown' | 'controlsService'> &
  ServiceControl & { readonly config: ConfigPlan }

/** One backend as the guards look at it. */
function makeCandidate(
  phases: BackendPhases,
  tail: BackendChange | undefined,
  { config, stops, starts, ...facts }: CandidateFacts,
): Candidate {
  const { backend, desired, before, stopped } = phases
  const proof = judgePrimary(phases, { config, starts, request: facts.request })
  return {
    ...facts,
    stopsService: stops,
    backend,
    desired,
    rows: [before, stopped, ...(tail === undefined ? [] : [tail])].flatMap(({ rows }) => rows),
    resets: needsReset(backend, desired),
    mustBeProven: config.mustBeProven || proof.objection !== undefined,
    proof,
    mustBeDown: mustBeDown(phases),
    edit: config.edit,
    findActiveEntry: () => config.findActiveEntry(backend, 'now'),
    configRefusal: config.refusal,
  }
}

/** Whether cinder-volume would run on the array that has the volumes, as far as that can be known. */
function judgePrimary(
  { backend, desired, stopped, left }: BackendPhases,
  { config, starts, request }: Pick<CandidateFacts, 'config' | 'starts' | 'request'>,
): Proof {
  const resets = needsReset(backend, desired)
  if (resets || config.mustBeProven || (request.restore !== undefined && stopped.rows.some(clearsFailover))) {
    const isBare = request.service === undefined && request.config === undefined && desired.frozen !== false
    return judgeReset({ backend, evidence: config.findEvidence(backend), isBare })
  }
  if (isBackendFailedOver(left))
    return starts ? judgeFailedOverStart(left, config.findActiveEntry(left, 'edited')) : PROVEN
  return judgeNormal(left, config.findEvidence(left), starts)
}

/** Without what the request itself tells of the primary. */
function warnOfStart(left: Backend, { config: wanted }: Request, config: ConfigPlan): readonly string[] {
  const { desired, promoted } = left.target
  const isTold = promoted !== undefined || wanted?.promote !== undefined || (wanted?.options.size ?? 0) > 0
  if (isTold || desired.active_backend !== 'reset') return []
  return warnOfUnknownPrimary(left, config.findEvidence(left))
}

/** What keeps cinder.conf, or the old copy beside it, from being written. */
function findWriteObstacle({ edit }: ConfigPlan, { config }: Observation): AgentError | undefined {
  if (edit === undefined) return undefined
  return config?.obstacles.get(edit.file) ?? (edit.keepsOldCopy ? config?.copyObstacles.get(edit.file) : undefined)
}

/** Backends whose replication is to be enabled, though their section names no replica. */
function listMissingReplicas(candidates: readonly Candidate[], config: ConfigPlan): readonly Candidate[] {
  return candidates.filter(
    ({ backend, desired, rows, controlsService }) =>
      desired.replication === 'enabled' && (rows.length > 0 || controlsService) && config.hasReplica(backend) === false,
  )
}

/** cinder/volume/manager.py, init_host: the driver says at its start whether it replicates. */
function findMissingReplica(candidates: readonly Candidate[], config: ConfigPlan): AgentError | undefined {
  const [first] = listMissingReplicas(candidates, config)
  if (first?.request.service?.state !== 'started') return undefined
  const { kind, name } = first.backend.target
  return new AgentError(
    'replication_not_enabled',
    `The section of ${quote(name)} has no replication_device, so its driver would report no replication at the start.`,
    { hint: 'Name its replicas in {replicas}, or ask for replication: disabled.', [kind]: name },
  )
}

function warnOfMissingReplica(candidates: readonly Candidate[], config: ConfigPlan): readonly string[] {
  return listMissingReplicas(candidates, config)
    .filter(({ request }) => request.service?.state !== 'started')
    .map(
      ({ backend }) =>
        `The section of ${quote(backend.target.name)} has no replication_device, so cinder-volume sets replication to disabled at its next start.`,
    )
}

/**
 * The old copies of cinder.conf, once the promotion is finished: cinder-volume has started on the new primary, or without a service, the backend is
 * thawed. A copy of a backend that was failed back is the way back to its primary, until cinder-volume runs on that.
 */
function planCleanup(
  phases: readonly BackendPhases[],
  tails: readonly BackendChange[],
  { service }: Request,
  { listOldCopies, findEvidence }: ConfigPlan,
): Step | undefined {
  const copies = phases.flatMap(({ backend, left }, index) => {
    const tail = tails[index]
    const after = tail === undefined ? left : applyChange(left, tail)
    const isFinished = service === undefined ? !listRows(after)[0]?.state.frozen : service.state === 'started'
    const isWayBack = isFailedBack(after) && findEvidence(after).kind === 'disproven'
    return isFinished && !isBackendFailedOver(after) && !isWayBack ? listOldCopies(backend) : []
  })
  return copies.length > 0 ? { kind: 'remove_old_copy', actions: [], copies } : undefined
}

function planPhases(backend: Backend, request: Request): BackendPhases {
  const desired = resolveDesired(backend, request)
  const divided = divideDesired(backend, desired, request.service)
  const before = planRows(backend, divided.before)
  const held = applyChange(backend, before)
  const stopped = request.restore ? restoreRows(held, request.restore) : planRows(held, divided.stopped)
  return { backend, desired, before, stopped, left: applyChange(held, stopped), after: divided.after }
}

interface ServiceControl {
  readonly stops: boolean
  readonly starts: boolean
}

/** The service is stopped if the request wants that, or if something is to be done that it must not run through. */
function planService({ service }: Observation, request: Request, isAtRest: boolean): ServiceControl {
  if (service === undefined || request.service === undefined) return { stops: false, starts: false }
  const wanted = request.service.state
  const stops = service.state !== 'stopped' && (wanted === 'stopped' || isAtRest)
  return { stops, starts: wanted === 'started' && (service.state !== 'started' || stops) }
}

/**
 * A wait for the services that must be down before something is done, and are not known to be. If nothing is to be waited for, it is only long enough
 * to see whether an old heartbeat stands still, and comes before everything else, because a service that beats is refused then.
 */
function planAwaitDown(
  phases: readonly BackendPhases[],
  request: Request,
  observation: Observation,
  isAtRest: boolean,
): Step | undefined {
  const { service, waitIsOver } = observation
  const { wait, force } = request
  if (waitIsOver || (force && !wait)) return undefined
  const ownMustBeDown = wait
    ? isAtRest || request.service?.state === 'stopped'
    : isAtRest && service?.state === 'stopped'
  const isAwaited = (row: Row) => {
    const liveness = judgeLiveness(row, observation)
    if (!wait) return liveness === 'unproven'
    return liveness !== 'down' || (isAtRest && mayStillBeFailedOver(row, observation))
  }
  const hosts = phases.flatMap((each) => {
    const all = mustBeDown(each)
    return each.backend.services
      .filter((row) => all || (ownMustBeDown && row.name === service?.host))
      .filter(isAwaited)
      .map(({ name }) => name)
  })
  return hosts.length > 0 ? { kind: 'await_down', actions: [], hosts } : undefined
}

/** Whether no service of the backend may run: under a reset, and if another array is set as the one that the backend runs on. */
function mustBeDown({ backend, desired, stopped }: BackendPhases): boolean {
  const moves = stopped.rows.some(
    ({ row, after }) => (row.state.active_backend_id || null) !== (after.active_backend_id || null),
  )
  return moves || needsReset(backend, desired)
}

/** A start is proven by a heartbeat that comes after it; until then nothing is thawed. */
function planAwaitHeartbeat(
  observation: Observation,
  { wait, service: wanted }: Request,
  starts: boolean,
  tails: readonly BackendChange[],
): Step | undefined {
  const { service } = observation
  if (!wait || service === undefined || wanted?.state !== 'started') return undefined
  const isProven = !starts && hasProvenHeartbeat(observation, service)
  const hasTail = tails.some(({ rows }) => rows.length > 0)
  const isOpen = starts || service.startedAt !== undefined || hasTail || !hasFreshHeartbeat(observation, service)
  return isOpen && !isProven ? { kind: 'await_heartbeat', actions: [], service } : undefined
}

/** What the driver sets at its start if the section names a replica: the service's row, and the cluster's, become enabled. */
function makeStartPrediction(observation: Observation, config: ConfigPlan): (backend: Backend) => Backend {
  const { service } = observation
  return (backend) => {
    if (service === undefined || config.hasReplica(backend) !== true) return backend
    const isStarted = ({ table, name, state }: Row) =>
      (table === 'clusters' || name === service.host) && !isFailedOver(state)
    const states = listRows(backend)
      .filter(isStarted)
      .map((row): [string, BackendState] => [makeRowKey(row), { ...row.state, replication_status: 'enabled' }])
    return withStates(backend, new Map(states))
  }
}

/** One transaction for all backends; undefined if nothing is to be written. */
function makeWriteStep(changes: readonly BackendChange[]): Step | undefined {
  const needed = changes.filter(({ rows }) => rows.length > 0)
  if (needed.length === 0) return undefined
  return { kind: 'write_rows', actions: [...new Set(needed.flatMap(({ actions }) => actions))], changes: needed }
}
