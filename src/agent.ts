import { execute } from './execute/execute.js'
import type { Scope, Target } from './model/backend.js'
import type { ResultDocument } from './model/contract.generated.js'
import { AgentError } from './model/errors.js'
import type { Journal } from './model/journal.js'
import type { OldCopy, SourceFile } from './model/observation.js'
import type { ConfigEdit, Plan, Step } from './model/plan.js'
import type { Request } from './model/request.js'
import { makeClock } from './observe/clock.js'
import { type Places, readConfigFacts, readFiles, selectFiles } from './observe/config.js'
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
    const selection = await selectFiles(request, await openServiceManager(request, [], context.signal))
    const database = locateDatabase(request, selection, context.env)
    const journal = await executeOn({ ...database, selection }, request, context, (warning) => warnings.push(warning))
    if (journal.error !== undefined) reportBug(journal.error, context)
    return makeResult(journal, report)
  } catch (error) {
    reportBug(error, context)
    return makeFailure(error, report)
  }
}

/** Looks, plans and acts on the database until nothing is left to do. Errors: those of opening the database, and of choosing a service manager. */
async function executeOn(
  { url, selection, ...times }: DatabaseFacts & { readonly selection: Places },
  request: Request,
  { env, signal, onProgress, approve = () => {} }: RunContext,
  warn: (warning: string) => void,
): Promise<Journal> {
  const { timeout, targets, checkMode: readOnly } = request
  const store = await openStore(url, { readOnly, signal, warn })
  try {
    const secrets = await listSecrets(request, url.password, () => readFiles(request, selection, env))
    const manager = await openServiceManager(request, secrets, signal)
    const readRows = (neighbours: readonly string[]) =>
      retry(timeout, signal, (deadline) => store.read(addHosts(targets, neighbours), deadline))
    const readConfig = () => readConfigFacts(request, selection, env)
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

/** The manager that the request names; undefined if the request is not about the service. Its errors do not show the secrets. */
async function openServiceManager(
  { service }: Request,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<ServiceManager | undefined> {
  if (service === undefined) return undefined
  const { openManager } = await import('./service/open.js')
  const { makeScrubber } = await import('./text/secrets.js')
  return openManager(service, { signal, scrub: makeScrubber(secrets) })
}

/** What a program of the manager may show: the password of the database, and the secrets of cinder.conf. Errors: config_error. */
async function listSecrets(
  { service, config }: Request,
  password: string | undefined,
  read: () => readonly SourceFile[],
): Promise<readonly string[]> {
  if (service === undefined) return []
  const { collectSecrets } = await import('./oslo/secrets.js')
  return [password ?? '', ...collectSecrets(read(), config)]
}

function reportBug(error: unknown, { onBug }: RunContext): void {
  if (!(error instanceof AgentError) || error.code === 'internal_error') onBug(error)
}
