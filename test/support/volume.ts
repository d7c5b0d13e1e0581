import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { TableRow, TestDatabase } from './databases.js'

const { folder: tests } = inject('peers')
const CONTROL = new URL('./peers/cinder-volume-control', import.meta.url).pathname

/** What the driver was given at one of its starts. */
interface Start {
  readonly active_backend_id: string | null
  readonly san_ip: string
  readonly replication_device: readonly Readonly<Record<string, string>>[]
}

export interface VolumeOptions {
  readonly host?: string
  /** The name of the cluster before the @. */
  readonly cluster?: string
  /** Seconds. */
  readonly reportInterval?: number
  /** Other backends in enabled_backends. */
  readonly neighbours?: readonly string[]
  /** The quick stand-in instead (peers/beating_service.py). */
  readonly fake?: boolean
  /** Seconds by which the clock of the stand-in is behind. */
  readonly lag?: number
}

/** A real cinder-volume over a database of the tests, with a driver without an array (peers/replicating_driver.py). */
export function cinderVolume(
  database: TestDatabase,
  { host = 'vol1', cluster, reportInterval = 2, neighbours = [], fake = false, lag }: VolumeOptions = {},
) {
  const folder = mkdtempSync(join(tests, 'volume-'))
  const conf = join(folder, 'cinder.conf')
  writeFileSync(
    conf,
    `[DEFAULT]
transport_url = fake:/
state_path = ${folder}
host = ${host}
${cluster === undefined ? '' : `cluster = ${cluster}`}
${lag === undefined ? '' : `clock_lag = ${lag}`}
enabled_backends = ${['arrayA', ...neighbours].join(', ')}
report_interval = ${reportInterval}
service_down_time = ${fake ? 3 : 10}
[oslo_concurrency]
lock_path = ${folder}
[coordination]
backend_url = file://${folder}
[database]
connection = ${database.connection.replaceAll('$', '$$')}
[arrayA]
volume_driver = replicating_driver.ReplicatingDriver
san_ip = 192.0.2.1
replication_device = backend_id:arrayB,san_ip:192.0.2.2
`,
  )
  if (fake) writeFileSync(join(folder, 'PROGRAM'), new URL('./peers/beating_service.py', import.meta.url).pathname)
  return controlVolume(folder)
}

/** The cinder-volume whose cinder.conf is in the folder (peers/cinder-volume-control). */
export function controlVolume(folder: string) {
  const path = (name: string) => join(folder, name)
  writeFileSync(path('TESTS'), String(process.pid))
  const command = (verb: string) => [CONTROL, verb, folder]
  const run = (verb: string) => spawnSync(CONTROL, [verb, folder]).status
  const service = { manager: 'command', start: command('start'), stop: command('stop'), status: command('status') }
  return {
    folder,
    conf: path('cinder.conf'),
    log: () => (existsSync(path('log')) ? readFileSync(path('log'), 'utf8') : ''),
    service,
    /** The same with a stop that takes no time: its own takes seconds, in which it does not beat. */
    quickService: { ...service, stop: command('kill') },
    start: () => run('start'),
    stop: () => run('stop'),
    /** At once, as where its host fails. */
    kill: () => run('kill'),
    runs: () => run('status') === 0,
    /** Of the driver, in their order. */
    starts: (): readonly Start[] =>
      existsSync(path('starts'))
        ? readFileSync(path('starts'), 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [],
  }
}

/** Waits until a condition holds. Errors: after the seconds given. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, seconds = 60): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`It was never seen that ${what}`)
}

/** The rows of the volume services, once each has beaten. */
export async function beating(database: TestDatabase, count = 1): Promise<readonly TableRow[]> {
  return until(`${count} services beat`, async () => {
    const rows = await database.rows('services')
    return rows.length === count && rows.every((row) => Number(row['report_count']) > 0) && rows
  })
}

/** As a failover to arrayB leaves the tables. */
export const FAIL_OVER =
  "UPDATE services SET disabled = 1, disabled_reason = 'failed-over', replication_status = 'failed-over', active_backend_id = 'arrayB'"
