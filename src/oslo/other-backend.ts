import type { Backend } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { VolumeHost, VolumeSettings } from './volume-settings.js'

/**
 * The backend that cinder.conf gives the section to, if it is another one; undefined also if cinder.conf does not say. The part of a row's name before
 * the last @ is the host, or the cluster, as it is written there (cinder/cmd/volume.py, _launch_service). `hosts`: the rows that count as this backend.
 */
export function findOtherBackend(
  { target, cluster, services }: Backend,
  section: string,
  settings: Pick<VolumeSettings, 'readHost' | 'cluster'>,
  hosts: readonly string[] = target.kind === 'host' ? [target.name] : services.map(({ name }) => name),
): string | undefined {
  const at = target.name.lastIndexOf('@')
  const suffix = at < 0 ? '' : target.name.slice(at)
  const host = settings.readHost(section)
  const isCertain = host?.machine?.isKnown !== false
  if (host !== undefined && isCertain && !hosts.includes(`${host.name}${suffix}`)) return `${host.name}${suffix}`
  const group = cluster && settings.cluster
  return group === undefined || `${group}${suffix}` === cluster?.name ? undefined : `${group}${suffix}`
}

/** `host`: as cinder.conf gives it. */
export function makeOtherBackendError(
  { target: { kind, name } }: Backend,
  other: string,
  host: VolumeHost | undefined,
): AgentError {
  const why = host?.machine && `: it sets no host, so Cinder takes the machine's name, ${quote(host.name)}`
  return new AgentError(
    'config_error',
    `cinder.conf here is that of ${quote(other)}, not of ${quote(name)}${why ?? ''}.`,
    {
      hint: `Run it on the machine of ${quote(name)}. If its cinder-volume runs here too, name the files that it reads with {config_file}.`,
      [kind]: name,
    },
  )
}

/** A container, or what a command starts, may have another name than this machine. */
export function warnOfOtherMachine(
  { target: { name }, services }: Backend,
  section: string,
  { readHost }: Pick<VolumeSettings, 'readHost'>,
): readonly string[] {
  const host = readHost(section)
  if (host?.machine?.isKnown !== false) return []
  if (services.some((row) => row.name.slice(0, row.name.lastIndexOf('@')) === host.name)) return []
  return [
    `cinder.conf here sets no host, so Cinder takes the machine's name. This machine is ${quote(host.name)}, which is not that of ${quote(name)}. Check that its cinder-volume is the one here.`,
  ]
}
