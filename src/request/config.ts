import { resolve } from 'node:path'
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { WantedConfig } from '../model/request.js'
import { toBoolean } from './coerce.js'
import { requireOneBackend } from './target.js'

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** JSON.parse rounds a large number, and a lone surrogate has no UTF-8. */
function requireExact(value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new AgentError('invalid_request', 'A number in config has more digits than JSON keeps.', {
      hint: 'Write the number as a text.',
    })
  }
  if (typeof value === 'string' && LONE_SURROGATE.test(value)) {
    throw new AgentError('invalid_request', 'A text in config is not valid Unicode.', { hint: 'Correct the text.' })
  }
}

/** Errors: invalid_request. */
export function parseConfig({ config, backends }: RequestDocument): WantedConfig | undefined {
  if (config === undefined) return undefined
  requireOneBackend('config', backends)
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
    requireExact(value)
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
