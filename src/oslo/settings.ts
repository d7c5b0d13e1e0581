import { existsSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { configFiles, type FileSelection } from './files.js'

/** What the agent needs of Cinder's configuration. */
export interface Settings {
  /** `[database] connection`, an SQLAlchemy URL. */
  readonly connection: string
  /** `[database] connection_parameters`, to be appended to it. */
  readonly parameters: string
  /** Where the connection stands, for messages. */
  readonly place: string
  /** Seconds; undefined where nothing sets it. Errors: config_error where it is no number. */
  readonly serviceDownTime: () => number | undefined
}

/**
 * The connection and service_down_time from the environment and the files that cinder-volume reads.
 * Errors: config_error for files that cannot be read or parsed, and where no connection is set.
 */
export function readSettings(selection: FileSelection, env: NodeJS.ProcessEnv): Settings {
  const files = configFiles(selection, env)
  const lookup = readConfig(files, env)
  const found = lookup({ group: 'database', name: 'connection' }) ?? cindersDefault(lookup)
  if (found === undefined) {
    const read = files.map(({ path }) => quote(path)).join(', ')
    const problem =
      read === ''
        ? 'There is no cinder.conf where Cinder looks for one, or none that this user may see.'
        : `No [database] connection is set in ${read}.`
    throw new AgentError('config_error', problem, {
      hint: {
        request: 'Give config_file, or the connection itself.',
        command: 'Give --config-file or --connection, or set OS_DATABASE__CONNECTION.',
      },
    })
  }
  return {
    connection: found.value,
    parameters: lookup({ group: 'database', name: 'connection_parameters' })?.value ?? '',
    place: found.place,
    serviceDownTime: () => serviceDownTime(lookup),
  }
}

/** `service_down_time` of the files alone, for a request that brings its own connection; seconds. */
export function readServiceDownTime(selection: FileSelection, env: NodeJS.ProcessEnv): number | undefined {
  return serviceDownTime(readConfig(configFiles(selection, env), env))
}

/** Seconds between two heartbeats, as Cinder has it by default (cinder/service.py). */
const REPORT_INTERVAL = 10

/** What the files say of the cinder-volume that reads them. */
export interface VolumeSettings {
  /** Seconds. */
  readonly reportInterval: number
  readonly enabledBackends: readonly string[]
  /** The part before the @ in `services.host` of the backend in that section (cinder/cmd/volume.py); undefined: the machine's name. */
  readonly hostOf: (section: string) => string | undefined
  /** Whether the section has a `replication_device`, of its own or from [backend_defaults]. */
  readonly replicates: (section: string) => boolean
}

/** Errors: config_error where report_interval is no number. */
export function readVolumeSettings(files: readonly SourceFile[], env: NodeJS.ProcessEnv): VolumeSettings {
  const lookup = readConfig(files, env)
  const value = (group: string, name: string) => lookup({ group, name })?.value || undefined
  return {
    reportInterval: wholeNumber(lookup, 'report_interval') || REPORT_INTERVAL,
    enabledBackends: (value('DEFAULT', 'enabled_backends') ?? '').split(',').flatMap((name) => name.trim() || []),
    hostOf: (section) => value(section, 'backend_host') ?? value('DEFAULT', 'host'),
    replicates: (section) =>
      [section, 'backend_defaults'].some((group) => lookup({ group, name: 'replication_device' }) !== undefined),
  }
}

/** Cinder's own default (cinder/db/sqlalchemy/api.py), if a database is there. */
function cindersDefault(lookup: Lookup): { value: string; place: string } | undefined {
  const path = `${lookup({ group: 'DEFAULT', name: 'state_path' })?.value}/cinder.sqlite`
  return existsSync(path) ? { value: `sqlite:///${path}`, place: "Cinder's default" } : undefined
}

function serviceDownTime(lookup: Lookup): number | undefined {
  return wholeNumber(lookup, 'service_down_time')
}

function wholeNumber(lookup: Lookup, name: 'service_down_time' | 'report_interval'): number | undefined {
  const found = lookup({ group: 'DEFAULT', name })
  if (found === undefined || found.value.trim() === '') return undefined
  if (!/^\s*[+-]?\d+\s*$/.test(found.value)) {
    throw new AgentError('config_error', `${name} in ${found.place}, is not a whole number.`, {
      hint: {
        request: name === 'service_down_time' ? 'Correct it, or give service_down_time in the request.' : 'Correct it.',
        command: 'Correct it.',
      },
    })
  }
  return Number(found.value)
}
