import { existsSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { type FileSelection, readConfigFiles } from './files.js'
import { readWholeNumber } from './volume-settings.js'

/** The options of cinder.conf for the database. */
export interface Settings {
  /** `[database] connection`, an SQLAlchemy URL. */
  readonly connection: string
  /** `[database] connection_parameters`, to be appended to it. */
  readonly parameters: string
  /** The place of the connection, for messages. */
  readonly place: string
  /** Seconds; undefined if not set. Errors: config_error if it is not a number. */
  readonly serviceDownTime: () => number | undefined
}

/**
 * The connection and service_down_time, from the environment and the files that cinder-volume reads.
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
    serviceDownTime: () => readWholeNumber(lookup, 'service_down_time'),
  }
}

/** Seconds; from the files alone, for a request with its own connection. */
export function readServiceDownTime(selection: FileSelection, env: NodeJS.ProcessEnv): number | undefined {
  return readWholeNumber(readConfig(readConfigFiles(selection, env), env), 'service_down_time')
}

/** Cinder's default (cinder/db/sqlalchemy/api.py), if the file exists. */
function findDefaultDatabase(lookup: Lookup): { value: string; place: string } | undefined {
  const path = `${lookup({ group: 'DEFAULT', name: 'state_path' })?.value}/cinder.sqlite`
  return existsSync(path) ? { value: `sqlite:///${path}`, place: "Cinder's default" } : undefined
}
