import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

export interface Program {
  /** Errors: the program has ended; the message has the end of its log. */
  readonly requireRunning: () => void
  readonly kill: () => Promise<void>
}

/** A program that ends with the tests, also where they are killed. */
export function startProgram(
  command: string,
  args: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv = {},
): Program {
  const output = openSync(log, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  let hasEnded = false
  const ended = once(child, 'exit').then(() => {
    hasEnded = true
  })
  return {
    requireRunning: () => {
      if (hasEnded) throw new Error(`${command} has ended:\n${readFileSync(log, 'utf8').slice(-3000)}`)
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A free port on loopback below those that Linux gives to connections (ip_local_port_range), so that none takes it before the server does. */
export async function findQuietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
