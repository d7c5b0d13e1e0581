/**
 * observe/ makes an observation: the rows put together as backends, the heartbeats seen so far, cinder.conf, the service. Imports model/, text/,
 * oslo/ (files and settings), and from store/ and service/ their ports.
 *
 * Promised: an observation is never changed, a new look makes a new one; only what is needed is read again; the manager is asked while the
 * database answers; a name that is not exact is not found.
 * Not promised: that rows, files and service are of the same moment.
 */
import { listRows, type Row } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { isBackendFailedOver } from '../model/failover.js'
import { updateHistory } from '../model/heartbeat.js'
import type { ConfigFacts, Observation, ServiceState } from '../model/observation.js'
import type { Request } from '../model/request.js'
import type { ServiceManager } from '../service/manager.js'
import { groupRows } from './backends.js'

/** The kinds of facts that a look can read again. */
export type Need = 'rows' | 'config' | 'service'

export interface Clock {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** Errors: interrupted. */
  readonly pause: (ms: number) => Promise<void>
}

/** Where facts come from. */
export interface Sources {
  readonly request: Request
  readonly clock: Clock
  /** Seconds. */
  readonly serviceDownTime: number
  /** Seconds. */
  readonly reportInterval: number
  /** Of what the request names, and of these hosts too. */
  readonly readRows: (neighbours: readonly string[]) => Promise<readonly Row[]>
  readonly readConfig: () => Promise<ConfigFacts>
  /** undefined: the request is not about the service. */
  readonly manager: ServiceManager | undefined
  /** Is given every look at the rows, also one that a failure follows. */
  readonly onRows: (observation: Observation) => void
}

/**
 * The first look at everything that the request is about. The manager is asked while the database answers.
 * Errors: config_error, service_not_found, ambiguous_service, invalid_request, service_control_failed, and those of the store.
 */
export async function observeAll(sources: Sources): Promise<Observation> {
  const { request, manager, serviceDownTime, reportInterval } = sources
  const isAboutConfig = request.config !== undefined || request.service !== undefined
  const config = isAboutConfig ? await sources.readConfig() : undefined
  const state = manager?.readState()
  state?.catch(() => {}) // it is awaited below, after the rows were read
  const first = await readAllRows(
    {
      at: 0,
      backends: [],
      heartbeats: new Map(),
      neighbours: [],
      neighbourHosts: await listNeighbourHosts(sources, config),
      config,
      service: undefined,
      serviceDownTime,
      reportInterval,
      waitIsOver: false,
    },
    sources,
  )
  sources.onRows(first)
  const withConfig = config === undefined && wantsToSeeSection(first, request) ? await readIfPossible(sources) : config
  const observation = { ...first, config: withConfig }
  return manager === undefined || state === undefined
    ? observation
    : withService(observation, manager, await state.catch(throwWithTarget(request)), request)
}

/** A new look at some of the facts; the others are those of the last look. Errors: those of observeAll. */
export async function observeAgain(needs: readonly Need[], last: Observation, sources: Sources): Promise<Observation> {
  const { request, manager } = sources
  let observation = last
  if (needs.includes('config') && last.config !== undefined)
    observation = { ...observation, config: await sources.readConfig() }
  if (needs.includes('service') && manager !== undefined) {
    const state = await manager.readState().catch(throwWithTarget(request))
    observation = withServiceState(observation, state)
  }
  return needs.includes('rows') ? readAllRows(observation, sources) : observation
}

/** The rows of the request's backends, with those of their neighbours in the same statement. */
async function readAllRows(last: Observation, sources: Sources): Promise<Observation> {
  const { neighbourHosts } = last
  let neighbours: readonly Row[] = []
  const read = async () => {
    const rows = await sources.readRows(neighbourHosts)
    neighbours = rows.filter(({ table, name }) => table === 'services' && neighbourHosts.includes(name))
    return rows
  }
  const seen = await observeRows(last, read, sources)
  return { ...seen, neighbours }
}

/** The other backends of the cinder-volume that the request is about. */
async function listNeighbourHosts(
  { request, manager }: Sources,
  config: ConfigFacts | undefined,
): Promise<readonly string[]> {
  if (manager === undefined || config === undefined) return []
  return (await import('./service.js')).listNeighbourHosts(request, config)
}

/**
 * The observation with rows that are read now. How long a heartbeat has stood still is counted from the answer of one look to the question of another,
 * because an answer may be late. Errors: service_not_found, ambiguous_service, invalid_request, and those of `read`.
 */
export async function observeRows(
  last: Observation,
  read: () => Promise<readonly Row[]>,
  { request, clock }: Pick<Sources, 'request' | 'clock'>,
): Promise<Observation> {
  const at = clock.now()
  const backends = groupRows(request.targets, await read())
  const services = backends.flatMap((backend) => backend.services)
  return { ...last, at, backends, heartbeats: updateHistory(last.heartbeats, services, clock.now()) }
}

export function withServiceState(last: Observation, state: ServiceState): Observation {
  return last.service === undefined ? last : { ...last, service: { ...last.service, state } }
}

async function withService(
  observation: Observation,
  manager: ServiceManager,
  state: ServiceState,
  request: Request,
): Promise<Observation> {
  const [backend] = observation.backends
  if (backend === undefined || observation.config === undefined) return observation
  const { describeService } = await import('./service.js')
  return { ...observation, service: describeService(request, backend, observation.config, manager, state) }
}

/**
 * A reset makes cinder-volume start on the primary of its section, and at a start the driver replicates only if the section names a replica. A thaw
 * can be the end of a promotion, and a statement about one can be wrong. If a cinder.conf can be found here, it is worth a look. A row that is to be
 * put back to an older state may be reset by that.
 */
function wantsToSeeSection({ backends }: Observation, { restore }: Request): boolean {
  return backends.some((backend) => {
    const { active_backend, replication, frozen } = backend.target.desired
    const thaws = frozen === false && listRows(backend).some(({ state }) => state.frozen)
    const enables =
      replication === 'enabled' && listRows(backend).some(({ state }) => state.replication_status !== 'enabled')
    const resets = (active_backend === 'reset' || restore !== undefined) && isBackendFailedOver(backend)
    return enables || resets || thaws || backend.target.promoted !== undefined
  })
}

/** undefined if there is none that this user can read: the request does not ask for it. */
async function readIfPossible({ readConfig }: Sources): Promise<ConfigFacts | undefined> {
  try {
    return await readConfig()
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

/** A failure of the manager is about the backend that the request names. */
export function throwWithTarget({ targets }: Request): (error: unknown) => never {
  return (error) => {
    const [target] = targets === 'all' ? [] : targets
    if (!(error instanceof AgentError) || target === undefined || error.details.host !== undefined) throw error
    throw new AgentError(error.code, error.problem, { ...error.details, [target.kind]: target.name })
  }
}
