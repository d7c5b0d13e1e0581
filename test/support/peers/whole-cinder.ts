import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { mariaDb, type TableRow } from '../databases.js'
import { controlVolume, until } from '../volume.js'
import { openApi } from './cinder-api.js'
import { findQuietPort, startProgram } from './program.js'
import { startRabbitMq } from './rabbitmq.js'

const { folder: tests } = inject('peers')

/** The backend, and a backend that is a cluster. */
export const HOST = 'vol1@arrayA'
export const CLUSTER = 'c1@arrayA'

/** Two backends of one cinder-volume. */
export const PAIR = { host: 'vol4@arrayA', neighbour: 'vol4@other' } as const

/** The addresses of the arrays, which are their folders' names too. */
export const ARRAYS = { arrayA: '192.0.2.1', arrayB: '192.0.2.2', arrayC: '192.0.2.3', arrayD: '192.0.2.4' } as const

export type ArrayName = keyof typeof ARRAYS

/** Until it works, on a machine that does other things too; else 15. */
const START_S = 150

export type WholeCinder = Awaited<ReturnType<typeof startWholeCinder>>

/**
 * A whole Cinder without Keystone: MariaDB, RabbitMQ, cinder-api, cinder-scheduler, and a cinder-volume whose arrays are folders (folder_driver.py).
 * Its backend replicates from arrayA to arrayB and arrayC. Errors: a program ends, or it does not work in time.
 */
export async function startWholeCinder() {
  const folder = mkdtempSync(join(tests, 'whole-'))
  const [database, rabbit, port] = await Promise.all([
    mariaDb.create(true),
    startRabbitMq(join(folder, 'rabbitmq')),
    findQuietPort(),
  ])
  const site = { folder, port, transport: rabbit.url, connection: database.connection }
  const volumes: ReturnType<typeof controlVolume>[] = []
  const startVolume = (host: string, cluster?: string, sections?: readonly string[]) => {
    const volume = makeVolume(site, host, cluster, sections)
    volume.start()
    volumes.push(volume)
    return volume
  }
  const volume = startVolume('vol1')
  const start = (name: string) => startProgram(name, ['--config-file', volume.conf], join(folder, `${name}.log`))
  const services = [start('cinder-api'), start('cinder-scheduler')]

  const stop = async () => {
    for (const each of volumes) each.kill()
    await Promise.all([...services, ...rabbit.programs].map((each) => each.kill()))
    await database.close()
  }
  /** The row of a backend. */
  const row = async (backend: string = HOST): Promise<TableRow> => {
    const rows = await database.rows('services')
    return rows.find(({ host }) => host === backend) ?? {}
  }
  const api = openApi(port, HOST, row)
  const isReady = async () => {
    for (const program of [...services, ...rabbit.programs]) program.requireRunning()
    return (await api.isUp()) && api.hasPool(HOST)
  }
  try {
    await until('the whole Cinder works', isReady, START_S)
  } catch (error) {
    await stop()
    throw error
  }
  /** Starts a member of the cluster. */
  const startMember = (member: string) => startVolume(member, 'c1')
  /** Starts the cinder-volume of the two backends. */
  const startPair = () => startVolume('vol4', undefined, ['arrayA', 'other'])
  const arraysOf = (backend: string) => join(folder, 'arrays', backend)
  /** Makes an array of a backend burn. */
  const burn = (name: ArrayName, backend: string = HOST) =>
    rmSync(join(arraysOf(backend), ARRAYS[name]), { recursive: true })
  /** Makes a failover of a backend take until it is released. */
  const holdFailover = (backend: string) => {
    const hold = join(arraysOf(backend), 'hold')
    writeFileSync(hold, '')
    return { release: () => rmSync(hold) }
  }
  return { volume, startMember, startPair, burn, holdFailover, database, row, stop, ...api }
}

interface Site {
  readonly folder: string
  readonly port: number
  readonly transport: string
  readonly connection: string
}

/** A cinder-volume with its arrays, which the members of a cluster share. Its backends are named by their sections. */
function makeVolume(
  { folder, port, transport, connection }: Site,
  host: string,
  cluster?: string,
  sections: readonly string[] = ['arrayA'],
) {
  const home = join(folder, host)
  mkdirSync(home)
  writeFileSync(
    join(home, 'cinder.conf'),
    `[DEFAULT]
auth_strategy = noauth
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = ${port}
osapi_volume_workers = 1
api_paste_config = /usr/share/cinder-common/api-paste.ini
transport_url = ${transport}
state_path = ${home}
host = ${host}
${cluster === undefined ? '' : `cluster = ${cluster}`}
enabled_backends = ${sections.join(', ')}
report_interval = 1
service_down_time = 8
periodic_interval = 3
[oslo_concurrency]
lock_path = ${home}
[coordination]
backend_url = file://${folder}
[database]
connection = ${connection.replaceAll('$', '$$')}
${sections.map((section) => makeSection(folder, cluster ?? host, section)).join('')}`,
  )
  return controlVolume(home)
}

/** The section of a backend, whose arrays it makes. */
function makeSection(folder: string, owner: string, section: string): string {
  const backend = `${owner}@${section}`
  const arrays = join(folder, 'arrays', backend)
  for (const address of Object.values(ARRAYS)) mkdirSync(join(arrays, address), { recursive: true })
  return `[${section}]
volume_driver = folder_driver.FolderDriver
volume_backend_name = ${backend}
arrays_folder = ${arrays}
san_ip = ${ARRAYS.arrayA}
replication_device = backend_id:arrayB,san_ip:${ARRAYS.arrayB}
replication_device = backend_id:arrayC,san_ip:${ARRAYS.arrayC}
`
}
