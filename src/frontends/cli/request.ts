import type { BackendDocument, ResultDocument } from '../../model/contract.generated.js'
import { AgentError } from '../../model/errors.js'
import { run, type Surroundings } from '../../run.js'
import { quote } from '../../text/quote.js'
import { type CommandSpec, given } from './commands.js'
import { documentIn } from './document.js'
import type { Values } from './options.js'
import { isMarked } from './standing.js'
import { targets } from './targets.js'
import { inShell } from './text.js'

export interface Asked {
  readonly request: object
  /** What is told beside the result: what to know before it is done, and what to do after. */
  readonly caveats?: readonly string[]
  readonly next?: readonly string[]
}

/** The request of the command, of `apply` the one in the file, of `undo` the one in the result there; or the failure of a first look. */
export async function requestOf(
  { name, request }: CommandSpec,
  names: readonly string[],
  values: Values,
  around: Surroundings,
): Promise<Asked | ResultDocument> {
  if (request !== undefined) {
    const asked = { ...request(names, values), ...given(values) }
    return name === 'promote' ? promotionOf(asked, names, values, around) : { request: asked }
  }
  const document = await documentIn(names[0] ?? '-', around.signal)
  if (name === 'apply') {
    if ('changed' in document && 'backends' in document) {
      throw new AgentError('invalid_request', 'This is a result, not a request.', { hint: 'To take it back use undo.' })
    }
    return { request: { ...document, ...given(values) } }
  }
  const { undo, restore, backends } = document as { undo?: object; restore?: object; backends?: unknown } // the request's schema judges it
  const back = restore === undefined ? undo : document
  if (typeof back === 'object' && back !== null)
    return { request: { ...back, ...given(values) }, caveats: edits(backends) }
  throw new AgentError('invalid_request', 'This is no result of a run that changed rows: it has no undo.', {
    hint: 'Give what a run kept with --save, or printed with --json or without a command.',
  })
}

async function promotionOf(
  asked: object,
  names: readonly string[],
  values: Values,
  around: Surroundings,
): Promise<Asked | ResultDocument> {
  const look = JSON.stringify({ ...targets(names, values), ...given(values) })
  const seen = await run(async () => Buffer.from(look), { check: true, diff: false }, around)
  if (seen.failed) return seen
  const [backend] = seen.backends
  if (backend?.cluster !== undefined) throw ofCluster(backend)
  if (values.service !== undefined) return { request: asked }
  const next = `cinder-volume is not started by this: start it, look at its log, then: cinder-backend thaw ${quote(names[0] ?? '')}${where(values)}`
  return { request: isUnderWay(seen) ? { ...asked, frozen: true } : asked, next: [next] }
}

/** The options that name the database, for a command that comes after; not the connection itself, for that may be a secret. */
function where({ configFile = [], configDir = [], connection }: Values): string {
  const files = [
    ...configFile.map((path) => ['--config-file', path]),
    ...configDir.map((path) => ['--config-dir', path]),
  ]
  const named = files.map(([option, path = '']) => ` ${option} ${inShell(path)}`).join('')
  return connection === undefined ? named : `${named} --connection ...`
}

/** All members must have the same section before one of them starts. */
function ofCluster({ host, cluster = '' }: BackendDocument): AgentError {
  return new AgentError('invalid_request', `${quote(host ?? '')} is a member of the cluster ${quote(cluster)}.`, {
    hint: 'Use apply, on all members at once, with the settings of the new primary as config.options: see docs/admin-guide.md.',
    cluster,
  })
}

/**
 * Without a service nobody sees cinder-volume start, so a backend that is promoted stays frozen; one that was promoted and thawed before must not be
 * frozen once more.
 */
function isUnderWay({ backends }: ResultDocument): boolean {
  return backends.some((backend) => backend.before.frozen || isMarked(backend))
}

/** Rows alone are put back; a section that was edited with them would contradict them. */
function edits(backends: unknown): readonly string[] {
  if (!Array.isArray(backends)) return []
  return backends.flatMap((each) => {
    const { file, options = [], backup } = each?.config ?? {}
    if (typeof file !== 'string' || !Array.isArray(options) || options.length === 0) return []
    const copy = typeof backup === 'string' ? `; as it was it is ${quote(backup)}` : ''
    return [`${quote(file)} was changed by that run too, and stays so: put it back before cinder-volume starts${copy}.`]
  })
}
