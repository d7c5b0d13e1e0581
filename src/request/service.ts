import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { WantedService } from '../model/request.js'
import { mustBeOne } from './target.js'

/** Errors: invalid_request. */
export function serviceOf({ service, backends }: RequestDocument): WantedService | undefined {
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
