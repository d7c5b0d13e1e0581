import { hostname } from 'node:os'
import { type Backend, getSectionName } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, ServiceFacts, ServiceState } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { findOtherBackend, makeOtherBackendError } from '../oslo/other-backend.js'
import { readVolumeSettings } from '../oslo/volume-settings.js'
import type { ServiceManager } from '../service/manager.js'
import { quote } from '../text/quote.js'

/** The service of the backend on this host, by its manager and by cinder.conf. Errors: config_error, invalid_request. */
export function describeService(
  request: Request,
  backend: Backend,
  { files, env, doubt, machine }: ConfigFacts,
  manager: Pick<ServiceManager, 'manager' | 'name'>,
  state: ServiceState,
): ServiceFacts {
  const section = getSectionName(backend.target.name) ?? request.config?.section ?? ''
  const settings = readVolumeSettings(files, env, machine)
  const own = doubt === undefined ? settings.readHost(section) : undefined
  const here = `${own?.name ?? hostname()}@${section}`
  const other = doubt === undefined ? findOtherBackend(backend, section, settings) : undefined
  const error = other === undefined ? undefined : makeOtherBackendError(backend, other, own)
  const host = findHost(backend, here, error)
  return {
    manager: manager.manager,
    name: manager.name,
    state,
    host,
    reportInterval: settings.reportInterval,
    others: settings.enabledBackends.filter((each) => each !== section),
    startedAt: undefined,
  }
}

/** `services.host` of the other backends that cinder-volume on this host serves (cinder/cmd/volume.py). Errors: config_error. */
export function listNeighbourHosts({ targets, config }: Request, { files, env }: ConfigFacts): readonly string[] {
  const [target] = targets === 'all' ? [] : targets
  if (target === undefined) return []
  const section = config?.section ?? getSectionName(target.name)
  const settings = readVolumeSettings(files, env)
  const here = target.kind === 'host' ? target.name.replace(/@[^@]*$/, '') : hostname()
  return settings.enabledBackends
    .filter((each) => each !== section)
    .map((each) => `${settings.readHost(each)?.name ?? here}@${each}`)
    .filter((name) => name !== target.name)
}

/** `services.host` of the service on this host: the one that the request names, the only member of the cluster, or the one in cinder.conf. */
function findHost(backend: Backend, here: string, otherBackend: AgentError | undefined): string {
  const { target, services } = backend
  const names = services.map(({ name }) => name)
  if (target.kind === 'host' && names.includes(target.name)) return target.name
  const [only, ...others] = names
  const own = only !== undefined && others.length === 0 ? only : names.find((name) => name === here)
  if (own !== undefined) return own
  if (otherBackend !== undefined) throw otherBackend
  throw new AgentError(
    'invalid_request',
    `The member of ${quote(target.name)} that runs here is not known (cinder.conf here says ${quote(here)}).`,
    {
      hint: `Name it as host. The members are ${
        names
          .slice(0, 10)
          .map((name) => quote(name))
          .join(', ') || 'none'
      }.`,
      cluster: target.name,
    },
  )
}
