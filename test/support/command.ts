import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { EXECUTABLE } from './agent.js'

const { folder } = inject('peers')

/** A folder to put on PATH, with the executable under its name. */
const BIN = mkdtempSync(join(folder, 'path-'))
symlinkSync(EXECUTABLE, join(BIN, 'cinder-backend'))

const PATH = `${BIN}:${process.env['PATH']}`

export interface CommandOptions {
  readonly connection: string
  readonly cwd?: string
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
}

const environment = ({ connection, env = {} }: CommandOptions) => ({
  ...process.env,
  PATH,
  OS_DATABASE__CONNECTION: connection,
  ...env,
})

/** A command line in a shell, without a terminal. */
export function shell(line: string, options: CommandOptions) {
  const { cwd = folder, input = '' } = options
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', line], {
    cwd,
    input,
    encoding: 'utf8',
    env: environment(options),
  })
  return { status, stdout, stderr }
}

/** The same, for tests that run beside each other; nothing is on its standard input. */
export async function startShell(line: string, options: CommandOptions): Promise<ReturnType<typeof shell>> {
  const { cwd = folder } = options
  const child = spawn('bash', ['--norc', '-c', line], {
    cwd,
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status, stdout, stderr }
}

/** The same at a terminal (script, of util-linux), which gets the answers as they are asked for. Its whole screen, and the exit status. */
export async function atTerminal(
  line: string,
  { connection, env = {} }: CommandOptions,
  answers: readonly { readonly when: RegExp; readonly type: string | (() => string | Promise<string>) }[] = [],
  columns = 100,
): Promise<{ screen: string; status: number | null }> {
  const log = join(mkdtempSync(join(folder, 'screen-')), 'log')
  writeFileSync(log, '')
  const child = spawn('script', ['-qefc', `stty cols ${columns}; ${line}`, log], {
    env: {
      ...process.env,
      SHELL: '/bin/bash', // which waits for what Ctrl-C interrupts, and takes its status; dash ends with 130 itself
      PATH,
      OS_DATABASE__CONNECTION: connection,
      TERM: 'xterm-256color',
      NO_COLOR: '',
      ...env,
    },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const screen = () => readFileSync(log, 'utf8').replace(/^Script started.*\n|\n?Script done.*\n?$/g, '')
  const rest = [...answers]
  const timer = setInterval(() => {
    const [next] = rest
    if (next === undefined || !next.when.test(screen())) return
    rest.shift()
    const { type } = next
    if (typeof type === 'string') child.stdin.write(type)
    else void Promise.resolve(type()).then((text) => child.stdin.write(text))
  }, 50)
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const status = await new Promise<number | null>((resolve) => child.on('exit', resolve))
  clearInterval(timer)
  clearTimeout(late)
  return { screen: screen(), status }
}
