import { readFileSync } from 'node:fs'
import { AgentError, codeOf, quotable } from '../errors.js'
import { input } from '../input.js'
import { parse as parseJson } from '../request/parse.js'
import { type CommandSpec, surroundings } from './commands.js'
import type { Values } from './options.js'

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
  signal: AbortSignal,
): Promise<Asked> {
  if (request !== undefined) {
    const unstarted = name === 'promote' && values.service === undefined
    const next = 'cinder-volume is not started by this: do that next, look at its log, and thaw the backend.'
    return { request: { ...request(names, values), ...surroundings(values) }, notes: unstarted ? [next] : [] }
  }
  const document = await documentIn(names[0] ?? '-', signal)
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

/** JSON or YAML. Errors: invalid_json, invalid_request. */
async function documentIn(path: string, signal: AbortSignal): Promise<object> {
  const bytes = path === '-' ? await input(signal) : contentOf(path)
  const document: unknown = /^\s*[{[]/.test(bytes.toString('utf8'))
    ? parseJson(bytes)
    : await yaml(bytes.toString('utf8'))
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  throw new AgentError('invalid_request', `${quotable(path)} holds no request.`, {
    hint: 'Give one JSON or YAML object.',
  })
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new AgentError('invalid_request', `${quotable(path)} cannot be read (${codeOf(error) ?? 'unknown error'}).`)
  }
}

async function yaml(text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error === undefined) return document.toJS()
  const [place] = error.linePos ?? []
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
  throw new AgentError('invalid_json', `This is neither one JSON document nor one of YAML${where}.`)
}
