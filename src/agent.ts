import { execute } from './execute/execute.js'
import type { Scope, Target } from './model/backend.js'
import type { ResultDocument } from './model/contract.generated.js'
import { AgentError } from './model/errors.js'
import type { Journal } from './model/journal.js'
import type { OldCopy } from './model/observation.js'
import type { ConfigEdit, Plan, Step } from './model/plan.js'
import type { Request } from './model/request.js'
import { makeClock } from './observe/clock.js'
import { readConfigFacts } from './observe/config.js'
import { type DatabaseFacts, locateDatabase } from './observe/database.js'
import { makeFailure, makeResult } from './report/result.js'
import { parseJsonInput } from './request/parse.js'
import { type Flags, toRequest } from './request/request.js'
import type { ServiceManager } from './service/manager.js'
import { startDeadline } from './store/deadline.js'
import { openStore } from './store/open.js'
import { retry } from './store/retry.js'
import type { Store } from './store/store.js'
import type { Audience } from './text/hints.js'

export interface RunContext {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** Gets errors that nobody foresaw. */
  readonly onBug: (error: unknown) => void
  readonly audience: Audience
  /** Tells a person who watches what is being done. */
  readonly onProgress: (text: string) => void
  /** Is shown every plan before a step of it is done, and the steps done so far; what it throws ends the run. */
  readonly approve?: ((plan: Plan, done: readonly Step[]) => void) | undefined
}

/** One request from bytes to result. It never throws: every failure is a result too. */
export async function runRequest(
  readInput: () => Promise<Buffer>,
  flags: Flags,
  context: RunContext,
): Promise<ResultDocument> {
  const warnings: string[] = []
  let report = { diff: flags.diff, warnings, audience: context.audience }
  try {
    const request = toRequest(parseJsonInput(await readInput()), flags)
    report = { ...report, diff: request.diff }
    const database = locateDatabase(request, context.env)
    const journal = await executeOn(database, request, context, (warning) => warnings.push(warning))
    if (journal.error !== undefined) reportBug(journal.error, context)
    return makeResult(journal, report)
  } catch (error) {
    reportBug(error, context)
    return makeFailure(error, report)
  }
}

/** Looks, plans and acts on the database until nothing is left to do. Errors: those of opening the database, and of choosing a service manager. */
async function executeOn(
  { url, ...times }: DatabaseFacts,
  request: Request,
  { env, signal, onProgress, approve = () => {} }: RunContext,
  warn: (warning: string) => void,
): Promise<Journal> {
  const { timeout, targets, checkMode: readOnly } = request
  const store = await openStore(url, { readOnly, signal, warn })
  try {
    const manager = await openServiceManager(request, env, url.password, signal)
    const readRows = (neighbours: readonly string[]) =>
      retry(timeout, signal, (deadline) => store.read(addHosts(targets, neighbours), deadline))
    const readConfig = () => readConfigFacts(request, env)
    const replaceFile = async (edit: ConfigEdit) => (await import('./oslo/write.js')).replaceFile(edit)
    const removeOldCopy = async (copy: OldCopy) => (await import('./oslo/write.js')).removeOldCopy(copy)
    const ports = { store, manager, readRows, readConfig, replaceFile, removeOldCopy, clock: makeClock(signal) }
    const journal = await execute({ request, ...times, signal, ...ports, onProgress, approve })
    return journal.error === undefined
      ? journal
      : { ...journal, error: await explainError(journal.error, store, timeout) }
  } finally {
    await store.close()
  }
}

function addHosts(targets: Scope, hosts: readonly string[]): Scope {
  if (targets === 'all') return targets
  return [...targets, ...hosts.map((name): Target => ({ kind: 'host', name, desired: {} }))]
}

/** Names that were not found are most likely misspelt. */
async function explainError(error: unknown, store: Store, timeout: number): Promise<unknown> {
  const { addSimilarNames } = await import('./observe/similar-names.js')
  const deadline = startDeadline(timeout)
  return addSimilarNames(error, (table) => store.listNames(table, deadline))
}

/** The manager that the request names; undefined if the request is not about the service. Its errors hold no secret that is known here. */
async function openServiceManager(
  request: Request,
  env: NodeJS.ProcessEnv,
  password: string | undefined,
  signal: AbortSignal,
): Promise<ServiceManager | undefined> {
  if (request.service === undefined) return undefined
  const { openManager } = await import('./service/open.js')
  const { readConfigFilesWith } = await import('./oslo/files.js')
  const { collectSecrets } = await import('./oslo/secrets.js')
  const { makeScrubber } = await import('./text/secrets.js')
  const files = readConfigFilesWith(request.config?.file, request.source, env)
  const secrets = [password ?? '', ...collectSecrets(files, request.config)]
  return openManager(request.service, { signal, scrub: makeScrubber(secrets) })
}

function reportBug(error: unknown, { onBug }: RunContext): void {
  if (!(error instanceof AgentError) || error.code === 'internal_error') onBug(error)
}
