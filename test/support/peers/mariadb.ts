import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'

export interface MariaDb {
  readonly port: number
  readonly socket: string
  readonly stop: () => Promise<void>
}

const USER = process.getuid?.() === 0 ? ['--user=root'] : []
const PORTS_TO_TRY = 5

/** A MariaDB of the tests' own, on loopback, with its data in the folder given; `root` has no password. */
export async function startMariaDb(
  folder: string,
  extra: readonly string[] | Promise<readonly string[]> = [],
): Promise<MariaDb> {
  // A server removes #sql files from its tmpdir when it starts, also those of another server: so each has a tmpdir of its own.
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  const data = join(folder, 'data')
  const [options] = await Promise.all([extra, existsSync(data) ? undefined : installDatabase(folder, data)])
  for (let tries = 1; ; tries++) {
    try {
      return await startOn(await findFreePort(), folder, options)
    } catch (error) {
      if (tries === PORTS_TO_TRY || !/Address already in use/.test(String(error))) throw error
    }
  }
}

async function installDatabase(folder: string, data: string): Promise<void> {
  const options = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db', ...USER]
  await promisify(execFile)('mariadb-install-db', [...options, `--datadir=${data}`, `--tmpdir=${join(folder, 'tmp')}`])
}

async function startOn(port: number, folder: string, extra: readonly string[]): Promise<MariaDb> {
  const socket = join(folder, 'mariadb.sock')
  const log = join(folder, 'error.log')
  rmSync(log, { force: true })
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      ...USER,
      `--datadir=${join(folder, 'data')}`,
      `--tmpdir=${join(folder, 'tmp')}`,
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
  const kill = () => server.kill('SIGTERM')
  process.once('exit', kill) // also where whoever started it fails before it stops it
  await waitForAnswer(server, socket, log)
  const stop = async () => {
    process.off('exit', kill)
    if (server.exitCode !== null || server.signalCode !== null) return
    kill()
    await once(server, 'exit')
  }
  return { port, socket, stop }
}

async function waitForAnswer(server: ChildProcess, socketPath: string, log: string): Promise<void> {
  for (let tries = 0; tries < 600 && server.exitCode === null; tries++) {
    try {
      const connection = await createConnection({ socketPath, user: 'root' })
      await connection.end()
      return
    } catch {
      await pause(100)
    }
  }
  server.kill('SIGKILL')
  throw new Error(`mariadbd does not answer:\n${existsSync(log) ? readFileSync(log, 'utf8') : 'no log'}`)
}

/** Another process may take it before the server does: then another one is tried. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
