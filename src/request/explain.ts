import type { ErrorObject } from 'ajv'
import { AgentError, quotable } from '../errors.js'
import { nearest } from './nearest.js'

/** Which of several faults is told: an unknown key first, since it often explains that another one is missing. */
const TOLD_FIRST = ['additionalProperties', 'type', 'enum', 'oneOf']

/**
 * A validator's findings as one sentence for the operator. Values are quoted, save those that may be secret.
 * `known` tells the keys that an object in the request may have, by its JSON pointer.
 */
export function explain(
  errors: readonly ErrorObject[],
  document: unknown,
  known: (pointer: string) => readonly string[],
): AgentError {
  const rank = (error: ErrorObject) => (TOLD_FIRST.indexOf(error.keyword) + 5) % 5
  // The branches of oneOf complain too; what they say is in the complaint of oneOf itself.
  const [first] = errors.filter((error) => !error.schemaPath.includes('/oneOf/')).sort((a, b) => rank(a) - rank(b))
  if (first === undefined) return new AgentError('invalid_request', 'The request does not fit its schema.')
  const value = at(document, first.instancePath)
  const where = first.instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
  if (first.keyword === 'additionalProperties') {
    return unknownKey(String(first.params['additionalProperty']), where, known(first.instancePath))
  }
  if (first.keyword === 'oneOf') return wrongTargets(value, where)
  const shown = where === 'connection' ? '' : `, not ${show(value)}`
  return new AgentError('invalid_request', `${where || 'The request'} must be ${demand(first)}${shown}.`)
}

function unknownKey(key: string, where: string, known: readonly string[]): AgentError {
  const [similar] = nearest(key, known, 1)
  const hint = similar === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean "${similar}"?`
  return new AgentError('invalid_request', `Unknown key "${quotable(key, [], 60)}"${where && ` in ${where}`}.`, {
    hint,
  })
}

function wrongTargets(value: unknown, where: string): AgentError {
  const names = where === '' ? ['host', 'cluster', 'backends'] : ['host', 'cluster']
  const given = names.filter((name) => typeof value === 'object' && value !== null && name in value)
  const found = given.length === 0 ? 'names no backend' : `names ${given.join(' and ')}`
  return new AgentError('invalid_request', `${where || 'The request'} ${found}.`, {
    hint: `Give exactly one of ${names.join(', ')}.`,
  })
}

function demand({ keyword, params }: ErrorObject): string {
  if (keyword === 'enum') return params['allowedValues'].map((value: unknown) => JSON.stringify(value)).join(' or ')
  if (keyword === 'type') return NOUNS[String(params['type'])] ?? String(params['type'])
  if (keyword === 'minLength' || keyword === 'minItems') return 'not empty'
  if (keyword === 'maxLength') return `at most ${params['limit']} characters long`
  if (keyword === 'maxItems') return `at most ${params['limit']} long`
  return `${params['comparison']} ${params['limit']}`
}

const NOUNS: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  boolean: 'true or false',
  integer: 'a whole number',
  string: 'a text',
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return quotable(JSON.stringify(value), [], 60)
}

function at(document: unknown, pointer: string): unknown {
  let value: unknown = document
  for (const step of pointer.split('/').slice(1)) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
  }
  return value
}
