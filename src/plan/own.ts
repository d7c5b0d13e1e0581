import { AgentError, quotable } from '../errors.js'
import type { Backend } from '../types.js'

/**
 * `services.host` of the service on this machine: the one that the request names, or of a cluster the only member, or the one that cinder.conf
 * here says. Errors: invalid_request where that leaves it open.
 */
export function serviceHost({ target, services }: Backend, here: () => string): string {
  const names = services.map(({ name }) => name)
  if (target.kind === 'host' && names.includes(target.name)) return target.name
  const [only, ...others] = names
  const own = only !== undefined && others.length === 0 ? only : names.find((name) => name === here())
  if (own !== undefined) return own
  throw new AgentError(
    'invalid_request',
    `Which member of ${quotable(target.name)} runs on this machine is not told: cinder.conf here makes it ${quotable(here())}.`,
    { hint: `Name it as host; the members are ${names.slice(0, 10).join(', ') || 'none'}.`, cluster: target.name },
  )
}
