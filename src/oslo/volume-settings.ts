import { AgentError } from '../model/errors.js'
import type { Machine, SourceFile } from '../model/observation.js'
import { type Lookup, readConfig } from './config.js'
import { hasSection } from './ini.js'

/** Cinder's default (cinder/service.py). */
export const REPORT_INTERVAL_S = 10

/** The options of the cinder-volume that reads the files. */
export interface VolumeSettings {
  /** Seconds. */
  readonly reportInterval: number
  readonly enabledBackends: readonly string[]
  /** undefined: not known, also if no file has the section. */
  readonly readHost: (section: string) => VolumeHost | undefined
  /** The part of `clusters.name` before the @ (cinder/cmd/volume.py); undefined: no cluster. */
  readonly cluster: string | undefined
  /** Whether the section has a `replication_device`, of its own or from [backend_defaults]. */
  readonly hasReplica: (section: string) => boolean
}

/** The part of `services.host` before the @, for the backend in a section (cinder/cmd/volume.py). */
export interface VolumeHost {
  readonly name: string
  /** The machine that gives the name, because cinder.conf sets none. */
  readonly machine: Machine | undefined
}

/** `machine`: where the cinder-volume runs, if that is to count. Errors: config_error if report_interval is not a number. */
export function readVolumeSettings(
  files: readonly SourceFile[],
  env: NodeJS.ProcessEnv,
  machine?: Machine,
): VolumeSettings {
  const lookup = readConfig(files, env)
  const value = (group: string, name: string) => lookup({ group, name })?.value || undefined
  return {
    reportInterval: readReportInterval(lookup),
    enabledBackends: (value('DEFAULT', 'enabled_backends') ?? '').split(',').flatMap((name) => name.trim() || []),
    readHost: (section) =>
      skipUnresolved(() => {
        const name = value(section, 'backend_host') ?? value('DEFAULT', 'host')
        if (name !== undefined) return { name, machine: undefined }
        return machine && files.some((file) => hasSection(file, section)) ? { name: machine.name, machine } : undefined
      }),
    cluster: value('DEFAULT', 'cluster')?.trim() || undefined,
    hasReplica: (section) =>
      [section, 'backend_defaults'].some((group) => lookup({ group, name: 'replication_device' }) !== undefined),
  }
}

/** Seconds between two heartbeats. A service that sends none has 0 (cinder/service.py). Errors: config_error. */
export function readReportInterval(lookup: Lookup): number {
  return Math.max(0, readWholeNumber(lookup, 'report_interval') ?? 0) || REPORT_INTERVAL_S
}

/** A host can refer to an option whose default is not known here, such as my_ip. */
function skipUnresolved<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

/** An option of [DEFAULT]; undefined if it is not set. Errors: config_error. */
export function readWholeNumber(lookup: Lookup, name: 'service_down_time' | 'report_interval'): number | undefined {
  const found = lookup({ group: 'DEFAULT', name })
  if (found === undefined || found.value.trim() === '') return undefined
  if (!/^\s*[+-]?\d+\s*$/.test(found.value)) {
    throw new AgentError('config_error', `${name} in ${found.place}, is not a whole number.`, {
      hint: `Correct ${name} in cinder.conf.`,
    })
  }
  return Number(found.value)
}
