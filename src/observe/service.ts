import { hostname } from 'node:os'
import type { Backend } from '../model/backend.js'
import { sectionOf } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ServiceState, ServiceView, SourceFile } from '../model/observation.js'
import type { ConfigPlan } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { readVolumeSettings } from '../oslo/settings.js'
import type { ServiceManager } from '../service/manager.js'
import { quote } from '../text/quote.js'

interface Surroundings {
  readonly manager: ServiceManager
  readonly state: ServiceState
  /** Those that this cinder-volume reads. */
  readonly files: readonly SourceFile[]
  readonly env: NodeJS.ProcessEnv
  readonly edit: ConfigPlan | undefined
}

/** The service of the backend on this machine, by its manager and by cinder.conf. Errors: config_error, invalid_request. */
export function viewOf(
  { config, service, wait }: Request,
  backend: Backend,
  { manager, state, files, env, edit }: Surroundings,
): ServiceView {
  const section = config?.section ?? sectionOf(backend.target.name) ?? ''
  const after = files.map((file) => (file.path === edit?.file ? { ...file, text: edit.after.toString('utf8') } : file))
  const settings = readVolumeSettings(after, env)
  const told = settings.hostOf(section)
  const host = hostIn(backend, `${told ?? hostname()}@${section}`)
  return {
    manager: manager.manager,
    name: manager.name,
    state,
    wanted: service?.state ?? 'started',
    waits: wait,
    host,
    otherHost: told === undefined || `${told}@${section}` === host ? undefined : `${told}@${section}`,
    reportInterval: settings.reportInterval,
    replicates: settings.replicates(section),
    others: settings.enabledBackends.filter((each) => each !== section),
  }
}

/** `services.host` of the service on this machine: the one that the request names, or of a cluster the only member, or what cinder.conf says. */
function hostIn({ target, services }: Backend, here: string): string {
  const names = services.map(({ name }) => name)
  if (target.kind === 'host' && names.includes(target.name)) return target.name
  const [only, ...others] = names
  const own = only !== undefined && others.length === 0 ? only : names.find((name) => name === here)
  if (own !== undefined) return own
  throw new AgentError(
    'invalid_request',
    `Which member of ${quote(target.name)} runs on this machine is not told: cinder.conf here makes it ${quote(here)}.`,
    { hint: `Name it as host; the members are ${names.slice(0, 10).join(', ') || 'none'}.`, cluster: target.name },
  )
}
