import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../model/errors.js'
import type { WantedService } from '../model/request.js'
import { quote } from '../text/quote.js'
import { type Aim, type Control, obstacleError, type ServiceReport, VERBS } from './control.js'
import type { ServiceManager, ToldPaths } from './manager.js'
import { MANAGERS } from './managers.js'
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
  const ask = (command: readonly string[]) => runProgram(command, statusOptions)
  const readReport = async (): Promise<ServiceReport> => {
    const { status, parseReport, exists } = control
    const report = parseReport(await ask(status))
    if (report.state === 'stopped' && exists !== undefined) exists.check(await ask(exists.command))
    return report
  }
  const setServiceState = async (command: readonly string[], aim: Aim) => {
    const deadline = performance.now() + wanted.timeout * 1000
    const run = () => runSuccessfully(command, { ...options, timeout: wanted.timeout, captureStdout: false })
    await control.prepare?.(aim, ask)
    // A stop fails if the container restarts at that moment. It is repeated then.
    const repeats = aim === 'stopped' && control.repeatsStop === true
    let failure: unknown
    const repeat = () =>
      run().catch((error: unknown) => {
        if (context.signal.aborted) throw error
        failure = error
      })
    await (repeats ? repeat() : run())
    for (let report = await readReport(); report.state !== aim; report = await readReport()) {
      requireReachable(control, aim, report)
      if (performance.now() >= deadline) throw failure ?? stateNotReached(control, aim, report, wanted.timeout)
      await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => {
        throw programInterrupted(`${control.name} to be ${aim}`)
      })
      if (repeats) await repeat()
    }
  }
  const readOutput = async (command: readonly string[]) => {
    const { status, output } = await ask(command)
    return status === 0 ? output : undefined
  }
  const readConfigPaths = async (): Promise<ToldPaths> => {
    try {
      return await control.readConfigPaths?.(readOutput)
    } catch {
      if (context.signal.aborted) throw programInterrupted(control.manager)
      return 'unknown'
    }
  }
  return {
    manager: control.manager,
    name: control.name,
    readState: async () => (await readReport()).state,
    start: () => setServiceState(control.start, 'started'),
    stop: () => setServiceState(control.stop, 'stopped'),
    requireStaysStopped: async () => control.prepare?.('stopped', ask),
    readConfigPaths,
  }
}

/** Errors: service_control_failed if waiting does not help. */
function requireReachable({ manager, name, startWaits }: Control, aim: Aim, { state, words, obstacle }: ServiceReport) {
  const word = obstacle ?? (aim === 'started' && startWaits && state === 'stopped' ? words : undefined)
  if (word !== undefined) throw obstacleError(manager, name, aim, word)
}

function stateNotReached(
  { manager, name }: Control,
  aim: Aim,
  { state, words }: ServiceReport,
  seconds: number,
): AgentError {
  return new AgentError(
    'service_control_failed',
    `${manager} did not ${VERBS[aim]} ${name} within ${seconds} s (state: ${state}; ${manager} says ${quote(words)}).`,
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
