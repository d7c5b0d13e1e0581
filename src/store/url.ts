import { AgentError } from '../model/errors.js'
import { quote, toOneLine } from '../text/quote.js'

/** The parts of a `[database] connection`. */
export interface DatabaseUrl {
  readonly dialect: 'mysql' | 'sqlite'
  readonly username: string | undefined
  readonly password: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string
  /** The last value of each name; names without a value are left out. */
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
  'Use mysql+pymysql://USER:PASSWORD@HOST:PORT/DATABASE (also mysql:// or mariadb://) or sqlite:////PATH.'

/**
 * An SQLAlchemy URL as SQLAlchemy reads it, with oslo.db's `connection_parameters` appended.
 * Errors: invalid_request. Messages never quote the URL, because it holds the password.
 */
export function parseUrl(text: string, extraParameters = ''): DatabaseUrl {
  const groups = PATTERN.exec(text.trim())?.groups
  if (groups?.['name'] === undefined) throw invalidUrl('The connection is not a database URL.')
  const dialect = parseDialect(groups['name'])
  const port = groups['port']
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65535)) {
    throw invalidUrl('The port in the connection is not a number up to 65535.')
  }
  const host = groups['ipv4host'] ?? groups['ipv6host']
  const database = groups['database'] ?? ''
  if (dialect === 'mysql' && `${host}${database}`.includes('@')) {
    throw invalidUrl('The user or password in the connection has an "@" or "/" that is not encoded (%40, %2F).')
  }
  return {
    dialect,
    username: decodePercent(groups['username']),
    password: decodePercent(groups['password']),
    host,
    port: port === undefined ? undefined : Number(port),
    database,
    parameters: parseParameters([groups['query'], extraParameters].filter(Boolean).join('&')),
  }
}

/** The URL for messages, without its password and parameters. */
export function redactUrl({ dialect, username, password, host, port, database, parameters }: DatabaseUrl): string {
  if (dialect === 'sqlite') return toOneLine(database)
  const user = username === undefined ? '' : `${username}${password === undefined ? '' : ':***'}@`
  const socket = parameters.get('unix_socket')
  const place = socket === undefined ? `${host ?? 'localhost'}:${port ?? 3306}` : `(${socket})`
  return toOneLine(`mysql://${user}${place}/${database}`)
}

function parseDialect(name: string): 'mysql' | 'sqlite' {
  const [dialect] = name.split('+')
  if (dialect === 'mysql' || dialect === 'mariadb') return 'mysql'
  if (dialect === 'sqlite') return 'sqlite'
  throw invalidUrl(`The database ${quote(name, 40)}:// is not supported.`)
}

/** Python's urllib.parse.unquote: a `%` without two digits stays, and bytes that are not UTF-8 become U+FFFD. */
function decodePercent(text: string | undefined): string | undefined {
  return text?.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}

/** Python's urllib.parse.parse_qsl: `+` is a blank here, and a name without a value is dropped. */
function parseParameters(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').map((pair) => {
    const [name = '', ...value] = pair.replaceAll('+', ' ').split('=')
    return [decodePercent(name) ?? '', decodePercent(value.join('=')) ?? ''] as const
  })
  return new Map(pairs.filter(([, value]) => value !== ''))
}

function invalidUrl(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: SUPPORTED })
}
