import { existsSync, readFileSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import type { ServiceState } from '../model/observation.js'
import type { WantedService } from '../model/request.js'
import type { ServiceManager } from './manager.js'
import { controlOf } from './managers.js'
import { type ProgramOptions, run, succeed } from './program.js'

/** Seconds that the manager may take to answer. */
const ANSWER = 30

/** Milliseconds between two questions, while a start or stop that was accepted takes its time. */
const PAUSE = 500

type Options = Pick<ProgramOptions, 'signal' | 'scrub'>

/** The manager that the request names, or that this machine has. Nothing is run yet. */
export function openManager(wanted: WantedService, surroundings: Options): ServiceManager {
  const control = controlOf(wanted, wanted.manager === 'auto' ? detected() : wanted.manager, namesAsRedHat(osRelease()))
  const options = { ...surroundings, open: control.manager !== 'command' }
  const question = { ...options, timeout: ANSWER, answers: true }
  const ask = async (): Promise<ServiceState> => {
    const { exists } = control
    const state = control.read(await run(control.status, question))
    if (state === 'stopped' && exists !== undefined) exists.check(await run(exists.command, question))
    return state
  }
  const bring = async (words: readonly string[], aim: ServiceState) => {
    const deadline = Date.now() + wanted.timeout * 1000
    await succeed(words, { ...options, timeout: wanted.timeout, answers: false })
    for (let state = await ask(); state !== aim; state = await ask()) {
      if (Date.now() >= deadline) throw unmoved(control, aim, state, wanted.timeout)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
  return {
    manager: control.manager,
    name: control.name,
    state: ask,
    start: () => bring(control.start, 'started'),
    stop: () => bring(control.stop, 'stopped'),
  }
}

function unmoved(
  { manager, name }: { manager: string; name: string },
  aim: ServiceState,
  state: ServiceState,
  timeout: number,
): AgentError {
  const is = state === 'changing' ? 'neither started nor stopped' : state
  return new AgentError(
    'service_control_failed',
    `${manager} was told to have ${name} ${aim}, but after ${timeout} s it is ${is}.`,
    {
      hint: 'See its log, and run it again.',
    },
  )
}

/** As sd_booted(3) has it. */
function detected(): 'systemd' | 'sysv' {
  return existsSync('/run/systemd/system') ? 'systemd' : 'sysv'
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

/** Whether os-release(5) names a system whose packages call the unit openstack-cinder-volume. */
export function namesAsRedHat(release: string): boolean {
  return /^(ID|ID_LIKE)=.*\b(rhel|fedora|centos|suse|opensuse)\b/m.test(release)
}
