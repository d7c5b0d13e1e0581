import { openSync } from 'node:fs'
import { styleText } from 'node:util'
import { AgentError } from '../../model/errors.js'

export type Style = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string

/** One of the streams to write to. */
export interface Screen {
  /** Columns; without end where it is no terminal. */
  readonly width: number
  readonly isTerminal: boolean
  /** A line can be written over. */
  readonly canErase: boolean
  readonly style: Style
}

export interface Terminal {
  readonly out: Screen
  readonly err: Screen
  /** Whether somebody can type at standard input. */
  readonly answers: boolean
}

export function terminal(color: boolean): Terminal {
  const { stdin, stdout, stderr } = process
  return { out: screen(stdout, color), err: screen(stderr, color), answers: stdin.isTTY }
}

/** https://no-color.org: colour is off where NO_COLOR is set and not empty. FORCE_COLOR has it on where there is no terminal too, as for less -R. */
function screen({ isTTY = false, columns }: NodeJS.WriteStream, color: boolean): Screen {
  const { env } = process
  const forced = !['', '0', 'false', undefined].includes(env['FORCE_COLOR'])
  const canErase = isTTY && env['TERM'] !== 'dumb'
  const colours = color && !env['NO_COLOR'] && (forced || canErase)
  return {
    width: isTTY ? columns || 80 : Number.POSITIVE_INFINITY,
    isTerminal: isTTY,
    canErase,
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  }
}

/**
 * Asks on standard error; anything but a yes is a no, and Ctrl-C or another signal more than that. `typed`: standard input was read to its end, so
 * the terminal itself is asked. Errors: invalid_request where there is none.
 */
export async function ask(
  question: string,
  signal: AbortSignal,
  typed: boolean,
): Promise<'yes' | 'no' | 'interrupted'> {
  const { createInterface } = await import('node:readline')
  const line = createInterface({ input: typed ? await controllingTerminal() : process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    let isOver = false
    const end = (answer: 'yes' | 'no' | 'interrupted', lineEnd: string) => {
      if (isOver) return
      isOver = true
      process.stderr.write(lineEnd)
      line.close()
      resolve(answer)
    }
    line.on('SIGINT', () => end('interrupted', '\n'))
    line.on('close', () => end('no', '\n'))
    signal.addEventListener('abort', () => end('interrupted', '\n'))
    if (signal.aborted) return end('interrupted', '\n')
    line.question(`${question} [y/N] `, (answer) => end(/^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no', ''))
  })
}

async function controllingTerminal(): Promise<NodeJS.ReadStream> {
  const { ReadStream } = await import('node:tty')
  try {
    return new ReadStream(openSync('/dev/tty', 'r'))
  } catch {
    throw noTerminal()
  }
}

export function noTerminal(): AgentError {
  return new AgentError('invalid_request', 'This would change something, and there is no terminal to ask at.', {
    hint: 'Say --yes, or --check to see what it would be.',
  })
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** Seconds: a step that takes longer is worth a line of its own. */
const LONG = 1

export interface Progress {
  readonly say: (text: string) => void
  /** The last step ends, well or not. */
  readonly stop: (failed: boolean) => void
}

/** The step that runs, with the seconds that it takes, on a line of standard error that is written over; nothing where that is no terminal. */
export function spinner({ canErase, width, style }: Screen): Progress {
  if (!canErase) return { say: () => {}, stop: () => {} }
  let step = ''
  let since = 0
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  const seconds = () => Math.floor((performance.now() - since) / 1000)
  const show = (sign: string) => {
    const time = seconds() > 0 ? ` (${seconds()} s)` : ''
    process.stderr.write(`\r\u001b[K${sign} ${step.slice(0, width - 3 - time.length)}${time}`)
  }
  const draw = () => show(style('cyan', FRAMES[frame++ % FRAMES.length] ?? ''))
  const done = (failed: boolean) => {
    if (step === '') return
    if (failed || seconds() >= LONG) show(failed ? style('red', '✗') : style('green', '✓'))
    process.stderr.write(failed || seconds() >= LONG ? '\n' : '\r\u001b[K')
    step = ''
  }
  return {
    say: (text) => {
      if (text === step) return
      done(false)
      step = text
      since = performance.now()
      draw()
      timer ??= setInterval(draw, 120)
    },
    stop: (failed) => {
      clearInterval(timer)
      timer = undefined
      done(failed)
    },
  }
}
