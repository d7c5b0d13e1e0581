import { type ReadPaths, readPathsOfContainer, readPathsOfInitScript, readPathsOfUnit } from './config-paths.js'
import { type Control, noStateError, obstacleError, type ServiceReport } from './control.js'
import type { ProgramResult } from './program.js'

const MOVES = /^(Starting|Stopping|FAILED|Promoting|Demoting)\b/
const RUNS = /^(Started|Promoted|Unpromoted|Master|Slave)\b/

const WORDS = 'Starting|Stopping|FAILED|Promoting|Demoting|Started|Promoted|Unpromoted|Master|Slave|Stopped'

/** The state in a line, with what pacemaker adds to it: behind the agent in parentheses, or before the nodes of a clone. */
const STATE = new RegExp(`(?<=\\):\\s+(?:ORPHANED )?)(?:${WORDS})\\b.*|(?<=^[\\s*]+)(?:${WORDS})(?=:| \\().*`)

/** A pacemaker resource, or a clone or bundle with several replicas; pcs(8) prints a line for each. */
export function controlByPacemaker(name: string): Control {
  const status = ['pcs', 'resource', 'status', name]
  const parseReport = ({ status: code, output, stderrTail }: ProgramResult): ServiceReport => {
    if (code !== 0) throw noStateError(status, stderrTail)
    const report = readPacemaker(output)
    if (report === undefined) throw noStateError(status, stderrTail)
    return report
  }
  return {
    manager: 'pacemaker',
    name,
    start: ['pcs', 'resource', 'enable', name],
    stop: ['pcs', 'resource', 'disable', name],
    status,
    parseReport,
    prepare: async (aim, ask) => {
      const { state, obstacle } = parseReport(await ask(status))
      const isStuck = obstacle === 'blocked' || (state !== aim && state !== 'changing')
      if (obstacle !== undefined && isStuck) throw obstacleError('pacemaker', name, aim, obstacle)
    },
    readConfigPaths: readPathsOfResource(status),
  }
}

/** The agent of a resource, in parentheses behind its name, says what runs: a unit, an init script, or a bundle's container. Others never tell. */
function readPathsOfResource(status: readonly string[]): ReadPaths {
  return async (read) => {
    const output = (await read(status)) ?? ''
    const [, resource = '', agent = ''] = /^[\s*]*(\S+)\s+\((\S+)\):/m.exec(output) ?? []
    const [, kind, name = ''] = /^(systemd|service|lsb|ocf:.*):([^:]+)$/.exec(agent) ?? []
    if (kind === 'systemd') return readPathsOfUnit(name)(read)
    if (kind === 'lsb') return readPathsOfInitScript(name)(read)
    if (!output.includes('Container bundle')) return undefined
    return ['docker', 'podman'].includes(name) ? readPathsOfContainer(name, resource)(read) : 'unknown'
  }
}

/**
 * Only what is disabled stays stopped: anything else that is `Stopped` is started when a node may run it. What is disabled and runs is about to be
 * stopped. undefined if there is no state. Source: pacemaker, lib/pengine/native.c, pcmk__native_output_string.
 */
function readPacemaker(output: string): ServiceReport | undefined {
  const lines = output.split('\n').flatMap((line) => STATE.exec(line)?.[0] ?? [])
  if (lines.length === 0) return undefined
  const some = (pattern: RegExp) => lines.some((line) => pattern.test(line))
  const every = (pattern: RegExp) => lines.every((line) => pattern.test(line))
  const isGroup = /^\s*\* Resource Group:/m.test(output) // each member is another resource
  const runs = isGroup ? every(RUNS) : some(RUNS)
  const stopped = every(/^Stopped\b.*\(.*\bdisabled\b/)
  const started = runs && !some(MOVES) && !some(/\(.*\bdisabled\b/)
  const [obstacle] = /\b(unmanaged|maintenance|blocked)\b/.exec(output) ?? []
  return { state: started ? 'started' : stopped ? 'stopped' : 'changing', words: lines.join(', '), obstacle }
}
