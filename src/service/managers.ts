import type { ServiceState } from '../model/observation.js'
import type { WantedService } from '../model/request.js'
import { type Ended, failed } from './program.js'

/** The commands of one manager for one service, and how its answer is read. */
export interface Control {
  readonly manager: string
  readonly name: string
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly status: readonly string[]
  /** Throws where the manager does not know the service, or does not answer. */
  readonly read: (ended: Ended) => ServiceState
  /** Asked where the state is `stopped`, of a manager that says so of a service too that it does not know. Exit status 0 or throw. */
  readonly exists?: { readonly command: readonly string[]; readonly check: (ended: Ended) => void }
}

/** Mostly the name is wrong where a manager does not know it. */
const UNKNOWN = {
  request: 'Correct service.name, or service.manager; docs/admin-guide.md has the usual ones.',
  command: 'Give --service MANAGER:NAME; docs/admin-guide.md has the usual ones.',
}

/** Every manager by its name; `redHat` where the packages are named as Red Hat's and SUSE's are. */
export function controlOf(wanted: WantedService, manager: WantedService['manager'], redHat: boolean): Control {
  const packaged = redHat ? 'openstack-cinder-volume' : 'cinder-volume'
  if (manager === 'systemd') return systemd(wanted.name ?? packaged)
  if (manager === 'docker' || manager === 'podman') return container(manager, wanted.name ?? 'cinder_volume')
  if (manager === 'pacemaker') return pacemaker(wanted.name ?? 'openstack-cinder-volume')
  if (manager === 'command') return command(wanted)
  return sysv(wanted.name ?? packaged)
}

/** systemctl(1), is-active: the state in a word. A unit that is not loaded is `inactive` too. */
function systemd(name: string): Control {
  const status = ['systemctl', 'is-active', name]
  const exists = ['systemctl', 'show', '--property=LoadState', '--value', name]
  return {
    manager: 'systemd',
    name,
    start: ['systemctl', 'start', name],
    stop: ['systemctl', 'stop', name],
    status,
    read: ({ output, said }) => {
      const word = output.trim()
      if (['active', 'reloading', 'refreshing'].includes(word)) return 'started'
      if (['inactive', 'failed', 'unknown'].includes(word)) return 'stopped'
      if (['activating', 'deactivating', 'maintenance'].includes(word)) return 'changing'
      throw failed(status.join(' '), 'does not tell whether it runs', said, UNKNOWN)
    },
    exists: {
      command: exists,
      check: ({ output }) => {
        if (output.trim() === 'not-found')
          throw failed(status.join(' '), 'names a unit that does not exist', '', UNKNOWN)
      },
    },
  }
}

/** The Linux Standard Base's exit statuses of init scripts: 0 running, 1 and 2 dead with traces left, 3 stopped, 4 unknown. */
function sysv(name: string): Control {
  const status = ['service', name, 'status']
  return {
    manager: 'sysv',
    name,
    start: ['service', name, 'start'],
    stop: ['service', name, 'stop'],
    status,
    read: ({ status: code, said }) => {
      if (code === 0) return 'started'
      if (code !== undefined && code <= 3 && !/unrecognized service|could not be found/i.test(said)) return 'stopped'
      throw failed(status.join(' '), 'does not tell whether it runs', said, UNKNOWN)
    },
  }
}

/** The states of a container, the same in Docker and Podman: https://docs.docker.com/reference/cli/docker/container/ls/#status */
function container(manager: 'docker' | 'podman', name: string): Control {
  const status = [manager, 'container', 'inspect', '--format', '{{.State.Status}}', name]
  return {
    manager,
    name,
    start: [manager, 'start', name],
    stop: [manager, 'stop', name],
    status,
    read: ({ status: code, output, said }) => {
      const word = output.trim()
      if (code !== 0 || word === '') throw failed(status.join(' '), 'does not tell whether it runs', said, UNKNOWN)
      if (word === 'running') return 'started'
      return ['created', 'configured', 'initialized', 'exited', 'stopped', 'dead'].includes(word)
        ? 'stopped'
        : 'changing'
    },
  }
}

/** A resource of pacemaker's, also a bundle with several replicas; pcs(8) gives a line for each. */
function pacemaker(name: string): Control {
  const status = ['pcs', 'resource', 'status', name]
  return {
    manager: 'pacemaker',
    name,
    start: ['pcs', 'resource', 'enable', name],
    stop: ['pcs', 'resource', 'disable', name],
    status,
    read: ({ status: code, output, said }) => {
      if (code !== 0) throw failed(status.join(' '), 'does not tell whether it runs', said, UNKNOWN)
      if (/\b(Starting|Stopping|FAILED|Promoting|Demoting)\b/.test(output)) return 'changing'
      if (/\b(Started|Promoted|Unpromoted|Master|Slave)\b/.test(output)) return 'started'
      if (/\bStopped\b|\bNOT running\b|not currently running/i.test(output)) return 'stopped'
      throw failed(status.join(' '), 'does not tell whether it runs', said, UNKNOWN)
    },
  }
}

function command({ start, stop, status }: WantedService): Control {
  return {
    manager: 'command',
    name: 'cinder-volume',
    start,
    stop,
    status,
    read: ({ status: code, said }) => {
      if (code === undefined) throw failed(status[0] ?? '', 'was ended by a signal', said)
      return code === 0 ? 'started' : 'stopped'
    },
  }
}
