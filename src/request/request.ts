import { resolve } from 'node:path'
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument, TargetDocument } from '../contract.generated.js'
import { AgentError, quotable } from '../errors.js'
import { nameOf } from '../plan/backend.js'
import type {
  BackendState,
  Desired,
  Request,
  Restoration,
  Scope,
  Target,
  WantedConfig,
  WantedService,
} from '../types.js'
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

function targetsOf(document: RequestDocument): Scope {
  const { backends, restore } = document
  if (backends === 'all') {
    mustOnlyReport(document, 'backends: all')
    return 'all'
  }
  const items: readonly TargetDocument[] = Array.isArray(backends) ? backends : (restore ?? [document])
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
  return { kind, name, desired: desiredOf(item, defaults) }
}

function desiredOf(item: TargetDocument, defaults: RequestDocument): Desired {
  const { active_backend_id, replication_status } = defaults
  return {
    active_backend: item.active_backend ?? defaults.active_backend,
    replication: item.replication ?? defaults.replication,
    frozen: item.frozen ?? defaults.frozen,
    ...(active_backend_id !== undefined && { active_backend_id: active_backend_id || null }),
    ...(replication_status !== undefined && { replication_status }),
  }
}

/** Errors: invalid_request where anything is asked for beside it. */
function mustOnlyReport(document: RequestDocument, what: string): void {
  const asked = [...STATES, 'config', 'service'].find((key) => Object.hasOwn(document, key))
  if (asked === undefined) return
  throw new AgentError('invalid_request', `${what} goes without ${asked}.`, { hint: 'Name the backends to change.' })
}

const STATES: readonly (keyof Desired)[] = [
  'active_backend',
  'replication',
  'frozen',
  'active_backend_id',
  'replication_status',
]

/** What may only be set by somebody who knows better than the row. Errors: invalid_request. */
function mustBeForced(document: RequestDocument): void {
  const set = (['active_backend_id', 'replication_status'] as const).find((key) => document[key] !== undefined)
  if (set === undefined) return
  mustBeOne(set, document.backends)
  const other = (['active_backend', 'replication'] as const).find((key) => document[key] !== undefined)
  if (other !== undefined) {
    throw new AgentError('invalid_request', `${set} and ${other} contradict each other.`, { hint: 'Give one of them.' })
  }
  if (document.force === true) return
  throw new AgentError('invalid_request', `${set} is set as it is, past all guards, so it needs force: true.`, {
    hint: 'To bring a backend back to normal say active_backend: reset and replication: enabled instead.',
  })
}

function restoreOf(document: RequestDocument): ReadonlyMap<string, Restoration> | undefined {
  mustBeForced(document)
  const { restore } = document
  if (restore === undefined) return undefined
  mustOnlyReport(document, 'restore')
  return new Map(
    restore.map(({ host, cluster, from, to }) => {
      const row =
        host === undefined
          ? { table: 'clusters' as const, name: cluster ?? '' }
          : { table: 'services' as const, name: host }
      const { modified_at } = to
      return [
        nameOf(row),
        {
          from: stateOf(from),
          to: stateOf(to),
          modifiedAt: typeof modified_at === 'boolean' ? undefined : modified_at,
        },
      ]
    }),
  )
}

/** The columns with the types that they have in a result. Errors: invalid_request. */
function stateOf(columns: Readonly<Record<string, string | boolean | null>>): BackendState {
  const text = (key: keyof BackendState) => typed(columns[key], 'string', key)
  const boolean = (key: keyof BackendState) => typed(columns[key], 'boolean', key)
  return {
    disabled: boolean('disabled'),
    disabled_reason: text('disabled_reason'),
    replication_status: text('replication_status'),
    active_backend_id: text('active_backend_id'),
    frozen: boolean('frozen'),
  }
}

function typed<T extends 'string' | 'boolean'>(value: unknown, type: T, key: string) {
  if (value === null || typeof value === type) return value as (T extends 'string' ? string : boolean) | null // as just seen
  throw new AgentError('invalid_request', `${key} in restore is not what undo of a result has there.`, {
    hint: 'Give it back as it was.',
  })
}
