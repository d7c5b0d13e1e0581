import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { mariaDb, type TableRow } from '../databases.js'
import { controlVolume, until } from '../volume.js'
import { openApi } from './cinder-api.js'
import { findQuietPort, startProgram } from './program.js'
import { startRabbitMq } from './rabbitmq.js'

const { folder: tests } = inject('peers')

/** The backend. */
export const HOST = 'vol1@arrayA'

/** The addresses of the arrays, which are their folders' names too. */
export const ARRAYS = { arrayA: '192.0.2.1', arrayB: '192.0.2.2', arrayC: '192.0.2.3', arrayD: '192.0.2.4' } as const

export type WholeCinder = Awaited<ReturnType<typeof startWholeCinder>>

/**
 * A whole Cinder without Keystone: MariaDB, RabbitMQ, cinder-api, cinder-scheduler, and a cinder-volume whose arrays are folders (folder_driver.py).
 * Its backend replicates from arrayA to arrayB and arrayC. Errors: a program ends, or it does not work within a minute.
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

  const stop = async () => {
    volume.stop()
    await Promise.all(services.map((each) => each.stop('SIGTERM')))
    await Promise.all(rabbit.programs.map((each) => each.stop('SIGKILL')))
    await database.close()
  }
  /** The row of the backend. */
  const row = async (): Promise<TableRow> => {
    const rows = await database.rows('services')
    return rows.find(({ host }) => host === HOST) ?? {}
  }
  const api = openApi(port, HOST, row)
  try {
    await until('the whole Cinder works', () => {
      for (const program of [...services, ...rabbit.programs]) program.requireRunning()
      return api.isReady()
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { volume, array, row, stop, ...api }
}

function makeConf(
  folder: string,
  { connection, transport, port }: { connection: string; transport: string; port: number },
) {
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
service_down_time = 8
periodic_interval = 3
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
