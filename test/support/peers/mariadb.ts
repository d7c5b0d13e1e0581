import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'

export interface MariaDb {
  readonly port: number
  readonly socket: string
  readonly stop: () => Promise<void>
}

/** A MariaDB of the tests' own, on loopback, with its data in the folder given; `root` has no password. */
export async function startMariaDb(folder: string, extra: readonly string[] = []): Promise<MariaDb> {
  mkdirSync(folder, { recursive: true })
  const data = join(folder, 'data')
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  if (!existsSync(data)) {
    const install = [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...user,
    ]
    execFileSync('mariadb-install-db', install, { stdio: 'ignore' })
  }
  const port = await freePort()
  const socket = join(folder, 'mariadb.sock')
  const log = join(folder, 'error.log')
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      ...user,
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1,127.0.0.2',
      `--log-error=${log}`,
      '--innodb-flush-log-at-trx-commit=2',
      '--character-set-server=utf8mb3',
      ...extra,
    ],
    { stdio: 'ignore' },
  )
  process.once('exit', () => server.kill('SIGTERM')) // also where whoever started it fails before it stops it
  await accepting(server, socket, log)
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  return { port, socket, stop }
}

async function accepting(server: ChildProcess, socketPath: string, log: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      const connection = await createConnection({ socketPath, user: 'root' })
      await connection.end()
      return
    } catch {
      if (server.exitCode !== null) break
      await pause(100)
    }
  }
  throw new Error(`mariadbd does not answer:\n${existsSync(log) ? readFileSync(log, 'utf8') : 'no log'}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
