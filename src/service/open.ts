import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../model/errors.js'
import type { ServiceState } from '../model/observation.js'
import type { WantedService } from '../model/request.js'
import type { ConfigPaths, ServiceManager } from './manager.js'
import { type Control, MANAGERS } from './managers.js'
import { type ProgramOptions, programInterrupted, runProgram, runSuccessfully } from './program.js'

/** For one answer of the manager about the state. */
const STATUS_TIMEOUT_S = 30

/** Between two checks of the state, after a start or stop that was accepted. */
const POLL_MS = 500

/** The manager that the request names, or that this machine has. Runs nothing yet. */
export function openManager(wanted: WantedService, context: Pick<ProgramOptions, 'signal' | 'scrub'>): ServiceManager {
  const manager = wanted.manager === 'auto' ? detectManager() : wanted.manager
  const control = MANAGERS[manager](wanted, getPackageName(readOsRelease()))
  const options = { ...context, showArguments: manager !== 'command' }
  const statusOptions = { ...options, timeout: STATUS_TIMEOUT_S, captureStdout: true }
  const readServiceState = async (): Promise<ServiceState> => {
    const { status, parseState, exists } = control
    const state = parseState(await runProgram(status, statusOptions))
    if (state === 'stopped' && exists !== undefined) exists.check(await runProgram(exists.command, statusOptions))
    return state
  }
  const setServiceState = async (command: readonly string[], aim: ServiceState) => {
    const deadline = performance.now() + wanted.timeout * 1000
    await runSuccessfully(command, { ...options, timeout: wanted.timeout, captureStdout: false })
    for (let state = await readServiceState(); state !== aim; state = await readServiceState()) {
      if (performance.now() >= deadline) throw stateNotReached(control, aim, state, wanted.timeout)
      await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => {
        throw programInterrupted(`${control.name} to be ${aim}`)
      })
    }
  }
  const readOutput = async (command: readonly string[]) => {
    const { status, output } = await runProgram(command, statusOptions)
    return status === 0 ? output : undefined
  }
  const readConfigPaths = async (): Promise<ConfigPaths | undefined> => {
    try {
      return await control.readConfigPaths?.(readOutput)
    } catch {
      if (context.signal.aborted) throw programInterrupted(control.manager)
      return undefined
    }
  }
  return {
    manager: control.manager,
    name: control.name,
    readState: readServiceState,
    start: () => setServiceState(control.start, 'started'),
    stop: () => setServiceState(control.stop, 'stopped'),
    readConfigPaths,
  }
}

function stateNotReached(
  { manager, name }: Control,
  aim: ServiceState,
  state: ServiceState,
  seconds: number,
): AgentError {
  const verb = aim === 'started' ? 'start' : 'stop'
  return new AgentError(
    'service_control_failed',
    `${manager} did not ${verb} ${name} within ${seconds} s (state: ${state}).`,
    { hint: "Check the service's log, then run it again." },
  )
}

/** As sd_booted(3) does. */
function detectManager(): 'systemd' | 'sysv' {
  return existsSync('/run/systemd/system') ? 'systemd' : 'sysv'
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

/** The unit's name in the packages of Red Hat and SUSE, else in Debian's; from os-release(5). */
export function getPackageName(osRelease: string): string {
  const isRedHat = /^(ID|ID_LIKE)=.*\b(rhel|fedora|centos|suse|opensuse)\b/m.test(osRelease)
  return isRedHat ? 'openstack-cinder-volume' : 'cinder-volume'
}
