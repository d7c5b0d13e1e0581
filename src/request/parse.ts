import { AgentError } from '../model/errors.js'

/** Bytes; a request for ten thousand backends is a tenth of it. */
export const MOST_INPUT = 8 * 1024 * 1024

/**
 * The JSON value in the bytes that came on standard input.
 * Errors: invalid_json. What the input holds is never quoted, for it may be a password.
 */
export function parse(input: Buffer): unknown {
  if (input.length > MOST_INPUT) throw invalid('The input is larger than 8 MiB.')
  const text = decode(input)
  if (text.trim() === '') throw invalid('The input is empty.')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(`The input is not one JSON document${whereAbout(String(error), text)}.`)
  }
}

function decode(input: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    throw invalid('The input is not UTF-8.')
  }
}

function whereAbout(message: string, text: string): string {
  if (message.includes('Unexpected end')) return ': it ends too early'
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position === undefined) return ''
  const before = text.slice(0, Number(position)).split('\n')
  const place = ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`
  return message.includes('after JSON') ? `: something follows the first${place}` : `: it goes wrong there${place}`
}

function invalid(problem: string): AgentError {
  return new AgentError('invalid_json', problem, {
    hint: 'Write one {document}.',
  })
}
