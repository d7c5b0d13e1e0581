import type { Backend } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { VolumeSettings } from './volume-settings.js'

/**
 * The backend that cinder.conf gives the section to, if it is another one; undefined also if cinder.conf does not say. The part of a row's name before
 * the last @ is the host, or the cluster, as it is written there (cinder/cmd/volume.py, _launch_service). `hosts`: the rows that count as this backend.
 */
export function findOtherBackend(
  { target, cluster, services }: Backend,
  section: string,
  settings: Pick<VolumeSettings, 'hostOf' | 'cluster'>,
  hosts: readonly string[] = target.kind === 'host' ? [target.name] : services.map(({ name }) => name),
): string | undefined {
  const at = target.name.lastIndexOf('@')
  const suffix = at < 0 ? '' : target.name.slice(at)
  const host = settings.hostOf(section)
  if (host !== undefined && !hosts.includes(`${host}${suffix}`)) return `${host}${suffix}`
  const group = cluster && settings.cluster
  return group === undefined || `${group}${suffix}` === cluster?.name ? undefined : `${group}${suffix}`
}

export function makeOtherBackendError({ target: { kind, name } }: Backend, other: string): AgentError {
  return new AgentError('config_error', `cinder.conf here is that of ${quote(other)}, not of ${quote(name)}.`, {
    hint: `Run it on the machine of ${quote(name)}. If its cinder-volume runs here too, name the files that it reads with {config_file}.`,
    [kind]: name,
  })
}
