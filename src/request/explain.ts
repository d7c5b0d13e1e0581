import type { ErrorObject } from 'ajv'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import { findSimilar } from '../text/similar.js'

/** The validator's finding as one sentence for the operator. Values are quoted, save those that may be secret. */
export function explain(error: ErrorObject | undefined, document: unknown): AgentError {
  if (error === undefined) return new AgentError('invalid_request', 'The request does not fit its schema.')
  const value = at(document, error.instancePath)
  const where = error.instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
  if (error.keyword === 'propertyNames') {
    return new AgentError(
      'invalid_request',
      `${where} has a name that cannot stand in cinder.conf, or that has a key of its own.`,
      {
        hint: 'replication_device stands beside options.',
      },
    )
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (error.keyword === 'oneOf' && isObject) return wrongTargets(value, where)
  const shown =
    where === '' || where === 'connection' || /^(config|service\.(start|stop|status))/.test(where)
      ? ''
      : `, not ${show(value)}`
  const hint = /^backends(\[\d+\])?$/.test(where) ? { hint: BACKENDS } : {}
  return new AgentError('invalid_request', `${where || 'The request'} must be ${demand(error)}${shown}.`, hint)
}

const BACKENDS = 'It is a list such as [{"host": "vol1@arrayA"}], or "all" for a report of every one.'

/** Keys that the request has but its parts have not: how it is carried out, and what goes with one backend alone. */
const HOW = /^(connection|config_file|config_dir|check_mode|diff|force|wait|wait_timeout|service_down_time|timeout)$/
const OF_ONE = /^(config|service|active_backend_id|replication_status)$/

export function unknownKey(key: string, where: string, known: readonly string[]): AgentError {
  const [similar] = findSimilar(key, known, 1)
  let hint = similar === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean "${similar}"?`
  if (where !== '' && HOW.test(key)) hint = `It stands beside ${where.replace(/\[.*/, '')}, not in it.`
  if (where.startsWith('backends') && OF_ONE.test(key)) hint = 'It goes with one host or cluster, not with backends.'
  return new AgentError('invalid_request', `Unknown key "${quote(key, 60)}"${where && ` in ${where}`}.`, {
    hint,
  })
}

function wrongTargets(value: object, where: string): AgentError {
  const names = where === '' ? ['host', 'cluster', 'backends', 'restore'] : ['host', 'cluster']
  const given = names.filter((name) => name in value)
  const found = given.length === 0 ? 'names no backend' : `names ${given.join(' and ')}`
  return new AgentError('invalid_request', `${where || 'The request'} ${found}.`, {
    hint: `Give exactly one of ${names.join(', ')}.`,
  })
}

function demand({ keyword, params }: ErrorObject): string {
  if (keyword === 'enum') return params['allowedValues'].map((value: unknown) => JSON.stringify(value)).join(' or ')
  if (keyword === 'oneOf') return 'a JSON object'
  if (keyword === 'type')
    return [params['type']]
      .flat()
      .map((type) => NOUNS[type] ?? type)
      .join(' or ')
  if (keyword === 'minLength' || keyword === 'minItems') return 'not empty'
  if (keyword === 'maxLength') return `at most ${params['limit']} characters long`
  if (keyword === 'maxItems') return `at most ${params['limit']} long`
  if (keyword === 'pattern') return 'a name of letters, digits and _ . @ : - that does not begin with a dash'
  if (keyword === 'required') return `an object with ${params['missingProperty']}`
  return `${params['comparison']} ${params['limit']}`
}

const NOUNS: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  string: 'a text',
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return quote(JSON.stringify(value), 60)
}

function at(document: unknown, pointer: string): unknown {
  let value: unknown = document
  for (const step of pointer.split('/').slice(1)) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
  }
  return value
}
