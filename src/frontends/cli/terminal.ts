import { openSync } from 'node:fs'
import { styleText } from 'node:util'
import { AgentError } from '../../model/errors.js'

export type Style = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string

/** One output stream. */
export interface Screen {
  /** In columns; infinite if the stream is not a terminal. */
  readonly width: number
  readonly isTerminal: boolean
  /** Whether a line can be overwritten. */
  readonly canErase: boolean
  readonly style: Style
}

export interface Terminal {
  readonly out: Screen
  readonly err: Screen
  /** Whether the user can type on standard input. */
  readonly canAnswer: boolean
}

export function openTerminal(hasColor: boolean): Terminal {
  const { stdin, stdout, stderr } = process
  return { out: makeScreen(stdout, hasColor), err: makeScreen(stderr, hasColor), canAnswer: stdin.isTTY }
}

/** NO_COLOR: https://no-color.org. FORCE_COLOR: colours in a pipe too, as for less -R. */
function makeScreen({ isTTY = false, columns }: NodeJS.WriteStream, hasColor: boolean): Screen {
  const { env } = process
  const isForced = !['', '0', 'false', undefined].includes(env['FORCE_COLOR'])
  const canErase = isTTY && env['TERM'] !== 'dumb'
  const usesColor = hasColor && !env['NO_COLOR'] && (isForced || canErase)
  return {
    width: isTTY ? columns || 80 : Number.POSITIVE_INFINITY,
    isTerminal: isTTY,
    canErase,
    style: (style, text) => (usesColor ? styleText(style, text, { validateStream: false }) : text),
  }
}

export type Answer = 'yes' | 'no' | 'interrupted'

/**
 * Asks on standard error. A signal is `interrupted`; everything else but y and yes is `no`. `inputIsRead`: the request came on standard input,
 * so the answer comes from the controlling terminal. Errors: invalid_request if there is none.
 */
export async function askConfirmation(question: string, signal: AbortSignal, inputIsRead: boolean): Promise<Answer> {
  const { createInterface } = await import('node:readline')
  const input = inputIsRead ? await openControllingTerminal() : process.stdin
  const prompt = createInterface({ input, output: process.stderr })
  return new Promise((resolve) => {
    let isAnswered = false
    const end = (answer: Answer, lineEnd: string) => {
      if (isAnswered) return
      isAnswered = true
      process.stderr.write(lineEnd)
      prompt.close()
      resolve(answer)
    }
    prompt.on('SIGINT', () => end('interrupted', '\n'))
    prompt.on('close', () => end('no', '\n'))
    signal.addEventListener('abort', () => end('interrupted', '\n'))
    if (signal.aborted) return end('interrupted', '\n')
    prompt.question(`${question} [y/N] `, (answer) => end(/^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no', ''))
  })
}

async function openControllingTerminal(): Promise<NodeJS.ReadStream> {
  const { ReadStream } = await import('node:tty')
  try {
    return new ReadStream(openSync('/dev/tty', 'r'))
  } catch {
    throw makeNoTerminalError()
  }
}

export function makeNoTerminalError(): AgentError {
  return new AgentError('invalid_request', 'This command would change something, but there is no terminal to ask at.', {
    hint: 'Use --yes to run without a question, or --check for a preview.',
  })
}
