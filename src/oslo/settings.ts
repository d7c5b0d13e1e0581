import { existsSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { type FileSelection, readConfigFiles } from './files.js'
import { readReportInterval, readWholeNumber } from './volume-settings.js'

/** The options of cinder.conf by which heartbeats are judged. Errors of both: config_error if the value is not a number. */
export interface HeartbeatSettings {
  /** Seconds; undefined if not set. */
  readonly serviceDownTime: () => number | undefined
  /** Seconds. */
  readonly reportInterval: () => number
}

/** The options of cinder.conf for the database. */
export interface Settings extends HeartbeatSettings {
  /** `[database] connection`, an SQLAlchemy URL. */
  readonly connection: string
  /** `[database] connection_parameters`, to be appended to it. */
  readonly parameters: string
  /** The place of the connection, for messages. */
  readonly place: string
}

/**
 * The connection and what heartbeats are judged by, from the environment and the files that cinder-volume reads.
 * Errors: config_error for files that cannot be read or parsed, and if no connection is set.
 */
export function readSettings(selection: FileSelection, env: NodeJS.ProcessEnv): Settings {
  const files = readConfigFiles(selection, env)
  const lookup = readConfig(files, env)
  const found = lookup({ group: 'database', name: 'connection' }) ?? findDefaultDatabase(lookup)
  if (found === undefined) {
    const read = files.map(({ path }) => quote(path)).join(', ')
    const problem =
      read === ''
        ? 'No cinder.conf was found in the folders that Cinder searches, or this user cannot see it.'
        : `[database] connection is not set in ${read}.`
    throw new AgentError('config_error', problem, {
      hint: 'Set {config_file}, {connection}, or OS_DATABASE__CONNECTION in the environment.',
    })
  }
  return {
    connection: found.value,
    parameters: lookup({ group: 'database', name: 'connection_parameters' })?.value ?? '',
    place: found.place,
    ...makeHeartbeatSettings(lookup),
  }
}

const HEARTBEAT_OPTION = /^(service_down_time|report_interval)/m

/**
 * The same without the connection. Files that do not set the options are not parsed, because every run reads them.
 * Errors: config_error for files that cannot be read or parsed.
 */
export function readHeartbeatSettings(selection: FileSelection, env: NodeJS.ProcessEnv): HeartbeatSettings {
  const files = readConfigFiles(selection, env)
  const isSet = files.some(({ text }) => HEARTBEAT_OPTION.test(text))
  return makeHeartbeatSettings(readConfig(isSet ? files : [], env))
}

function makeHeartbeatSettings(lookup: Lookup): HeartbeatSettings {
  return {
    serviceDownTime: () => readWholeNumber(lookup, 'service_down_time'),
    reportInterval: () => readReportInterval(lookup),
  }
}

/** Cinder's default (cinder/db/sqlalchemy/api.py), if the file exists. */
function findDefaultDatabase(lookup: Lookup): { value: string; place: string } | undefined {
  const path = `${lookup({ group: 'DEFAULT', name: 'state_path' })?.value}/cinder.sqlite`
  return existsSync(path) ? { value: `sqlite:///${path}`, place: "Cinder's default" } : undefined
}
