// Whole processes, in turn, so that a slow moment of the machine hits all of them: medians, and ratios to an empty Node process.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createConnection } from 'mysql2/promise'
import { startMariaDb } from '../support/peers/mariadb.js'
import { findPeers } from '../support/peers/peers.js'

const ROUNDS = Number(process.argv[2] ?? 30)
const SLOW_ROUNDS = Math.min(ROUNDS, 5)
const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-bench-'))
const path = (name: string) => join(folder, name)
const agent = 'dist/cinder-backend.cjs'

const SERVICE = "(1, 'vol1@arrayA', 'cinder-volume', 0, 9, 0, 0, 'enabled')"
const INSERT = `INSERT INTO services (id, host, \`binary\`, deleted, report_count, disabled, frozen, replication_status) VALUES ${SERVICE}`
const TABLES = readFileSync('docs/examples/demo/tables.sql', 'utf8')

interface Contestant {
  readonly name: string
  readonly command: readonly string[]
  readonly input?: string
  readonly rounds: number
}

const contestants: Contestant[] = [{ name: 'node -e 0', command: [process.execPath, '-e', '0'], rounds: ROUNDS }]

function noOp(name: string, connection: string): void {
  const input = path(`${contestants.length}.json`)
  writeFileSync(
    input,
    JSON.stringify({ host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled', connection }),
  )
  contestants.push({ name, command: [process.execPath, agent], input, rounds: ROUNDS })
}

const db = new Database(path('cinder.sqlite'))
db.exec(TABLES)
db.exec(INSERT)
db.close()
noOp('cinder-backend, a no-op on SQLite', `sqlite:///${path('cinder.sqlite')}`)

const missing = findPeers()
let stop = async () => {}
if (missing.mariadb === null) {
  const server = await startMariaDb(path('mariadb'))
  stop = server.stop
  const admin = await createConnection({ socketPath: server.socket, user: 'root', multipleStatements: true })
  await admin.query(`CREATE DATABASE cinder; USE cinder; ${TABLES} ${INSERT}`)
  await admin.end()
  noOp('cinder-backend, a no-op on MariaDB', `mysql+pymysql://root@127.0.0.1:${server.port}/cinder`)
} else process.stdout.write(`No MariaDB: ${missing.mariadb}\n`)

if (missing.cinder === null) {
  writeFileSync(
    path('cinder.conf'),
    `[DEFAULT]\nstate_path = ${folder}\n[database]\nconnection = sqlite:///${path('theirs.sqlite')}\n`,
  )
  copyFileSync(path('cinder.sqlite'), path('theirs.sqlite'))
  const command = [
    'cinder-manage',
    '--config-file',
    path('cinder.conf'),
    'db',
    'reset_active_backend',
    '--backend-host',
    'vol1@arrayA',
  ]
  contestants.push({ name: 'cinder-manage db reset_active_backend', command, rounds: SLOW_ROUNDS })
} else process.stdout.write(`No cinder-manage: ${missing.cinder}\n`)

/** Milliseconds from start to end of the process. */
function time({ command: [program = '', ...args], input }: Contestant): number {
  const stdin = openSync(input ?? '/dev/null', 'r')
  const start = process.hrtime.bigint()
  const { status } = spawnSync(program, args, { stdio: [stdin, 'ignore', 'ignore'] })
  const took = Number(process.hrtime.bigint() - start) / 1e6
  if (status !== 0 && args.includes(agent)) throw new Error(`${program} failed`)
  return took
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const times = contestants.map(() => [] as number[])
try {
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, contestant] of contestants.entries()) {
      if (round >= contestant.rounds) continue
      const took = time(contestant)
      if (round >= 0) times[index]?.push(took)
    }
  }
} finally {
  await stop()
  rmSync(folder, { recursive: true })
}

process.stdout.write(`Node ${process.version}, ${cpus()[0]?.model}, ${ROUNDS} rounds\n`)
for (const [index, { name }] of contestants.entries()) {
  const own = times[index] ?? []
  const ratios = own.map((took, round) => took / (times[0]?.[round] ?? Number.NaN))
  process.stdout.write(
    `${name.padEnd(40)} median ${median(own).toFixed(0).padStart(5)} ms   ratio ${median(ratios).toFixed(2).padStart(6)}\n`,
  )
}
