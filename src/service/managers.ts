import type { WantedService } from '../model/request.js'
import { readPathsOfInitScript, readPathsOfUnit } from './config-paths.js'
import { controlContainer } from './containers.js'
import { type Ask, type Control, HINT, noStateError } from './control.js'
import { controlByPacemaker } from './pacemaker.js'
import { controlError } from './program.js'

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

/** systemctl(1), is-active: the state in a word. A unit that is not loaded is `inactive` too. A stop ends `Restart=` too: systemd.service(5). */
function controlBySystemd(name: string): Control {
  const status = ['systemctl', 'is-active', name]
  return {
    manager: 'systemd',
    name,
    start: ['systemctl', 'start', name],
    stop: ['systemctl', 'stop', name],
    status,
    parseReport: ({ output, stderrTail }) => {
      const words = output.trim()
      if (['active', 'reloading', 'refreshing'].includes(words)) return { state: 'started', words }
      if (['inactive', 'failed', 'unknown'].includes(words)) return { state: 'stopped', words }
      if (['activating', 'deactivating', 'maintenance'].includes(words)) return { state: 'changing', words }
      throw noStateError(status, stderrTail)
    },
    exists: {
      command: ['systemctl', 'show', '--property=LoadState', '--value', name],
      check: ({ output }) => {
        if (output.trim() === 'not-found') throw controlError(`The unit ${name}`, 'does not exist', '', HINT)
      },
    },
    prepare: async (aim, ask) => {
      if (aim === 'stopped') await requireNoPacemaker(name, ask)
    },
    startWaits: true,
    readConfigPaths: readPathsOfUnit(name),
  }
}

/** Pacemaker marks the units that it runs (lib/services/systemd.c, systemd_create_override), and starts them again. */
async function requireNoPacemaker(name: string, ask: Ask): Promise<void> {
  const { output } = await ask(['systemctl', 'show', '--property=DropInPaths', '--value', name])
  if (!/\/50-pacemaker\.conf\b/.test(output)) return
  throw controlError(`The unit ${name}`, 'is run by pacemaker, which would start it again', '', HINT)
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
    parseReport: ({ status: code, stderrTail }) => {
      const words = `exit status ${code}`
      if (code === 0) return { state: 'started', words }
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
