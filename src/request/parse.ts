import { AgentError } from '../model/errors.js'

/** A request for ten thousand backends is a tenth of it. */
export const MAX_INPUT_BYTES = 8 * 1024 * 1024

/** The JSON value in the bytes. Errors: invalid_json. Messages never quote the input, because it may be a password. */
export function parseJsonInput(input: Buffer): unknown {
  if (input.length > MAX_INPUT_BYTES) throw invalidJson('The input is larger than 8 MiB.')
  const text = decodeUtf8(input)
  if (text.trim() === '') throw invalidJson('The input is empty.')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidJson(`Invalid JSON${describePosition(String(error), text)}.`)
  }
}

function decodeUtf8(input: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    throw invalidJson('The input is not UTF-8.')
  }
}

/** From V8's message, whose own text quotes the input. */
function describePosition(message: string, text: string): string {
  if (message.includes('Unexpected end')) return ': unexpected end of input'
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position === undefined) return ''
  const lines = text.slice(0, Number(position)).split('\n')
  const place = ` at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`
  return message.includes('after JSON') ? `: more text after the first document${place}` : place
}

function invalidJson(problem: string): AgentError {
  return new AgentError('invalid_json', problem, { hint: 'Write one {input}, such as {"host": "vol1@arrayA"}.' })
}
