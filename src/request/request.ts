import { resolve } from 'node:path'
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument, TargetDocument } from '../contract.generated.js'
import { AgentError, quotable } from '../errors.js'
import type { Request, Target, WantedConfig, WantedService } from '../types.js'
import { coerce, toBoolean } from './coerce.js'
import { explain, unknownKey } from './explain.js'
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
  const hints = document as Readonly<Record<string, unknown>>
  const asked = (key: string) => toBoolean(hints[key]) === true
  const { connection, config_file, config_dir } = document
  return {
    targets: targetsOf(document),
    config: configOf(document),
    service: serviceOf(document),
    wait: document.wait ?? document.service !== undefined,
    waitTimeout: document.wait_timeout ?? schema.properties.wait_timeout.default,
    source: {
      ...(connection !== undefined && { connection }),
      ...(config_file !== undefined && { config_file }),
      ...(config_dir !== undefined && { config_dir }),
    },
    checkMode: flags.check || document.check_mode === true || asked('_ansible_check_mode') || asked('_noop'),
    diff: flags.diff || document.diff === true || asked('_ansible_diff'),
    force: document.force ?? schema.properties.force.default,
    serviceDownTime: document.service_down_time,
    timeout: document.timeout ?? schema.properties.timeout.default,
  }
}

function validated(value: unknown): RequestDocument {
  const document = coerce(value, schema)
  refuseUnknownKeys(document)
  if (validate(document)) return document as RequestDocument // what the validator has just established
  throw explain(validate.errors?.at(-1), document)
}

/** A number that lost digits in JSON would be written as another one. */
function mustBeExact(value: unknown): void {
  const exact = typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)
  if (
    !exact ||
    (typeof value === 'string' && /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value))
  ) {
    throw new AgentError('invalid_request', 'A value in config cannot be written as it is given.', {
      hint: 'Give a long number as a text.',
    })
  }
}

function configOf({ config, backends }: RequestDocument): WantedConfig | undefined {
  if (config === undefined) return undefined
  mustBeOne('config', backends)
  const {
    file,
    section,
    options = {},
    replication_device,
    promote,
    backup = schema.$defs.config.properties.backup.default,
  } = config
  for (const value of [
    ...Object.values(options),
    ...(replication_device ?? []).flatMap((device) => Object.values(device)),
  ])
    mustBeExact(value)
  return {
    file: file === undefined ? undefined : resolve(file),
    section,
    options: new Map(Object.entries(options)),
    devices: replication_device?.map(
      (device) => new Map(Object.entries(device).map(([key, value]) => [key, String(value)])),
    ),
    promote: typeof promote === 'string' ? (toBoolean(promote) === true ? true : promote) : promote || undefined,
    backup,
  }
}

function mustBeOne(key: string, backends: RequestDocument['backends']): void {
  if (backends === undefined) return
  throw new AgentError('invalid_request', `${key} is about one backend, but backends names several.`, {
    hint: 'Give it with host or cluster.',
  })
}

function serviceOf({ service, backends }: RequestDocument): WantedService | undefined {
  if (service === undefined) return undefined
  mustBeOne('service', backends)
  const defaults = schema.$defs.service.properties
  const {
    manager = 'auto',
    name,
    state = 'started',
    timeout = defaults.timeout.default,
    start = [],
    stop = [],
    status = [],
  } = service
  const byCommand = manager === 'command'
  const missing = Object.entries({ start, stop, status }).find(([, words]) => byCommand !== words.length > 0)
  if (missing !== undefined) {
    const problem = byCommand
      ? `service.manager command needs service.${missing[0]}.`
      : `service.${missing[0]} is for service.manager command, not ${manager}.`
    throw new AgentError('invalid_request', problem, { hint: 'Give start, stop and status with manager: command.' })
  }
  if (byCommand && name !== undefined) {
    throw new AgentError('invalid_request', 'service.name means nothing to service.manager command.', {
      hint: 'Leave it out.',
    })
  }
  return { manager, name, state, timeout, start, stop, status }
}

/** Unknown keys are told before anything else, since a misspelt one often explains what is missing. */
function refuseUnknownKeys(document: unknown): void {
  if (!isObject(document)) return
  refuseUnknown(document, schema.properties, '')
  for (const key of ['config', 'service'] as const) {
    const part = document[key]
    if (isObject(part)) refuseUnknown(part, schema.$defs[key].properties, key)
  }
  const { backends } = document
  if (!Array.isArray(backends)) return
  for (const [index, item] of backends.entries()) {
    if (isObject(item)) refuseUnknown(item, schema.$defs.target.properties, `backends[${index}]`)
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

function targetsOf(document: RequestDocument): readonly Target[] {
  const items: readonly TargetDocument[] = document.backends ?? [document]
  const targets = items.map((item) => toTarget(item, document))
  const seen = new Set<string>()
  for (const { kind, name } of targets) {
    if (seen.has(`${kind} ${name}`)) {
      throw new AgentError('invalid_request', `The ${kind} ${quotable(name)} stands twice in backends.`, {
        [kind]: name,
      })
    }
    seen.add(`${kind} ${name}`)
  }
  return targets
}

function toTarget(item: TargetDocument, defaults: RequestDocument): Target {
  const kind = item.cluster === undefined ? 'host' : 'cluster'
  const name = item.cluster ?? item.host ?? ''
  const pool = name.indexOf('#')
  if (pool >= 0) {
    throw new AgentError('invalid_request', `"${quotable(name)}" names a pool of a backend.`, {
      hint: `Name the ${kind} alone: "${quotable(name.slice(0, pool))}".`,
      [kind]: name,
    })
  }
  return {
    kind,
    name,
    desired: {
      active_backend: item.active_backend ?? defaults.active_backend,
      replication: item.replication ?? defaults.replication,
      frozen: item.frozen ?? defaults.frozen,
    },
  }
}
