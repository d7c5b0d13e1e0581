import { apply } from './apply.js'
import type { ResultDocument } from './contract.generated.js'
import { AgentError, quotable } from './errors.js'
import { backendsOf, withSimilarNames } from './observe.js'
import { configFiles, isSameFile, load } from './oslo/files.js'
import { readServiceDownTime, readSettings } from './oslo/settings.js'
import { changesOf } from './plan/backend.js'
import { planBackend } from './plan/plan.js'
import { failure, success } from './report/result.js'
import { parse } from './request/parse.js'
import { type Flags, toRequest } from './request/request.js'
import { openStore } from './store/open.js'
import { retrying } from './store/retry.js'
import { type DatabaseUrl, parseUrl } from './store/url.js'
import type { Backend, ConfigPlan, Plan, Request, Row, Store } from './types.js'

/** Seconds; Cinder's own default (cinder/common/config.py). */
const SERVICE_DOWN_TIME = 60

/** What a run has found out so far; a failure tells of it too. */
interface Findings {
  diff: boolean
  serviceDownTime: number
  /** Of the connection. */
  readonly warnings: string[]
  seen: Plan
  configDone: boolean
  backup: string | undefined
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly onBug: (error: unknown) => void
}

/** One request from bytes to result. It never throws: every failure is a result too. `onBug` gets errors that nobody foresaw. */
export async function run(
  input: () => Promise<Buffer>,
  flags: Flags,
  { env, signal, onBug }: Surroundings,
): Promise<ResultDocument> {
  const findings: Findings = {
    diff: flags.diff,
    serviceDownTime: SERVICE_DOWN_TIME,
    warnings: [],
    seen: [],
    configDone: false,
    backup: undefined,
  }
  try {
    const request = toRequest(parse(await input()), flags)
    findings.diff = request.diff
    const { url, serviceDownTime } = databaseOf(request, env)
    findings.serviceDownTime = serviceDownTime
    const { timeout, checkMode: readOnly } = request
    const warn = (warning: string) => findings.warnings.push(warning)
    const store = await openStore(url, { timeout, readOnly, signal, warn })
    try {
      const plan = await settle(store, request, findings, { env, signal })
      return success(plan, { ...findings, checkMode: readOnly })
    } catch (error) {
      throw await withSimilarNames(error, store)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'internal_error') onBug(error)
    return failure(error, findings.seen, findings)
  }
}

/** Observe, plan, apply; the plan that holds in the end. In check mode, and where nothing is to be done, it is not applied. */
async function settle(
  store: Store,
  request: Request,
  findings: Findings,
  { env, signal }: Pick<Surroundings, 'env' | 'signal'>,
): Promise<Plan> {
  const { targets, timeout } = request
  const first = await retrying(timeout, signal, () => store.read(targets))
  const config = await editOf(request, backendsOf(targets, first), env)
  const planner = (rows: readonly Row[]) => {
    findings.seen = backendsOf(targets, rows).map((backend) => planBackend(backend, findings.serviceDownTime, config))
    if (!request.force) guard(findings.seen)
    return findings.seen
  }
  const plan = planner(first)
  if (request.checkMode) return plan
  if (config !== undefined && config.options.length > 0) {
    // Before the reset: a service that starts between the two must not find the old array with a row that says all is well.
    findings.backup = (await import('./oslo/write.js')).replaceFile(config)
    findings.configDone = true
  }
  return changesOf(plan).length === 0 ? plan : apply(store, plan, planner, { targets, timeout, signal })
}

/** The edit that the request asks for, if it does. A file that Cinder does not read, such as a container's copy, is taken alone. */
async function editOf(
  { config, source }: Request,
  [backend]: readonly Backend[],
  env: NodeJS.ProcessEnv,
): Promise<ConfigPlan | undefined> {
  if (config === undefined || backend === undefined) return undefined
  const { planConfig } = await import('./plan/config.js')
  const files = configFiles(source, env)
  if (config.file === undefined) return planConfig(config, backend, files)
  const known = files.find(({ path }) => isSameFile(path, config.file ?? ''))
  const named = load(config.file)
  return planConfig(config, backend, known ? files.map((file) => (file === known ? named : file)) : [named])
}

/** Throws what the first guard that refuses has to say. */
function guard(plan: Plan): void {
  const refused = plan.find(({ refusals }) => refusals.length > 0)
  const [refusal] = refused?.refusals ?? []
  if (refused === undefined || refusal === undefined) return
  const { kind, name } = refused.backend.target
  throw new AgentError(refusal.code, refusal.problem, { hint: refusal.hint, [kind]: name })
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
