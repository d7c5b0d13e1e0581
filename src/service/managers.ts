import type { WantedService } from '../model/request.js'
import { readPathsOfInitScript } from './config-paths.js'
import { controlContainer } from './containers.js'
import { type Control, noStateError } from './control.js'
import { controlByPacemaker } from './pacemaker.js'
import { controlError } from './program.js'
import { controlBySystemd } from './systemd.js'

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

/**
 * The Linux Standard Base's exit statuses of init scripts: 0 running, 1 and 2 dead with traces left, 3 stopped, 4 unknown. Where systemd runs,
 * service(8) calls systemctl, whose 3 has a unit too that is about to start again.
 */
function controlBySysv(name: string): Control {
  const status = ['service', name, 'status']
  return {
    manager: 'sysv',
    name,
    start: ['service', name, 'start'],
    stop: ['service', name, 'stop'],
    status,
    parseReport: ({ status: code, output, stderrTail }) => {
      const words = `exit status ${code}`
      if (code === 0) return { state: 'started', words }
      if (/^\s*Active: (activating|deactivating)\b/m.test(output)) return { state: 'changing', words }
      const isUnknown = /unrecognized service|could not be found/i.test(stderrTail)
      if (code !== undefined && code <= 3 && !isUnknown) return { state: 'stopped', words }
      throw noStateError(status, stderrTail)
    },
    readConfigPaths: readPathsOfInitScript(name),
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
    parseReport: ({ status: code, stderrTail }) => {
      const words = `exit status ${code}`
      if (code === 0) return { state: 'started', words }
      if (code !== undefined && code !== 126 && code !== 127) return { state: 'stopped', words }
      const problem = code === undefined ? 'was ended by a signal' : `failed with exit status ${code}`
      throw controlError(status[0] ?? '', problem, stderrTail, 'Correct service.status.')
    },
  }
}
