import { AgentError } from '../model/errors.js'
import { quote, toOneLine } from '../text/quote.js'

/** A `[database] connection`, taken apart. */
export interface DatabaseUrl {
  readonly dialect: 'mysql' | 'sqlite'
  readonly username: string | undefined
  readonly password: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string
  /** The last value counts where a name stands twice; names without a value are left out. */
  readonly parameters: ReadonlyMap<string, string>
}

// sqlalchemy/engine/url.py, _parse_url: the password may hold / : # ? as they are; an @ ends it.
const PATTERN = new RegExp(
  [
    '^(?<name>[\\w+]+)://',
    '(?:(?<username>[^:/]*)(?::(?<password>[^@]*))?@)?',
    '(?:(?:\\[(?<ipv6host>[^/?]+)\\]|(?<ipv4host>[^/:?]+))?(?::(?<port>[^/?]*))?)?',
    '(?:/(?<database>[^?]*))?',
    '(?:\\?(?<query>[^]*))?',
  ].join(''),
)

const SUPPORTED =
  'Supported are mysql+pymysql://USER:PASSWORD@HOST:PORT/DATABASE, also as mysql:// or mariadb://, and sqlite:////PATH.'

/**
 * An SQLAlchemy URL as SQLAlchemy reads it, with oslo.db's `connection_parameters` appended.
 * Errors: invalid_request. The URL itself is never quoted, for it holds the password.
 */
export function parseUrl(text: string, extraParameters = ''): DatabaseUrl {
  const groups = PATTERN.exec(text.trim())?.groups
  if (groups?.['name'] === undefined) throw invalid('The connection is not a database URL.')
  const dialect = dialectOf(groups['name'])
  const port = groups['port']
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65535)) {
    throw invalid('The port in the connection is not a number up to 65535.')
  }
  const host = groups['ipv4host'] ?? groups['ipv6host']
  const database = groups['database'] ?? ''
  if (dialect === 'mysql' && `${host}${database}`.includes('@')) {
    throw invalid('In the connection an "@" in user or password must be written as %40, and a "/" in the user as %2F.')
  }
  return {
    dialect,
    username: decode(groups['username']),
    password: decode(groups['password']),
    host,
    port: port === undefined ? undefined : Number(port),
    database,
    parameters: parametersOf([groups['query'], extraParameters].filter(Boolean).join('&')),
  }
}

/** The URL for people to read, without its password and parameters. */
export function redacted({ dialect, username, password, host, port, database, parameters }: DatabaseUrl): string {
  if (dialect === 'sqlite') return toOneLine(database)
  const user = username === undefined ? '' : `${username}${password === undefined ? '' : ':***'}@`
  const socket = parameters.get('unix_socket')
  const place = socket === undefined ? `${host ?? 'localhost'}:${port ?? 3306}` : `(${socket})`
  return toOneLine(`mysql://${user}${place}/${database}`)
}

function dialectOf(name: string): 'mysql' | 'sqlite' {
  const [dialect] = name.split('+')
  if (dialect === 'mysql' || dialect === 'mariadb') return 'mysql'
  if (dialect === 'sqlite') return 'sqlite'
  throw invalid(`Databases of the kind ${quote(name, 40)}:// are not supported.`)
}

/** Python's urllib.parse.unquote: what is no escape stays, and bytes that are not UTF-8 become U+FFFD. */
function decode(text: string | undefined): string | undefined {
  return text?.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}

/** Python's urllib.parse.parse_qsl: `+` is a blank here, and a name without a value is dropped. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').map((pair) => {
    const [name = '', ...value] = pair.replaceAll('+', ' ').split('=')
    return [decode(name) ?? '', decode(value.join('=')) ?? ''] as const
  })
  return new Map(pairs.filter(([, value]) => value !== ''))
}

function invalid(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: SUPPORTED })
}
