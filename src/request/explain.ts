import type { ErrorObject } from 'ajv'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import { findSimilar } from '../text/similar.js'

/** The validator's finding as one sentence. Values are quoted, except those that may be secret. */
export function explainInvalid(error: ErrorObject | undefined, document: unknown): AgentError {
  if (error === undefined) return new AgentError('invalid_request', 'The request does not match its schema.')
  const value = getAt(document, error.instancePath)
  const where = error.instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
  if (error.keyword === 'propertyNames') return wrongNameError(where)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (error.keyword === 'oneOf' && isObject) return wrongTargetsError(value, where)
  const isHidden = where === '' || where === 'connection' || /^(config|service\.(start|stop|status))/.test(where)
  const problem = `${where || 'The request'} must be ${describeDemand(error)}${isHidden ? '' : `, not ${describeValue(value)}`}.`
  if (/^backends(\[\d+\])?$/.test(where)) return new AgentError('invalid_request', problem, { hint: BACKENDS_HINT })
  // YAML reads an id of digits as a number, and may change it.
  const isBareText =
    error.keyword === 'type' && toList(error.params['type']).includes('string') && typeof value === 'number'
  return new AgentError('invalid_request', problem, isBareText ? { hint: 'Put it in quotes.' } : {})
}

const BACKENDS_HINT = 'Use a list such as [{"host": "vol1@arrayA"}], or "all" for a report on every backend.'

/** Keys of the request that its parts do not have: how it is carried out, and what is for one backend alone. */
const HOW = /^(connection|config_file|config_dir|check_mode|diff|force|wait|wait_timeout|service_down_time|timeout)$/
const FOR_ONE = /^(config|service|active_backend_id|replication_status)$/

export function unknownKeyError(key: string, where: string, known: readonly string[]): AgentError {
  const [similar] = findSimilar(key, known, 1)
  let hint = similar === undefined ? `Use one of ${known.join(', ')}.` : `Did you mean "${similar}"?`
  if (where !== '' && HOW.test(key)) hint = `Move ${key} out of ${where.replace(/\[.*/, '')}, to the top level.`
  if (where.startsWith('backends') && FOR_ONE.test(key)) hint = `Set ${key} for one host or cluster, not in backends.`
  return new AgentError('invalid_request', `Unknown key "${quote(key, 60)}"${where && ` in ${where}`}.`, { hint })
}

function wrongNameError(where: string): AgentError {
  const hint = where.startsWith('restore')
    ? 'Copy undo unchanged from the result.'
    : 'Use letters, digits and "_" in names. Set replication_device beside options, not in options.'
  return new AgentError('invalid_request', `${where} has a key that is not allowed there.`, { hint })
}

function wrongTargetsError(value: object, where: string): AgentError {
  const names = where === '' ? ['host', 'cluster', 'backends', 'restore'] : ['host', 'cluster']
  const given = names.filter((name) => name in value)
  const found = given.length === 0 ? 'names no backend' : `names ${given.join(' and ')}`
  return new AgentError('invalid_request', `${where || 'The request'} ${found}.`, {
    hint: `Set exactly one of ${names.join(', ')}.`,
  })
}

function describeDemand({ keyword, params }: ErrorObject): string {
  const { allowedValues, type, limit, missingProperty, comparison }: Readonly<Record<string, unknown>> = params
  if (keyword === 'enum')
    return toList(allowedValues)
      .map((value) => JSON.stringify(value))
      .join(' or ')
  if (keyword === 'oneOf') return 'a JSON object'
  if (keyword === 'anyOf') return 'an object with backend_id or target_device_id'
  if (keyword === 'type')
    return toList(type)
      .map((name) => NOUNS.get(name) ?? String(name))
      .join(' or ')
  if (keyword === 'minLength' || keyword === 'minItems') return 'not empty'
  if (keyword === 'maxLength') return `at most ${limit} characters long`
  if (keyword === 'maxItems') return `at most ${limit} long`
  if (keyword === 'pattern') return 'a name of letters, digits and _ . @ : - that does not begin with a dash'
  if (keyword === 'required') return `an object with ${missingProperty}`
  return `${comparison} ${limit}`
}

const NOUNS: ReadonlyMap<unknown, string> = new Map([
  ['object', 'a JSON object'],
  ['array', 'a list'],
  ['boolean', 'true or false'],
  ['integer', 'a whole number'],
  ['string', 'a text'],
])

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return quote(JSON.stringify(value), 60)
}

/** The value at a JSON pointer. */
function getAt(document: unknown, pointer: string): unknown {
  let value: unknown = document
  for (const step of pointer.split('/').slice(1)) {
    value =
      typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === step)?.[1] : undefined
  }
  return value
}
