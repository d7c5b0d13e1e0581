import type { ServiceState } from '../model/observation.js'
import type { WantedService } from '../model/request.js'
import { type ReadPaths, readPathsOfContainer, readPathsOfInitScript, readPathsOfUnit } from './config-paths.js'
import { controlError, type ProgramResult } from './program.js'

/** The commands of one manager for one service, and how to read its answer. */
export interface Control {
  readonly manager: string
  readonly name: string
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly status: readonly string[]
  /** Throws if the manager does not know the service, or its answer is not understood. */
  readonly parseState: (result: ProgramResult) => ServiceState
  /** For a manager that reports an unknown service as stopped: run if the state is `stopped`; `check` throws. */
  readonly exists?: { readonly command: readonly string[]; readonly check: (result: ProgramResult) => void }
  /** For a manager that can tell what cinder-volume is started with. */
  readonly readConfigPaths?: ReadPaths
}

/** `packageName`: the unit's name in this system's packages, for a request without a name. */
type MakeControl = (wanted: WantedService, packageName: string) => Control

/** Every manager of the request's schema, except `auto`, which is one of these. */
export const MANAGERS: Readonly<Record<Exclude<WantedService['manager'], 'auto'>, MakeControl>> = {
  systemd: ({ name }, packageName) => controlBySystemd(name ?? packageName),
  sysv: ({ name }, packageName) => controlBySysv(name ?? packageName),
  docker: ({ name = 'cinder_volume' }) => controlContainer('docker', name),
  podman: ({ name = 'cinder_volume' }) => controlContainer('podman', name),
  pacemaker: ({ name = 'openstack-cinder-volume' }) => controlByPacemaker(name),
  command: (wanted) => controlByCommands(wanted),
}

const HINT = 'Correct {service}. docs/admin-guide.md lists the usual names.'

/** systemctl(1), is-active: the state in a word. A unit that is not loaded is `inactive` too. */
function controlBySystemd(name: string): Control {
  const status = ['systemctl', 'is-active', name]
  return {
    manager: 'systemd',
    name,
    start: ['systemctl', 'start', name],
    stop: ['systemctl', 'stop', name],
    status,
    parseState: ({ output, stderrTail }) => {
      const word = output.trim()
      if (['active', 'reloading', 'refreshing'].includes(word)) return 'started'
      if (['inactive', 'failed', 'unknown'].includes(word)) return 'stopped'
      if (['activating', 'deactivating', 'maintenance'].includes(word)) return 'changing'
      throw noStateError(status, stderrTail)
    },
    exists: {
      command: ['systemctl', 'show', '--property=LoadState', '--value', name],
      check: ({ output }) => {
        if (output.trim() === 'not-found') throw controlError(`The unit ${name}`, 'does not exist', '', HINT)
      },
    },
    readConfigPaths: readPathsOfUnit(name),
  }
}

/** The Linux Standard Base's exit statuses of init scripts: 0 running, 1 and 2 dead with traces left, 3 stopped, 4 unknown. */
function controlBySysv(name: string): Control {
  const status = ['service', name, 'status']
  return {
    manager: 'sysv',
    name,
    start: ['service', name, 'start'],
    stop: ['service', name, 'stop'],
    status,
    parseState: ({ status: code, stderrTail }) => {
      if (code === 0) return 'started'
      const isUnknown = /unrecognized service|could not be found/i.test(stderrTail)
      if (code !== undefined && code <= 3 && !isUnknown) return 'stopped'
      throw noStateError(status, stderrTail)
    },
    readConfigPaths: readPathsOfInitScript(name),
  }
}

/** The states of a container, the same in Docker and Podman: https://docs.docker.com/reference/cli/docker/container/ls/#status */
function controlContainer(manager: 'docker' | 'podman', name: string): Control {
  const status = [manager, 'container', 'inspect', '--format', '{{.State.Status}}', name]
  return {
    manager,
    name,
    start: [manager, 'start', name],
    stop: [manager, 'stop', name],
    status,
    parseState: ({ status: code, output, stderrTail }) => {
      const word = output.trim()
      if (code !== 0 || word === '') throw noStateError(status, stderrTail)
      if (word === 'running') return 'started'
      return ['created', 'configured', 'initialized', 'exited', 'stopped', 'dead'].includes(word)
        ? 'stopped'
        : 'changing'
    },
    readConfigPaths: readPathsOfContainer(manager, name),
  }
}

/** A pacemaker resource, or a bundle with several replicas; pcs(8) prints a line for each. */
function controlByPacemaker(name: string): Control {
  const status = ['pcs', 'resource', 'status', name]
  return {
    manager: 'pacemaker',
    name,
    start: ['pcs', 'resource', 'enable', name],
    stop: ['pcs', 'resource', 'disable', name],
    status,
    parseState: ({ status: code, output, stderrTail }) => {
      if (code !== 0) throw noStateError(status, stderrTail)
      if (/\b(Starting|Stopping|FAILED|Promoting|Demoting)\b/.test(output)) return 'changing'
      if (/\b(Started|Promoted|Unpromoted|Master|Slave)\b/.test(output)) return 'started'
      if (/\bStopped\b|\bNOT running\b|not currently running/i.test(output)) return 'stopped'
      throw noStateError(status, stderrTail)
    },
  }
}

/** 126 and 127 are a shell's for a program that it cannot run. */
function controlByCommands({ start, stop, status }: WantedService): Control {
  return {
    manager: 'command',
    name: 'cinder-volume',
    start,
    stop,
    status,
    parseState: ({ status: code, stderrTail }) => {
      if (code === 0) return 'started'
      if (code !== undefined && code !== 126 && code !== 127) return 'stopped'
      const problem = code === undefined ? 'was ended by a signal' : `failed with exit status ${code}`
      throw controlError(status[0] ?? '', problem, stderrTail, 'Correct service.status.')
    },
  }
}

function noStateError(status: readonly string[], stderrTail: string) {
  return controlError(status.join(' '), 'did not report a known state', stderrTail, HINT)
}
