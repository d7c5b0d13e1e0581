import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type Database from 'better-sqlite3'
import { AgentError, getErrorCode } from '../model/errors.js'

/**
 * better-sqlite3, which no single file can carry: the copy beside the agent or on NODE_PATH, else one that npm installed globally, by itself
 * or with cinder-backend. Errors: connection_failed, saying what to install.
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
      if (getErrorCode(error) !== 'MODULE_NOT_FOUND') throw unusable(error)
    }
  }
  throw new AgentError(
    'connection_failed',
    'SQLite needs the npm package better-sqlite3, which was not found on this host.',
    {
      hint: 'Install it there with npm install --global better-sqlite3, or name its folder in NODE_PATH.',
    },
  )
}

function unusable(cause: unknown): AgentError {
  const problem = `The npm package better-sqlite3 on this host does not fit its Node ${process.versions.node}.`
  return new AgentError('connection_failed', problem, { hint: 'Install it anew with that Node and its npm.', cause })
}
