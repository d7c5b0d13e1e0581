import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import type { Request } from '../model/request.js'
import { coerce, toBoolean } from './coerce.js'
import { configOf } from './config.js'
import { explain, unknownKey } from './explain.js'
import { restoreOf } from './restore.js'
import { serviceOf } from './service.js'
import { mustBeForced, targetsOf } from './target.js'
import validate from './validate.generated.js'

/** What the command line adds to the request. */
export interface Flags {
  readonly check: boolean
  readonly diff: boolean
}

/**
 * A JSON value as a request, with the values of text-only callers turned into types, the defaults filled in, and the keys of
 * Ansible and Puppet Bolt honoured. Errors: invalid_request.
 */
export function toRequest(value: unknown, flags: Flags): Request {
  const document = validated(value)
  mustBeForced(document)
  const asked = flagsIn(document)
  const { connection, config_file, config_dir } = document
  return {
    targets: targetsOf(document),
    restore: restoreOf(document),
    config: configOf(document),
    service: serviceOf(document),
    wait: document.wait ?? document.service !== undefined,
    waitTimeout: document.wait_timeout ?? schema.properties.wait_timeout.default,
    source: {
      ...(connection !== undefined && { connection }),
      ...(config_file !== undefined && { config_file }),
      ...(config_dir !== undefined && { config_dir }),
    },
    checkMode: flags.check || asked.check,
    diff: flags.diff || asked.diff,
    force: document.force ?? schema.properties.force.default,
    serviceDownTime: document.service_down_time,
    timeout: document.timeout ?? schema.properties.timeout.default,
  }
}

/** What the request itself asks for, in its own words or in those of Ansible and Puppet Bolt. */
export function flagsIn(document: object): Flags {
  const given = document as Readonly<Record<string, unknown>>
  const asked = (...keys: readonly string[]) => keys.some((key) => toBoolean(given[key]) === true)
  return { check: asked('check_mode', '_ansible_check_mode', '_noop'), diff: asked('diff', '_ansible_diff') }
}

function validated(value: unknown): RequestDocument {
  const document = coerce(value, schema)
  refuseUnknownKeys(document)
  if (validate(document)) return document as RequestDocument // what the validator has just established
  throw explain(validate.errors?.at(-1), document)
}

/** Unknown keys are told before anything else, since a misspelt one often explains what is missing. */
function refuseUnknownKeys(document: unknown): void {
  if (!isObject(document)) return
  refuseUnknown(document, schema.properties, '')
  for (const key of ['config', 'service'] as const) {
    const part = document[key]
    if (isObject(part)) refuseUnknown(part, schema.$defs[key].properties, key)
  }
  for (const [key, properties] of [
    ['backends', schema.$defs.target.properties],
    ['restore', schema.$defs.restore.properties],
  ] as const) {
    const list = document[key]
    if (!Array.isArray(list)) continue
    for (const [index, item] of list.entries()) if (isObject(item)) refuseUnknown(item, properties, `${key}[${index}]`)
  }
}

function refuseUnknown(object: Readonly<Record<string, unknown>>, properties: object, where: string): void {
  const unknown = Object.keys(object).find(
    (key) => !Object.hasOwn(properties, key) && !(where === '' && key.startsWith('_')),
  )
  if (unknown !== undefined) throw unknownKey(unknown, where, Object.keys(properties))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
