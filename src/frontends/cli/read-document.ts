import { readFileSync } from 'node:fs'
import { AgentError, getErrorCode } from '../../model/errors.js'
import { parseJsonInput } from '../../request/parse.js'
import { quote } from '../../text/quote.js'
import { readStdin } from '../stdin.js'

/** The JSON or YAML object in a file; `-` is standard input. Errors: interrupted, invalid_json, invalid_request. */
export async function readDocument(path: string, signal: AbortSignal): Promise<object> {
  const bytes = path === '-' ? await readStdin(signal) : readDocumentFile(path)
  const text = bytes.toString('utf8')
  const document: unknown = /^\s*[{[]/.test(text) ? parseJson(bytes, path) : await parseYaml(text, path)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  throw new AgentError('invalid_request', `${nameSource(path)} does not hold one JSON or YAML object.`, {
    hint: 'Write one object, such as {"host": "vol1@arrayA"}.',
  })
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'is not readable for this user',
  EISDIR: 'is a folder',
}

function nameSource(path: string): string {
  return path === '-' ? 'Standard input' : quote(path)
}

function readDocumentFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = getErrorCode(error) ?? 'unknown error'
    throw new AgentError('invalid_request', `${nameSource(path)} ${READ_ERRORS[code] ?? `cannot be read (${code})`}.`)
  }
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return parseJsonInput(bytes)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw new AgentError(error.code, `${nameSource(path)}: ${error.problem}`, error.details)
  }
}

async function parseYaml(text: string, path: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error === undefined) return resolveAliases(document, path)
  const [start] = error.linePos ?? []
  const place = start === undefined ? '' : ` (line ${start.line}, column ${start.col})`
  const reason = error.code.toLowerCase().replaceAll('_', ' ')
  throw new AgentError('invalid_json', `${nameSource(path)} is neither valid JSON nor valid YAML: ${reason}${place}.`)
}

/** The message does not repeat the alias: it is often a password that begins with *. */
function resolveAliases(document: { toJS(): unknown }, path: string): unknown {
  try {
    return document.toJS()
  } catch {
    throw new AgentError('invalid_json', `${nameSource(path)} has a YAML alias that cannot be resolved.`, {
      hint: 'Put values that begin with * in quotes.',
    })
  }
}
