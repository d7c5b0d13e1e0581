import { AgentError } from '../model/errors.js'
import { strip } from './ini.js'

/** A `replication_device`: its keys in their order. */
export type Device = ReadonlyMap<string, string>

/** The text behind `key = ` that oslo.config reads as the value. Errors: invalid_request if there is none. */
export function formatValue(name: string, value: string): string {
  requireOneLine(name, value)
  return addQuotes(escapeDollars(value))
}

function requireOneLine(name: string, value: string): void {
  if (/[\r\n\0]/.test(value)) throw valueError(name, 'holds a line break')
  if (value.includes('\\$'))
    throw valueError(name, 'holds a backslash before a "$", which oslo.config reads as an escape')
}

function escapeDollars(value: string): string {
  return value.replaceAll('$', '$$$$')
}

/** Adds quotes if oslo.config would otherwise strip something from the ends. */
function addQuotes(text: string): string {
  const [first, last] = [text.charAt(0), text.at(-1)]
  const isStripped = text !== strip(text) || ((first === '"' || first === "'") && first === last)
  return isStripped ? `"${text}"` : text
}

/** The value of one `replication_device` line, from a device with its values as in the file. */
export function formatDevice(device: Device): string {
  return addQuotes([...device].map(([key, value]) => `${key}:${value}`).join(','))
}

/** A device with its values as they must be in the file. Errors: invalid_request for what oslo.config would split or strip. */
export function encodeDevice(device: Device): Device {
  const pairs = [...device].map(([key, value]): [string, string] => {
    const name = `replication_device's ${key}`
    if (!/^[\w.-]+$/.test(key)) throw valueError(name, 'has a name that oslo.config cannot read')
    if (value.includes(',')) throw valueError(name, 'holds a comma, at which oslo.config splits the device')
    if (value !== strip(value)) throw valueError(name, 'begins or ends with a blank, which oslo.config strips')
    requireOneLine(name, value)
    return [key, escapeDollars(value)]
  })
  return new Map(pairs)
}

/** A value of the file as a device (oslo_config/types.py, Dict); undefined if oslo.config would refuse it. */
export function parseDevice(value: string): Device | undefined {
  const device = new Map<string, string>()
  if (strip(value) === '') return device
  let pair = ''
  for (const piece of value.split(',')) {
    pair = pair === '' ? piece : `${pair},${piece}`
    const colon = pair.indexOf(':')
    if (colon < 0) continue // oslo.config joins a piece without a colon to the next one
    const key = strip(pair.slice(0, colon))
    if (key === '' || device.has(key)) return undefined
    device.set(key, strip(pair.slice(colon + 1)))
    pair = ''
  }
  return pair === '' ? device : undefined
}

export function isSameDevice(one: Device, other: Device): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}

function valueError(name: string, why: string): AgentError {
  return new AgentError('invalid_request', `The value of ${name} ${why}.`, {
    hint: 'Use another value; cinder.conf cannot hold this one.',
  })
}
