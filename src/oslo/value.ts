import { AgentError } from '../errors.js'
import { strip } from './ini.js'

/** A `replication_device`: its keys in their order. */
export type Device = ReadonlyMap<string, string>

/**
 * A value as it must stand behind `key = ` so that oslo.config reads it back as given.
 * Errors: invalid_request for what no line of the file can say.
 */
export function written(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw unwritable(name, 'holds a line break')
  if (value.includes('\\$'))
    throw unwritable(name, 'holds a backslash before a "$", which oslo.config always takes for an escape')
  const text = value.replaceAll('$', '$$$$')
  const [first, last] = [text.charAt(0), text.at(-1)]
  const loses = text !== strip(text) || ((first === '"' || first === "'") && first === last)
  return loses ? `"${text}"` : text
}

/** A device as the value of one `replication_device`. Errors: invalid_request for a value that would divide it. */
export function writtenDevice(device: Device): string {
  const pairs = [...device].map(([key, value]) => {
    const name = `replication_device's ${key}`
    if (!/^[\w.-]+$/.test(key)) throw unwritable(name, 'has a name that oslo.config cannot read')
    if (value.includes(',')) throw unwritable(name, 'holds a comma, at which oslo.config divides the device')
    if (value !== strip(value)) throw unwritable(name, 'begins or ends with a blank, which oslo.config takes away')
    return `${key}:${value}`
  })
  return written('replication_device', pairs.join(','))
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
