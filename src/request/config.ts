import { resolve } from 'node:path'
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { WantedConfig } from '../model/request.js'
import { toBoolean } from './coerce.js'
import { mustBeOne } from './target.js'

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

/** Errors: invalid_request. */
export function configOf({ config, backends }: RequestDocument): WantedConfig | undefined {
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
