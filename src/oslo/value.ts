import { AgentError } from '../model/errors.js'
import { strip } from './ini.js'

/** A `replication_device`: its keys in their order. */
export type Device = ReadonlyMap<string, string>

/**
 * A value as it must stand behind `key = ` so that oslo.config reads it back as given.
 * Errors: invalid_request for what no line of the file can say.
 */
export function written(name: string, value: string): string {
  return quoted(escaped(writable(name, value)))
}

function writable(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw unwritable(name, 'holds a line break')
  if (value.includes('\\$')) {
    throw unwritable(name, 'holds a backslash before a "$", which oslo.config always takes for an escape')
  }
  return value
}

/** A literal `$` as oslo.config reads one. */
function escaped(value: string): string {
  return value.replaceAll('$', '$$$$')
}

/** In quotes, where oslo.config would otherwise take something away at the ends. */
function quoted(text: string): string {
  const [first, last] = [text.charAt(0), text.at(-1)]
  const loses = text !== strip(text) || ((first === '"' || first === "'") && first === last)
  return loses ? `"${text}"` : text
}

/** A device whose values stand as in the file, as the value of one `replication_device`. */
export function writtenDevice(device: Device): string {
  return quoted([...device].map(([key, value]) => `${key}:${value}`).join(','))
}

/** A device as given, with its values as they must stand in the file. Errors: invalid_request for what would divide it. */
export function inFile(device: Device): Device {
  const pairs = [...device].map(([key, value]): [string, string] => {
    const name = `replication_device's ${key}`
    if (!/^[\w.-]+$/.test(key)) throw unwritable(name, 'has a name that oslo.config cannot read')
    if (value.includes(',')) throw unwritable(name, 'holds a comma, at which oslo.config divides the device')
    if (value !== strip(value)) throw unwritable(name, 'begins or ends with a blank, which oslo.config takes away')
    return [key, escaped(writable(name, value))]
  })
  return new Map(pairs)
}

/** A value of the file as a device (oslo_config/types.py, Dict); undefined where oslo.config would refuse it. */
export function deviceOf(value: string): Device | undefined {
  const device = new Map<string, string>()
  if (strip(value) === '') return device
  let pair = ''
  for (const piece of value.split(',')) {
    pair = pair === '' ? piece : `${pair},${piece}`
    const colon = pair.indexOf(':')
    if (colon < 0) continue // a piece without a colon belongs to the next one
    const key = strip(pair.slice(0, colon))
    if (key === '' || device.has(key)) return undefined
    device.set(key, strip(pair.slice(colon + 1)))
    pair = ''
  }
  return pair === '' ? device : undefined
}

export function sameDevice(one: Device, other: Device): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}

function unwritable(name: string, why: string): AgentError {
  return new AgentError('invalid_request', `The value of ${name} ${why}.`, {
    hint: 'It cannot be written into cinder.conf; choose another one.',
  })
}
