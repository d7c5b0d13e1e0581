import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findQuietPort, type Program, startProgram } from './program.js'

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server' // Debian's own on PATH changes to the user rabbitmq

export interface RabbitMq {
  /** The transport_url of a service. */
  readonly url: string
  readonly programs: readonly Program[]
}

/** A RabbitMQ on loopback with an epmd, a name and a cookie of its own, and all its files in the folder given. It takes seconds to answer. */
export async function startRabbitMq(folder: string): Promise<RabbitMq> {
  mkdirSync(folder)
  const path = (name: string) => join(folder, name)
  const port = await findQuietPort()
  const epmdPort = String(await findQuietPort())
  writeFileSync(path('rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\ndisk_free_limit.absolute = 1MB\n`)
  writeFileSync(path('environment'), '')
  writeFileSync(path('plugins'), '[].\n')
  const env = {
    HOME: folder, // the cookie
    ERL_EPMD_PORT: epmdPort,
    RABBITMQ_NODENAME: `tests${port}@localhost`,
    RABBITMQ_DIST_PORT: String(await findQuietPort()),
    RABBITMQ_CONF_ENV_FILE: path('environment'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('plugins'),
    RABBITMQ_MNESIA_BASE: path('data'),
    RABBITMQ_LOG_BASE: path('logs'),
    RABBITMQ_PID_FILE: path('pid'),
    RABBITMQ_ALLOW_INPUT: '1', // the script becomes the server
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1}',
  }
  const epmd = startProgram('epmd', ['-port', epmdPort, '-address', '127.0.0.1'], path('epmd.log'))
  return {
    url: `rabbit://guest:guest@127.0.0.1:${port}/`,
    programs: [startProgram(SERVER, [], path('log'), env), epmd],
  }
}
