import type { ResultDocument } from './model/contract.generated.js'
import { AgentError } from './model/errors.js'
import type { Plan } from './model/plan.js'
import type { Request } from './model/request.js'
import { backendsOf, withSimilarNames } from './observe/backends.js'
import { readConfigFilesWith } from './oslo/files.js'
import { readAssignments } from './oslo/ini.js'
import { collectSecrets } from './oslo/secrets.js'
import { readServiceDownTime, readSettings } from './oslo/settings.js'
import { began, judge, outcome, planNow, saw, soleTarget, type Work } from './progress.js'
import { type FailureOptions, failure, success } from './report/result.js'
import { parseJsonInput } from './request/parse.js'
import { type Flags, toRequest } from './request/request.js'
import { startDeadline } from './store/deadline.js'
import { openStore } from './store/open.js'
import { retry } from './store/retry.js'
import { type DatabaseUrl, parseUrl } from './store/url.js'
import type { Audience } from './text/hints.js'
import { quote } from './text/quote.js'
import { makeScrubber } from './text/secrets.js'

/** Seconds; Cinder's own default (cinder/common/config.py). */
const SERVICE_DOWN_TIME = 60

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly onBug: (error: unknown) => void
  readonly audience: Audience
  /** Tells a person who watches what is being done. */
  readonly say: (text: string) => void
  /** Is shown the plan before any of it is done; what it throws ends the run. */
  readonly agree?: ((plan: Plan) => void) | undefined
}

/** One request from bytes to result. It never throws: every failure is a result too. `onBug` gets errors that nobody foresaw. */
export async function run(
  input: () => Promise<Buffer>,
  flags: Flags,
  { env, signal, onBug, say, audience, agree }: Surroundings,
): Promise<ResultDocument> {
  const findings = { diff: flags.diff, serviceDownTime: SERVICE_DOWN_TIME, warnings: [] as string[], source: {} }
  let work: Work | undefined
  try {
    const request = toRequest(parseJsonInput(await input()), flags)
    findings.diff = request.diff
    findings.source = request.source
    const { url, serviceDownTime } = databaseOf(request, env)
    findings.serviceDownTime = serviceDownTime
    const { checkMode: readOnly } = request
    const warn = (warning: string) => findings.warnings.push(warning)
    const store = await openStore(url, { readOnly, signal, warn })
    try {
      work = began({ request, store, signal, say, warn, serviceDownTime })
      const plan = await settle(work, { env, agree, password: url.password })
      return success(plan, request, { ...findings, written: [...work.written.values()], backup: work.backup })
    } catch (error) {
      throw await withSimilarNames(error, store, startDeadline(request.timeout))
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'internal_error') onBug(error)
    return failure(located(error, work), { ...findings, audience, ...progressOf(work) })
  }
}

/** Observe, plan, apply; what has become of the backends, in check mode what would. */
async function settle(
  work: Work,
  { env, agree, password }: Pick<Surroundings, 'env' | 'agree'> & { readonly password: string | undefined },
): Promise<Plan> {
  const { request, store, signal } = work
  const { targets, timeout, config, service, source } = request
  const about = config !== undefined || service !== undefined
  const files = about ? readConfigFilesWith(config?.file, source, env) : []
  if (service !== undefined) {
    const scrub = makeScrubber([password ?? '', ...collectSecrets(files, config)])
    work.manager = (await import('./service/open.js')).openManager(service, { signal, scrub })
  }
  const asked = work.manager?.state()
  asked?.catch(() => {}) // it is awaited below, when the database has answered
  saw(work, await retry(timeout, signal, (deadline) => store.read(targets, deadline)))
  const [backend] = backendsOf(targets, work.rows)
  if (backend !== undefined && config !== undefined) {
    work.config = (await import('./plan/config.js')).planConfig(config, backend, files)
  }
  if (backend !== undefined && work.manager !== undefined && asked !== undefined) {
    const { viewOf } = await import('./observe/service.js')
    const { manager, config: edit } = work
    work.service = viewOf(request, backend, { manager, state: await asked, files, env, edit })
  }
  const plan = planNow(work)
  judge(work, plan)
  await warnOfOldSection(work, plan, env)
  agree?.(plan)
  const holds = plan.every(({ actions }) => actions.length === 0) && service === undefined
  if (request.checkMode || holds) return plan
  await (await import('./apply.js')).apply(work)
  return outcome(work)
}

/** A reset alone is for a cinder.conf that was edited before it. Where it is here to be read, and was not, that is told. */
async function warnOfOldSection({ request, warn }: Work, plan: Plan, env: NodeJS.ProcessEnv): Promise<void> {
  const { config, source } = request
  const resetting = plan.filter(({ actions }) => actions.includes('reset_active_backend'))
  if (config !== undefined || resetting.length === 0 || Object.keys(source).join() === 'connection') return
  const { oldSection } = await import('./plan/old-section.js')
  const assignments = readAssignments(readConfigFilesWith(undefined, source, env))
  for (const { backend } of resetting) for (const warning of oldSection(backend, assignments)) warn(warning)
}

/** How far a run had come that failed, and what the next one would do. */
function progressOf(work: Work | undefined): Pick<FailureOptions, 'seen' | 'pending' | 'written' | 'backup'> {
  if (work === undefined) return { seen: [], pending: [], written: [] }
  const { backup } = work
  const written = [...work.written.values()]
  try {
    const pending = work.done.size === 0 ? [] : planNow(work).flatMap(({ actions }) => actions)
    return { seen: outcome(work), pending, written, backup }
  } catch {
    // The names are found no longer, or never were: what was done by then is told all the same.
    return { seen: work.before.length === 0 ? [] : seenBefore(work), pending: [], written, backup }
  }
}

function seenBefore(work: Work): Plan {
  try {
    return outcome({ ...work, rows: work.before })
  } catch {
    return []
  }
}

/** A failure of the service's manager is about the backend that the request names. */
function located(error: unknown, work: Work | undefined): unknown {
  const target = work && soleTarget(work.request)
  if (!(error instanceof AgentError) || error.code !== 'service_control_failed' || target === undefined) return error
  if (error.details.host !== undefined) return error
  return new AgentError(error.code, error.problem, { ...error.details, [target.kind]: target.name })
}

/** The database, and how old a heartbeat may be in seconds: from the request, else from the environment and cinder.conf. */
function databaseOf(request: Request, env: NodeJS.ProcessEnv): { url: DatabaseUrl; serviceDownTime: number } {
  const { connection, ...selection } = request.source
  if (connection !== undefined) {
    const reads = Object.keys(selection).length > 0 || request.service !== undefined
    const named = reads && request.serviceDownTime === undefined
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
    throw new AgentError('config_error', `${quote(place)}: ${error.problem}`, { ...error.details, cause: error })
  }
}
