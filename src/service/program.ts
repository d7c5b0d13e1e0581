import { execa } from 'execa'
import { AgentError, getErrorCode, type Hint } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** How a program ended. */
export interface Ended {
  /** undefined where it did not end by itself. */
  readonly status: number | undefined
  readonly output: string
  /** The last of what it said on standard error, fit for a message; empty where it said nothing. */
  readonly said: string
}

export interface ProgramOptions {
  /** Seconds after which it is ended. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Takes out of a text what must not be shown. */
  readonly scrub: (text: string) => string
  /** Whether messages may show the arguments: those of a request may hold a secret. */
  readonly open: boolean
  /** Whether its standard output is wanted. */
  readonly answers: boolean
}

/** Milliseconds for what a program that has ended said last; a process that it left behind may hold the pipe for ever. */
const GRACE = 200

/** Milliseconds that a program has to end when it is asked to. */
const PATIENCE = 2000

/**
 * Runs a program without a shell, in a process group of its own, so that what it started ends with it when it takes too long.
 * Errors: service_control_failed where it cannot be run or does not end in time, interrupted.
 */
export async function run(command: readonly string[], options: ProgramOptions): Promise<Ended> {
  const { timeout, signal, scrub, answers } = options
  const [program = '', ...args] = command
  const child = execa(program, args, {
    reject: false,
    stdin: 'ignore',
    stdout: answers ? 'pipe' : 'ignore',
    detached: true,
    cleanup: false,
    timeout: timeout * 1000,
    cancelSignal: signal,
    forceKillAfterDelay: PATIENCE,
  })
  let late = false
  const giveUp = setTimeout(() => {
    late = true
  }, timeout * 1000)
  child.once('exit', () => {
    if (late || signal.aborted) endGroup(child.pid)
    setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, GRACE).unref()
  })
  const { exitCode, stdout, stderr, cause, timedOut } = await child
  clearTimeout(giveUp)
  const shown = showing(command, options)
  if (signal.aborted) {
    throw new AgentError('interrupted', `The run was interrupted by a signal while ${shown} ran.`, {
      hint: 'Run it again.',
    })
  }
  const said = tail(scrub(stderr ?? ''))
  if (timedOut) throw failed(shown, `did not end within ${timeout} s`, said)
  if (exitCode === undefined && cause !== undefined) throw failed(shown, reason(cause), '')
  return { status: exitCode, output: stdout ?? '', said }
}

/** The same for a program that is to succeed. Errors: service_control_failed with what it said. */
export async function succeed(command: readonly string[], options: ProgramOptions): Promise<void> {
  const { status, said } = await run(command, options)
  if (status === 0) return
  throw failed(
    showing(command, options),
    status === undefined ? 'was ended by a signal' : `failed with exit status ${status}`,
    said,
  )
}

/** `shown`: the command as it may be shown; `said`: what it said on standard error. */
export function failed(
  shown: string,
  problem: string,
  said: string,
  hint: Hint = 'See why, and run it again.',
): AgentError {
  return new AgentError('service_control_failed', `${shown} ${problem}${said && `: ${said}`}.`, {
    hint,
  })
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended with its leader.
  }
}

function reason(cause: unknown): string {
  if (getErrorCode(cause) === 'ENOENT') return 'cannot be run: there is no such program'
  return `cannot be run (${getErrorCode(cause) ?? 'unknown error'})`
}

function showing(command: readonly string[], { open }: ProgramOptions): string {
  return quote(open ? command.join(' ') : (command[0] ?? ''))
}

/** The last lines, for programs tell at the end what went wrong. */
function tail(text: string): string {
  const lines = text.split(/[\r\n]+/).flatMap((line) => line.trim() || [])
  const last = lines
    .slice(-3)
    .join(' / ')
    .replace(/[.?!]$/, '')
  return quote(last.length > 300 ? `…${last.slice(-300)}` : last, 310)
}
