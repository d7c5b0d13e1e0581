import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { AgentError, getErrorCode } from '../model/errors.js'
import { quote } from '../text/quote.js'
import type { DatabaseUrl } from './url.js'

/** What a MySQL connection needs, by mysql2's names. */
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

/** Parameters that PyMySQL knows and that change nothing here: the agent always uses utf8mb4 and its own deadline. */
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
 * Merges the URL with its option file as SQLAlchemy and PyMySQL do (pymysql/connections.py). `warn` gets what is ignored.
 * Errors: config_error for a certificate or key that cannot be read.
 */
export function makeMysqlOptions(url: DatabaseUrl, warn: (warning: string) => void): MysqlOptions {
  const { parameters } = url
  for (const name of parameters.keys()) {
    if (!WITHOUT_EFFECT.has(name) && !WITH_EFFECT.has(name))
      warn(`The connection's parameter ${quote(name)} is ignored.`)
  }
  const file = readOptionFile(parameters, warn)
  const socketPath = parameters.get('unix_socket') ?? (url.host === undefined ? file.get('socket') : undefined)
  const ssl = readTlsOptions(parameters, file)
  return {
    user: parameters.get('user') ?? (url.username || file.get('user') || ''),
    password: parameters.get('password') ?? (url.password || file.get('password') || ''),
    database: url.database || file.get('database') || '',
    host: url.host ?? file.get('host') ?? 'localhost',
    port: url.port ?? parsePort(file.get('port') ?? '3306'),
    ...(socketPath !== undefined && { socketPath }),
    ...(ssl !== undefined && { ssl }),
  }
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new AgentError('config_error', "The port in the connection's read_default_file is not a number up to 65535.", {
    hint: 'Correct the port in that file.',
  })
}

/**
 * TLS is used if any of its parameters is set. The chain is checked if there is a CA, unless ssl_verify_cert decides; the host's name is
 * checked too, unless only the chain is asked for (pymysql/connections.py).
 */
function readTlsOptions(
  parameters: ReadonlyMap<string, string>,
  file: ReadonlyMap<string, string>,
): MysqlOptions['ssl'] {
  const get = (name: string) => parameters.get(`ssl_${name}`) ?? file.get(`ssl-${name}`)
  const [ca, cert, key, ciphers] = [get('ca'), get('cert'), get('key'), get('cipher')]
  const verifyCert = parseFlag(parameters.get('ssl_verify_cert'))
  const verifyIdentity =
    parseFlag(parameters.get('ssl_verify_identity')) ?? parseFlag(parameters.get('ssl_check_hostname'))
  const wanted = ca ?? cert ?? key ?? ciphers ?? (verifyCert || verifyIdentity || undefined)
  if (wanted === undefined || parseFlag(parameters.get('ssl_disabled'))) return undefined
  const rejectUnauthorized = verifyCert ?? ca !== undefined
  return {
    ...(ca !== undefined && { ca: readTlsFile(ca, 'ssl_ca') }),
    ...(cert !== undefined && { cert: readTlsFile(cert, 'ssl_cert') }),
    ...(key !== undefined && { key: readTlsFile(key, 'ssl_key') }),
    ...(ciphers !== undefined && { ciphers }),
    rejectUnauthorized,
    verifyIdentity: rejectUnauthorized && (verifyIdentity ?? verifyCert === undefined),
  }
}

function parseFlag(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : !['0', 'false', 'no', 'none', 'off'].includes(value.toLowerCase())
}

/** One group of a my.cnf, `client` by default. PyMySQL ignores a missing file too. */
function readOptionFile(
  parameters: ReadonlyMap<string, string>,
  warn: (warning: string) => void,
): ReadonlyMap<string, string> {
  const group = parameters.get('read_default_group') ?? 'client'
  const path = parameters.get('read_default_file') ?? (parameters.has('read_default_group') ? '/etc/my.cnf' : undefined)
  if (path === undefined) return new Map()
  try {
    return parseOptionFile(readFileSync(expandHome(path), 'utf8'), group)
  } catch (error) {
    warn(
      `The connection's read_default_file ${quote(path)} cannot be read (${getErrorCode(error) ?? 'unknown error'}). It is ignored.`,
    )
    return new Map()
  }
}

function parseOptionFile(text: string, group: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  let current: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line)
    if (header !== null) current = header[1]
    const [, name, value] = /^\s*([^#;=:[\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (current === group && name !== undefined && value) options.set(name.toLowerCase(), stripQuotes(value))
  }
  return options
}

function stripQuotes(value: string): string {
  return value.replace(/^(['"])(.*)\1$/, '$2')
}

function readTlsFile(path: string, parameter: string): Buffer {
  try {
    return readFileSync(expandHome(path))
  } catch (error) {
    const problem = `The connection's ${parameter} ${quote(path)} cannot be read (${getErrorCode(error) ?? 'unknown error'}).`
    throw new AgentError('config_error', problem, {
      hint: 'Run the agent on the host that has the file, or correct {connection}.',
    })
  }
}

function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir())
}
