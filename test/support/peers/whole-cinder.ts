import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { mariaDb, type TableRow } from '../databases.js'
import { controlVolume, until } from '../volume.js'
import { findQuietPort, type Program, startProgram } from './program.js'
import { startRabbitMq } from './rabbitmq.js'

const { folder: tests } = inject('peers')

/** 32 hexadecimal digits, as the API's routes want them. */
const PROJECT = '0123456789abcdef0123456789abcdef'

/** Cinder's microversion that Debian 12 has. */
const VERSION = 'volume 3.70'

/** The addresses of the arrays, which are their folders' names too. */
export const ARRAYS = { arrayA: '192.0.2.1', arrayB: '192.0.2.2', arrayC: '192.0.2.3', arrayD: '192.0.2.4' } as const

export type WholeCinder = Awaited<ReturnType<typeof startWholeCinder>>

/**
 * A whole Cinder without Keystone: MariaDB, RabbitMQ, cinder-api, cinder-scheduler, and a cinder-volume whose arrays are folders (folder_driver.py).
 * Its backend vol1@arrayA replicates to arrayB and arrayC. Errors: a program ends, or it does not work within a minute.
 */
export async function startWholeCinder() {
  const folder = mkdtempSync(join(tests, 'whole-'))
  const array = (name: keyof typeof ARRAYS) => join(folder, 'arrays', ARRAYS[name])
  for (const name of Object.keys(ARRAYS) as (keyof typeof ARRAYS)[]) mkdirSync(array(name), { recursive: true })
  const [database, rabbit, port] = await Promise.all([
    mariaDb.create(true),
    startRabbitMq(join(folder, 'rabbitmq')),
    findQuietPort(),
  ])
  const conf = join(folder, 'cinder.conf')
  writeFileSync(conf, makeConf(folder, { connection: database.connection, transport: rabbit.url, port }))
  const start = (name: string) => startProgram(name, ['--config-file', conf], join(folder, `${name}.log`))
  const services = [start('cinder-api'), start('cinder-scheduler')]
  const volume = controlVolume(folder)
  volume.start()

  const call = callApi(`http://127.0.0.1:${port}/v3/${PROJECT}`)
  const rows = async () => (await database.rows('services')).filter(({ binary }) => binary === 'cinder-volume')
  const cinder = {
    volume,
    array,
    call,
    /** The row of vol1@arrayA. */
    row: async (): Promise<TableRow> => (await rows())[0] ?? {},
    stop: async () => {
      volume.stop()
      await Promise.all(services.map((each) => each.stop('SIGTERM')))
      await Promise.all(rabbit.programs.map((each) => each.stop('SIGKILL')))
      await database.close()
    },
  }
  try {
    await untilItWorks(call, [...services, ...rabbit.programs])
  } catch (error) {
    await cinder.stop()
    throw error
  }
  return cinder
}

async function untilItWorks(call: ReturnType<typeof callApi>, programs: readonly Program[]): Promise<void> {
  await until('the scheduler knows the pool', async () => {
    for (const program of programs) program.requireRunning()
    const { pools } = await call('GET', '/scheduler-stats/get_pools').catch(() => ({ pools: [] }))
    return pools.length > 0
  })
}

/** Errors: an answer that is none of 2xx; the message has it. */
function callApi(base: string) {
  return async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: {
        'X-Auth-Token': `admin:${PROJECT}`,
        'OpenStack-API-Version': VERSION,
        'Content-Type': 'application/json',
      },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
}

function makeConf(folder: string, { connection, transport, port }: { connection: string; transport: string; port: number }) {
  return `[DEFAULT]
auth_strategy = noauth
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = ${port}
osapi_volume_workers = 1
api_paste_config = /etc/cinder/api-paste.ini
transport_url = ${transport}
state_path = ${folder}
host = vol1
enabled_backends = arrayA
report_interval = 1
service_down_time = 6
periodic_interval = 3
graceful_shutdown_timeout = 2
[oslo_concurrency]
lock_path = ${folder}
[coordination]
backend_url = file://${folder}
[database]
connection = ${connection.replaceAll('$', '$$')}
[arrayA]
volume_driver = folder_driver.FolderDriver
volume_backend_name = folders
arrays_folder = ${join(folder, 'arrays')}
san_ip = ${ARRAYS.arrayA}
replication_device = backend_id:arrayB,san_ip:${ARRAYS.arrayB}
replication_device = backend_id:arrayC,san_ip:${ARRAYS.arrayC}
`
}
