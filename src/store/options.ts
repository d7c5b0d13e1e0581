import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { AgentError, getErrorCode } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { DatabaseUrl } from './url.js'

/** What a MySQL connection needs to know; the names are mysql2's. */
export interface MysqlOptions {
  readonly user: string
  readonly password: string
  readonly database: string
  readonly host: string
  readonly port: number
  readonly socketPath?: string
  readonly ssl?: {
    readonly ca?: Buffer
    readonly cert?: Buffer
    readonly key?: Buffer
    readonly ciphers?: string
    readonly rejectUnauthorized: boolean
    readonly verifyIdentity: boolean
  }
}

/** Parameters that PyMySQL knows and that mean nothing here: we always speak utf8mb4, and bring our own time-outs. */
const WITHOUT_EFFECT = new Set([
  'charset',
  'use_unicode',
  'binary_prefix',
  'connect_timeout',
  'read_timeout',
  'write_timeout',
  'local_infile',
  'client_flag',
  'autocommit',
  'plugin',
])
const WITH_EFFECT = new Set([
  'user',
  'password',
  'unix_socket',
  'ssl_ca',
  'ssl_cert',
  'ssl_key',
  'ssl_cipher',
  'ssl_verify_cert',
  'ssl_verify_identity',
  'ssl_check_hostname',
  'ssl_disabled',
  'read_default_file',
  'read_default_group',
])

/**
 * The URL with what its option file adds, as SQLAlchemy and PyMySQL put them together (pymysql/connections.py); what goes
 * unheeded is told to `warn`. Errors: config_error for a certificate or key that cannot be read.
 */
export function mysqlOptions(url: DatabaseUrl, warn: (warning: string) => void): MysqlOptions {
  const { parameters } = url
  for (const name of parameters.keys()) {
    if (!WITHOUT_EFFECT.has(name) && !WITH_EFFECT.has(name))
      warn(`The connection's parameter ${quote(name)} is ignored.`)
  }
  const file = optionFile(parameters, warn)
  const socketPath = parameters.get('unix_socket') ?? (url.host === undefined ? file.get('socket') : undefined)
  const ssl = tls(parameters, file)
  return {
    user: parameters.get('user') ?? (url.username || file.get('user') || ''),
    password: parameters.get('password') ?? (url.password || file.get('password') || ''),
    database: url.database || file.get('database') || '',
    host: url.host ?? file.get('host') ?? 'localhost',
    port: url.port ?? portOf(file.get('port') ?? '3306'),
    ...(socketPath !== undefined && { socketPath }),
    ...(ssl !== undefined && { ssl }),
  }
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new AgentError('config_error', "The port in the connection's read_default_file is not a number up to 65535.")
}

/**
 * TLS is used when any of its parameters is given. The chain is checked when there is a CA to check it against, unless
 * ssl_verify_cert says otherwise; the host's name too, unless only the chain is asked for.
 */
function tls(parameters: ReadonlyMap<string, string>, file: ReadonlyMap<string, string>): MysqlOptions['ssl'] {
  const get = (name: string) => parameters.get(`ssl_${name}`) ?? file.get(`ssl-${name}`)
  const [ca, cert, key, ciphers] = [get('ca'), get('cert'), get('key'), get('cipher')]
  const verifyCert = truth(parameters.get('ssl_verify_cert'))
  const verifyIdentity = truth(parameters.get('ssl_verify_identity')) ?? truth(parameters.get('ssl_check_hostname'))
  const wanted = ca ?? cert ?? key ?? ciphers ?? (verifyCert || verifyIdentity || undefined)
  if (wanted === undefined || truth(parameters.get('ssl_disabled'))) return undefined
  const rejectUnauthorized = verifyCert ?? ca !== undefined
  return {
    ...(ca !== undefined && { ca: read(ca, 'ssl_ca') }),
    ...(cert !== undefined && { cert: read(cert, 'ssl_cert') }),
    ...(key !== undefined && { key: read(key, 'ssl_key') }),
    ...(ciphers !== undefined && { ciphers }),
    rejectUnauthorized,
    verifyIdentity: rejectUnauthorized && (verifyIdentity ?? verifyCert === undefined),
  }
}

function truth(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : !['0', 'false', 'no', 'none', 'off'].includes(value.toLowerCase())
}

/** One group of a my.cnf, `client` unless named; keys may have a value or none. A file that is not there is no error to PyMySQL. */
function optionFile(
  parameters: ReadonlyMap<string, string>,
  warn: (warning: string) => void,
): ReadonlyMap<string, string> {
  const group = parameters.get('read_default_group') ?? 'client'
  const path = parameters.get('read_default_file') ?? (parameters.has('read_default_group') ? '/etc/my.cnf' : undefined)
  if (path === undefined) return new Map()
  try {
    return optionsIn(readFileSync(expanded(path), 'utf8'), group)
  } catch (error) {
    warn(
      `The connection's read_default_file ${quote(path)} cannot be read (${getErrorCode(error) ?? 'unknown error'}), and is ignored.`,
    )
    return new Map()
  }
}

function optionsIn(text: string, group: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  let current: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line)
    if (header !== null) current = header[1]
    const [, name, value] = /^\s*([^#;=:[\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (current === group && name !== undefined && value) options.set(name.toLowerCase(), unquoted(value))
  }
  return options
}

function unquoted(value: string): string {
  return value.replace(/^(['"])(.*)\1$/, '$2')
}

function read(path: string, parameter: string): Buffer {
  try {
    return readFileSync(expanded(path))
  } catch (error) {
    const problem = `${parameter} of the connection, ${quote(path)}, cannot be read (${getErrorCode(error) ?? 'unknown error'}).`
    throw new AgentError('config_error', problem, {
      hint: 'Run the agent where the file is, or correct the connection.',
    })
  }
}

function expanded(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir())
}
