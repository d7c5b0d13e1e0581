import { readFileSync } from 'node:fs'
import { AgentError, getErrorCode } from '../../model/errors.js'
import { parseJsonInput } from '../../request/parse.js'
import { quote } from '../../text/quote.js'
import { input } from '../stdin.js'

/** The object in the file, in JSON or YAML; - is standard input. Errors: invalid_json, invalid_request. */
export async function documentIn(path: string, signal: AbortSignal): Promise<object> {
  const bytes = path === '-' ? await input(signal) : contentOf(path)
  const document: unknown = /^\s*[{[]/.test(bytes.toString('utf8'))
    ? json(bytes, path)
    : await yaml(bytes.toString('utf8'), path)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  throw new AgentError('invalid_request', `${named(path)} holds no request.`, {
    hint: 'Give one JSON or YAML object.',
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
}

function named(path: string): string {
  return path === '-' ? 'Standard input' : quote(path)
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = getErrorCode(error) ?? 'unknown error'
    throw new AgentError('invalid_request', `${named(path)} ${REASONS[code] ?? `cannot be read (${code})`}.`)
  }
}

function json(bytes: Buffer, path: string): unknown {
  try {
    return parseJsonInput(bytes)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw new AgentError(error.code, error.problem.replace(/^The input/, named(path)), error.details)
  }
}

async function yaml(text: string, path: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error === undefined) return resolved(document, path)
  const [place] = error.linePos ?? []
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
  const what = error.code.toLowerCase().replaceAll('_', ' ')
  throw new AgentError('invalid_json', `${named(path)} is neither one JSON document nor one of YAML: ${what}${where}.`)
}

/** An alias without its anchor is mostly a text that begins with *, such as a password, and so is not shown. */
function resolved(document: { toJS(): unknown }, path: string): unknown {
  try {
    return document.toJS()
  } catch {
    throw new AgentError('invalid_json', `${named(path)} has an alias that leads nowhere, or to too much.`, {
      hint: 'Put values that begin with * between quotes.',
    })
  }
}
