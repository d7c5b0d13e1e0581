import { resolve } from 'node:path'
import schema from '../../schemas/request.schema.json' with { type: 'json' }
import { getSectionName, normalizeSection } from '../model/backend.js'
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { WantedConfig } from '../model/request.js'
import { quote } from '../text/quote.js'
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

/** An edit of another backend's section would change an array that the row says nothing of. Errors: invalid_request. */
function requireOwnSection({ config, force, host, cluster }: RequestDocument): void {
  const name = cluster ?? host ?? ''
  const own = getSectionName(name)
  const asked = config?.section
  if (own === undefined || asked === undefined || force === true) return
  if (normalizeSection(own) === normalizeSection(asked)) return
  throw new AgentError(
    'invalid_request',
    `[${quote(asked)}] is not the section of ${quote(name)}, which is [${quote(own)}].`,
    {
      hint: `Remove {section}, or name the backend of [${quote(asked)}]. If cinder-volume serves ${quote(name)} by that section all the same, add {force}.`,
      [cluster === undefined ? 'host' : 'cluster']: name,
    },
  )
}

/** Errors: invalid_request. */
export function parseConfig(document: RequestDocument): WantedConfig | undefined {
  const { config, backends } = document
  if (config === undefined) return undefined
  requireOneBackend('config', backends)
  requireOwnSection(document)
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
