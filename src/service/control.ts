import type { AgentError } from '../model/errors.js'
import type { ServiceState } from '../model/observation.js'
import { quote } from '../text/quote.js'
import type { ReadPaths } from './config-paths.js'
import { controlError, type ProgramResult } from './program.js'

/** What a manager says of the service. */
export interface ServiceReport {
  readonly state: ServiceState
  /** The manager's own words. */
  readonly words: string
  /** Why commands have no effect on the service. */
  readonly obstacle?: string | undefined
}

/** What a start or stop is for. */
export type Aim = Exclude<ServiceState, 'changing'>

/** Runs a program that only tells something. */
export type Ask = (command: readonly string[]) => Promise<ProgramResult>

/** The commands of one manager for one service, and how to read its answer. */
export interface Control {
  readonly manager: string
  readonly name: string
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly status: readonly string[]
  /** Throws if the manager does not know the service, or its answer is not understood. */
  readonly parseReport: (result: ProgramResult) => ServiceReport
  /** For a manager that reports an unknown service as stopped: run if the state is `stopped`; `check` throws. */
  readonly exists?: { readonly command: readonly string[]; readonly check: (result: ProgramResult) => void }
  /** Throws if a start or stop would have no effect, or none that stays. */
  readonly prepare?: (aim: Aim, ask: Ask) => Promise<void>
  /** A start returns when the service has started: if the service is stopped then, it has failed. */
  readonly startWaits?: true
  /** A stop may miss a service that is just between two starts: it is repeated until the service is stopped. */
  readonly repeatsStop?: true
  /** For a manager that can tell what cinder-volume is started with. */
  readonly readConfigPaths?: ReadPaths
}

export const WRONG_SERVICE_HINT = 'Correct {service}. docs/admin-guide.md lists the usual names.'

export const VERBS = { started: 'start', stopped: 'stop' } as const

/** Waiting does not help: `word` is the manager's. */
export function obstacleError(manager: string, name: string, aim: Aim, word: string): AgentError {
  const hint = OBSTACLE_HINTS.get(word) ?? "Check the service's log, then run it again."
  return controlError(manager, `cannot ${VERBS[aim]} ${name}: it is ${quote(word)}`, '', hint)
}

const OBSTACLE_HINTS: ReadonlyMap<string, string> = new Map([
  ['unmanaged', 'Let pacemaker manage it again (pcs resource manage), then run this again.'],
  ['maintenance', 'End the maintenance in pacemaker (pcs property, pcs node), then run this again.'],
  ['blocked', 'Find out why its stop failed (pcs status), clean it up (pcs resource cleanup), then run this again.'],
])

export function noStateError(status: readonly string[], stderrTail: string): AgentError {
  return controlError(status.join(' '), 'did not report a known state', stderrTail, WRONG_SERVICE_HINT)
}
