import { strip } from './ini.js'
import type { Device } from './value.js'

/** What is wrong with the text of a device. It shows no value, because values may be secrets. */
export interface DeviceFault {
  readonly problem: string
  readonly hint: string
  /** The line of the text that has it, counted from 0. */
  readonly line: number
}

/** A text as a device, or why oslo.config refuses it. */
type ParsedDevice =
  | { readonly device: Device; readonly fault?: undefined }
  | { readonly device?: undefined; readonly fault: DeviceFault }

interface Pair {
  readonly key: string
  readonly value: string
  /** Where it begins in the text, and where its value does. */
  readonly start: number
  readonly valueStart: number
}

/** A value of the file, read as oslo.config does (oslo_config/types.py, Dict). */
export function parseDevice(text: string): ParsedDevice {
  const device = new Map<string, string>()
  if (strip(text) === '') return { device }
  const { pairs, rest } = splitPairs(text)
  for (const { key, value, start } of pairs) {
    if (key === '') return { fault: makeFault(text, start, 'has a value without a key', COLON) }
    if (device.has(key)) return { fault: makeFault(text, start, 'has a key twice', TWICE) }
    device.set(key, value)
  }
  if (rest === undefined) return { device }
  const isEmpty = strip(text.slice(rest).replaceAll(',', ' ')) === ''
  return {
    fault: isEmpty
      ? makeFault(text, rest - 1, 'ends with a comma, so its last piece is empty', END)
      : makeFault(text, rest, 'has a piece without a colon', COLON),
  }
}

/** A piece without a colon is a part of the next one. `rest`: where the text has no colon any more, though there is a piece. */
function splitPairs(text: string): { readonly pairs: readonly Pair[]; readonly rest: number | undefined } {
  const pairs: Pair[] = []
  let start: number | undefined
  let at = 0
  for (const piece of text.split(',')) {
    start ??= at
    at += piece.length + 1
    const pair = text.slice(start, at - 1)
    const colon = pair.indexOf(':')
    if (colon < 0) continue
    const valueStart = start + colon + 1
    pairs.push({ key: strip(pair.slice(0, colon)), value: strip(pair.slice(colon + 1)), start, valueStart })
    start = undefined
  }
  return { pairs, rest: start }
}

const COLON = 'Write every piece as key:value. A value cannot hold a comma.'
const COMMA = 'A comma is probably missing between two pieces: at the end of this line, or in it.'
const EMPTY = 'Remove the comma that has nothing before it.'
const END = 'Remove the comma. If the entry goes on in the next line, indent that line.'
const TWICE = 'Remove one of the two. Another replica needs a replication_device of its own.'

/** What nobody can have meant, though oslo.config reads it. `keys`: names that begin a piece of their own. */
export function findOddity(text: string, keys: readonly string[]): DeviceFault | undefined {
  for (const { key, value, start, valueStart } of splitPairs(text).pairs) {
    if (/(^|,)\s*,/.test(key))
      return makeFault(text, start, 'has an empty piece, which is read as part of a key', EMPTY)
    if (!/^[\w.-]+$/.test(key))
      return makeFault(text, start, 'has a piece without a colon, which is read as part of the next key', COLON)
    const [, swallowed] = /\s([\w.-]+)\s*:/.exec(value) ?? []
    const isSwallowed = value.includes('\n') || (swallowed !== undefined && keys.includes(swallowed))
    if (isSwallowed) return makeFault(text, valueStart, 'has two pieces that are read as one value', COMMA)
  }
  return undefined
}

/** `at`: where the piece begins; blanks before it may end a line. */
function makeFault(text: string, at: number, problem: string, hint: string): DeviceFault {
  const begin = at + (text.slice(at).length - text.slice(at).trimStart().length)
  return { problem, hint, line: text.slice(0, begin).split('\n').length - 1 }
}
