import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type Database from 'better-sqlite3'
import { AgentError, getErrorCode } from '../model/errors.js'

/**
 * better-sqlite3, whose native part no single-file build can hold: the copy beside the agent or on NODE_PATH, else the one that npm
 * installed globally, alone or with cinder-backend. Errors: connection_failed, with what to install.
 */
export function loadDriver(): typeof Database {
  const require = createRequire(import.meta.url)
  const prefixes = new Set([dirname(dirname(process.execPath)), '/usr/local', '/usr'])
  const global = [...prefixes].map((prefix) => join(prefix, 'lib/node_modules'))
  const places = ['', ...global, ...global.map((folder) => join(folder, 'cinder-backend/node_modules'))]
  for (const place of places) {
    try {
      return require(join(place, 'better-sqlite3'))
    } catch (error) {
      if (getErrorCode(error) !== 'MODULE_NOT_FOUND') throw driverMismatchError(error)
    }
  }
  throw new AgentError(
    'connection_failed',
    'The npm package better-sqlite3, which SQLite needs, is not on this host.',
    {
      hint: 'Install it with npm install --global better-sqlite3, or add its folder to NODE_PATH.',
    },
  )
}

function driverMismatchError(cause: unknown): AgentError {
  const problem = `The npm package better-sqlite3 on this host does not load in Node ${process.versions.node}.`
  return new AgentError('connection_failed', problem, { hint: 'Install it again with this Node and its npm.', cause })
}
