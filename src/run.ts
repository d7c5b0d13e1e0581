import { hostname } from 'node:os'
import { apply } from './apply.js'
import type { ResultDocument } from './contract.generated.js'
import { AgentError, quotable } from './errors.js'
import { backendsOf, withSimilarNames } from './observe.js'
import { configFiles, isSameFile, load, type SourceFile } from './oslo/files.js'
import { readServiceDownTime, readSettings, readVolumeSettings } from './oslo/settings.js'
import { guard } from './plan/guards.js'
import { serviceHost } from './plan/own.js'
import { began, outcome, planNow, saw, sawState, type Work } from './progress.js'
import { failure, success } from './report/result.js'
import { scrubber } from './report/secrets.js'
import { parse } from './request/parse.js'
import { type Flags, toRequest } from './request/request.js'
import { openStore } from './store/open.js'
import { retrying } from './store/retry.js'
import { type DatabaseUrl, parseUrl } from './store/url.js'
import type { Action, Backend, Plan, Request, ServiceManager, ServiceView } from './types.js'

/** Seconds; Cinder's own default (cinder/common/config.py). */
const SERVICE_DOWN_TIME = 60

interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly onBug: (error: unknown) => void
  /** Tells a person who watches what is being done. */
  readonly say: (text: string) => void
}

/** One request from bytes to result. It never throws: every failure is a result too. `onBug` gets errors that nobody foresaw. */
export async function run(
  input: () => Promise<Buffer>,
  flags: Flags,
  { env, signal, onBug, say }: Surroundings,
): Promise<ResultDocument> {
  const findings = { diff: flags.diff, serviceDownTime: SERVICE_DOWN_TIME, warnings: [] as string[] }
  let work: Work | undefined
  try {
    const request = toRequest(parse(await input()), flags)
    findings.diff = request.diff
    const { url, serviceDownTime } = databaseOf(request, env)
    findings.serviceDownTime = serviceDownTime
    const { timeout, checkMode: readOnly } = request
    const warn = (warning: string) => findings.warnings.push(warning)
    const store = await openStore(url, { timeout, readOnly, signal, warn })
    try {
      work = began({ request, store, signal, say, serviceDownTime })
      const plan = await settle(work, env, scrubber(request, url.password))
      return success(plan, { ...findings, checkMode: readOnly, backup: work.backup })
    } catch (error) {
      throw await withSimilarNames(error, store)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'internal_error') onBug(error)
    return failure(error, { ...findings, ...progressOf(work) })
  }
}

/** Observe, plan, apply; what has become of the backends, in check mode what would. */
async function settle(work: Work, env: NodeJS.ProcessEnv, scrub: (text: string) => string): Promise<Plan> {
  const { request, store, signal } = work
  const { targets, timeout, config, service } = request
  if (service !== undefined) {
    work.manager = (await import('./service/open.js')).openManager(service, { signal, scrub })
  }
  const asked = work.manager?.state()
  asked?.catch(() => {}) // it is awaited below, when the database has answered
  saw(work, await retrying(timeout, signal, () => store.read(targets)))
  const [backend] = backendsOf(targets, work.rows)
  const files = config === undefined && service === undefined ? [] : filesOf(request, env)
  if (backend !== undefined && config !== undefined) {
    work.config = (await import('./plan/config.js')).planConfig(config, backend, files)
  }
  if (backend !== undefined && work.manager !== undefined) {
    work.service = viewOf(request, backend, files, work.manager, env)
    sawState(work, (await asked) ?? 'changing')
  }
  const plan = planNow(work)
  if (!request.force) guard(plan)
  if (request.checkMode) return plan
  for (const refusal of plan.flatMap(({ refusals }) => refusals)) work.passed.set(refusal.code, refusal)
  await apply(work)
  return outcome(work)
}

/** How far a run had come that failed, and what the next one would do. */
function progressOf(work: Work | undefined): { seen: Plan; pending: readonly Action[]; backup?: string | undefined } {
  if (work === undefined) return { seen: [], pending: [] }
  try {
    const pending = work.done.size === 0 ? [] : planNow(work).flatMap(({ actions }) => actions)
    return { seen: outcome(work), pending, backup: work.backup }
  } catch {
    return { seen: [], pending: [], backup: work.backup } // the names were not found: that is the failure itself
  }
}

/** The files that cinder-volume reads, with the one to edit as it is now. One that Cinder does not read, such as a container's copy, stands alone. */
function filesOf({ config, source }: Request, env: NodeJS.ProcessEnv): readonly SourceFile[] {
  const files = configFiles(source, env)
  const path = config?.file
  if (path === undefined) return files
  const known = files.find((each) => isSameFile(each.path, path))
  const named = load(path)
  return known ? files.map((file) => (file === known ? named : file)) : [named]
}

function viewOf(
  { config, service }: Request,
  backend: Backend,
  files: readonly SourceFile[],
  { manager, name }: ServiceManager,
  env: NodeJS.ProcessEnv,
): ServiceView {
  const section = config?.section ?? backend.target.name.split('@')[1] ?? ''
  const { reportInterval, enabledBackends, hostOf } = readVolumeSettings(files, env)
  return {
    manager,
    name,
    wanted: service?.state ?? 'started',
    state: 'changing',
    host: serviceHost(backend, () => `${hostOf(section) ?? hostname()}@${section}`),
    reportInterval,
    others: enabledBackends.filter((each) => each !== section),
  }
}
/** The database, and how old a heartbeat may be in seconds: from the request, else from the environment and cinder.conf. */
function databaseOf(request: Request, env: NodeJS.ProcessEnv): { url: DatabaseUrl; serviceDownTime: number } {
  const { connection, ...selection } = request.source
  if (connection !== undefined) {
    const named = Object.keys(selection).length > 0 && request.serviceDownTime === undefined
    const fromFiles = named ? readServiceDownTime(selection, env) : undefined
    return { url: parseUrl(connection), serviceDownTime: request.serviceDownTime ?? fromFiles ?? SERVICE_DOWN_TIME }
  }
  const settings = readSettings(selection, env)
  return {
    url: inConfig(settings.place, () => parseUrl(settings.connection, settings.parameters)),
    serviceDownTime: request.serviceDownTime ?? settings.serviceDownTime() ?? SERVICE_DOWN_TIME,
  }
}

/** A bad URL is a bad request where the request holds it, and bad configuration where that does. */
function inConfig<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw new AgentError('config_error', `${quotable(place)}: ${error.problem}`, { ...error.details, cause: error })
  }
}
