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
export function addQuotes(text: string): string {
  const [first, last] = [text.charAt(0), text.at(-1)]
  const isStripped = text !== strip(text) || ((first === '"' || first === "'") && first === last)
  return isStripped ? `"${text}"` : text
}

/** The value of one `replication_device` line. Errors: invalid_request for what oslo.config would split or strip. */
export function formatDevice(device: Device): string {
  return [...device]
    .map(([key, value]) => {
      const name = `replication_device's ${key}`
      if (!NAME.test(key)) throw valueError(name, 'has a name that oslo.config cannot read')
      if (value.includes(',')) throw valueError(name, 'holds a comma, at which oslo.config splits the device')
      if (value !== strip(value)) throw valueError(name, 'begins or ends with a blank, which oslo.config strips')
      requireOneLine(name, value)
      return `${key}:${escapeDollars(value)}`
    })
    .join(',')
}

const NAME = /^[\w.-]+$/

export function isSameDevice(one: Device, other: Device): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}

function valueError(name: string, why: string): AgentError {
  return new AgentError('invalid_request', `The value of ${name} ${why}.`, {
    hint: 'Use another value; cinder.conf cannot hold this one.',
  })
}
