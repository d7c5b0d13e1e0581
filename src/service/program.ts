import { execa } from 'execa'
import { AgentError, getErrorCode } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** How a program ended. */
export interface ProgramResult {
  /** undefined if a signal ended it. */
  readonly status: number | undefined
  readonly output: string
  /** Its last lines on standard error, fit for a message; empty if there were none. */
  readonly stderrTail: string
}

export interface ProgramOptions {
  /** Seconds after which it is ended. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Removes secrets from a text. */
  readonly scrub: (text: string) => string
  /** Whether messages may show the arguments: those of a request may hold a secret. */
  readonly showArguments: boolean
  readonly captureStdout: boolean
}

/** After a program has ended, its pipes are read for this long: a process that it left behind may hold them open for ever. */
const PIPE_CLOSE_MS = 200

/** Between SIGTERM and SIGKILL. */
const KILL_DELAY_MS = 2000

/**
 * Runs a program without a shell, in a process group of its own, so that all that it started can be ended with it.
 * Errors: service_control_failed if it cannot be run or does not end in time, interrupted.
 */
export async function runProgram(command: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const { timeout, signal, scrub, captureStdout } = options
  const [program = '', ...args] = command
  const late = AbortSignal.timeout(timeout * 1000)
  const child = execa(program, args, {
    reject: false,
    stdin: 'ignore',
    stdout: captureStdout ? 'pipe' : 'ignore',
    detached: true,
    cleanup: false,
    cancelSignal: AbortSignal.any([signal, late]),
    forceKillAfterDelay: KILL_DELAY_MS,
  })
  child.once('exit', () => {
    if (late.aborted || signal.aborted) killGroup(child.pid)
    setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, PIPE_CLOSE_MS).unref()
  })
  const { exitCode, stdout, stderr, cause, isCanceled } = await child
  const shown = displayCommand(command, options)
  if (signal.aborted) throw programInterrupted(shown)
  const stderrTail = takeTail(scrub(stderr ?? ''))
  if (isCanceled) throw controlError(shown, `did not end within ${timeout} s`, stderrTail)
  if (exitCode === undefined && cause !== undefined) throw controlError(shown, describeSpawnError(cause), '')
  return { status: exitCode, output: stdout ?? '', stderrTail }
}

/** The same for a program that must exit with 0. Errors: service_control_failed with its last lines on standard error. */
export async function runSuccessfully(command: readonly string[], options: ProgramOptions): Promise<void> {
  const { status, stderrTail } = await runProgram(command, options)
  if (status === 0) return
  const problem = status === undefined ? 'was ended by a signal' : `failed with exit status ${status}`
  throw controlError(displayCommand(command, options), problem, stderrTail)
}

export function controlError(
  command: string,
  problem: string,
  stderrTail: string,
  hint = "Check the service's log, then run it again.",
): AgentError {
  return new AgentError('service_control_failed', `${command} ${problem}${stderrTail && `: ${stderrTail}`}.`, { hint })
}

export function programInterrupted(what: string): AgentError {
  return new AgentError('interrupted', `The run was interrupted by a signal while it waited for ${what}.`, {
    hint: 'Run it again.',
  })
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended with its leader.
  }
}

function describeSpawnError(cause: unknown): string {
  if (getErrorCode(cause) === 'ENOENT') return 'cannot be run: there is no such program'
  return `cannot be run (${getErrorCode(cause) ?? 'unknown error'})`
}

function displayCommand(command: readonly string[], { showArguments }: ProgramOptions): string {
  return quote(showArguments ? command.join(' ') : (command[0] ?? ''))
}

/** Programs report at the end what went wrong. */
function takeTail(text: string): string {
  const lines = text.split(/[\r\n]+/).flatMap((line) => line.trim() || [])
  const last = lines
    .slice(-3)
    .join(' / ')
    .replace(/[.?!]$/, '')
  return quote(last.length > 300 ? `…${last.slice(-300)}` : last, 310)
}
