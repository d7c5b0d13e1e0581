import schema from '../../schemas/request.schema.json' with { type: 'json' }
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import type { WantedService } from '../model/request.js'
import { requireOneBackend } from './target.js'

/** Errors: invalid_request. */
export function parseService({ service, backends }: RequestDocument): WantedService | undefined {
  if (service === undefined) return undefined
  requireOneBackend('service', backends)
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
  const isCommand = manager === 'command'
  const missing = Object.entries({ start, stop, status }).find(([, words]) => isCommand !== words.length > 0)
  if (missing !== undefined) {
    const problem = isCommand
      ? `service.manager command needs service.${missing[0]}.`
      : `service.${missing[0]} is for service.manager command, not ${manager}.`
    throw new AgentError('invalid_request', problem, {
      hint: 'Set start, stop and status for manager: command, and for no other.',
    })
  }
  if (isCommand && name !== undefined) {
    throw new AgentError('invalid_request', 'service.name cannot be combined with service.manager command.', {
      hint: 'Remove service.name.',
    })
  }
  return { manager, name, state, timeout, start, stop, status }
}
