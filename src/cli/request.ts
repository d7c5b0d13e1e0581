import { AgentError, quotable } from '../errors.js'
import { run, type Surroundings } from '../run.js'
import { type CommandSpec, surroundings } from './commands.js'
import { documentIn } from './document.js'
import type { Values } from './options.js'
import { isMarked } from './standing.js'
import { targets } from './targets.js'

export interface Asked {
  readonly request: object
  /** What is told beside the result. */
  readonly notes: readonly string[]
}

/** The request of the command; of `apply` the one in the file, of `undo` the one in the result there. */
export async function requestOf(
  { name, request }: CommandSpec,
  names: readonly string[],
  values: Values,
  around: Surroundings,
): Promise<Asked> {
  if (request !== undefined) {
    const unstarted = name === 'promote' && values.service === undefined
    const next = 'cinder-volume is not started by this: do that next, look at its log, and thaw the backend.'
    const keep = unstarted && (await isUnderWay(names, values, around)) ? { frozen: true } : {}
    return { request: { ...request(names, values), ...keep, ...surroundings(values) }, notes: unstarted ? [next] : [] }
  }
  const document = await documentIn(names[0] ?? '-', around.signal)
  if (name === 'apply') {
    if ('changed' in document && 'backends' in document) {
      throw new AgentError('invalid_request', 'This is a result, not a request.', { hint: 'To take it back use undo.' })
    }
    return { request: { ...document, ...surroundings(values) }, notes: [] }
  }
  const { undo, restore, backends } = document as { undo?: object; restore?: object; backends?: unknown } // the request's schema judges it
  const back = restore === undefined ? undo : document
  if (typeof back === 'object' && back !== null)
    return { request: { ...back, ...surroundings(values) }, notes: edits(backends) }
  throw new AgentError('invalid_request', 'This is no result of a run that changed rows: it has no undo.', {
    hint: 'Give what a run printed with --json, or without a command.',
  })
}

/**
 * Without a service nobody sees cinder-volume start, so a backend that is promoted stays frozen; one that was promoted and thawed before must not be
 * frozen once more.
 */
async function isUnderWay(names: readonly string[], values: Values, around: Surroundings): Promise<boolean> {
  const look = JSON.stringify({ ...targets(names, values), ...surroundings(values) })
  const { backends } = await run(async () => Buffer.from(look), { check: true, diff: false }, around)
  return backends.every((backend) => backend.before.frozen || isMarked(backend))
}

/** Rows alone are put back; a section that was edited with them would contradict them. */
function edits(backends: unknown): readonly string[] {
  if (!Array.isArray(backends)) return []
  return backends.flatMap((each) => {
    const { file, options = [], backup } = each?.config ?? {}
    if (typeof file !== 'string' || !Array.isArray(options) || options.length === 0) return []
    const copy = typeof backup === 'string' ? `; as it was it is ${quotable(backup)}` : ''
    return [
      `${quotable(file)} was changed by that run too, and stays so: put it back before cinder-volume starts${copy}.`,
    ]
  })
}
