/**
 * From bytes to a Request: parse.ts reads JSON, coerce.ts converts the texts of callers without types, the schema's validator and explain.ts
 * refuse, and the other files fill in the defaults. Imports model/, text/ and the schema alone; no effects.
 *
 * Promised: a request that passes matches schemas/request.schema.json; a refusal is invalid_json or invalid_request, names the key, and
 * quotes no value that may be a secret.
 * Not promised: that the backends, files or programs that the request names exist.
 */
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import type { Request } from '../model/request.js'
import { coerce, toBoolean } from './coerce.js'
import { parseConfig } from './config.js'
import { explainInvalid, unknownKeyError } from './explain.js'
import { parseRestore } from './restore.js'
import { parseService } from './service.js'
import { parseTargets, requireForce } from './target.js'
import validate from './validate.generated.js'

/** What the command line adds to the request. */
export interface Flags {
  readonly check: boolean
  readonly diff: boolean
}

/** Also honours the keys of Ansible and Puppet Bolt. Errors: invalid_request. */
export function toRequest(value: unknown, flags: Flags): Request {
  const document = validateDocument(value)
  requireForce(document)
  const asked = readFlags(document)
  const { connection, config_file, config_dir } = document
  return {
    targets: parseTargets(document),
    restore: parseRestore(document),
    config: parseConfig(document),
    service: parseService(document),
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

/** The flags in the request, by its own keys or those of Ansible and Puppet Bolt. */
export function readFlags(document: object): Flags {
  const given: ReadonlyMap<string, unknown> = new Map(Object.entries(document))
  const asked = (...keys: readonly string[]) => keys.some((key) => toBoolean(given.get(key)) === true)
  return { check: asked('check_mode', '_ansible_check_mode', '_noop'), diff: asked('diff', '_ansible_diff') }
}

function validateDocument(value: unknown): RequestDocument {
  const document = coerce(value, schema)
  refuseUnknownKeys(document)
  if (validate(document)) return document as RequestDocument // the validator has checked it
  throw explainInvalid(validate.errors?.at(-1), document)
}

/** Before the schema, because a misspelt key often explains what is missing. */
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
  if (unknown !== undefined) throw unknownKeyError(unknown, where, Object.keys(properties))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
