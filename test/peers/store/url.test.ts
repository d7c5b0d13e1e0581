import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { parseUrl } from '../../../src/store/url.js'
import { judge } from '../../support/judge.js'

interface Answer {
  readonly error?: string
  readonly username: string | null
  readonly password: string | null
  readonly host: string | null
  readonly port: number | null
  readonly database: string
  readonly query: Readonly<Record<string, string>>
}

function ours(text: string): Answer | { error: string } {
  try {
    const { username = null, password = null, host = null, port = null, database, parameters } = parseUrl(text)
    return { username, password, host, port, database, query: Object.fromEntries(parameters) }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { error: error.code }
  }
}

const word = fc
  .array(fc.constantFrom('a', 'Z', '9', '%40', '%2F', '%c3%a4', '%zz', '%', '+', '.', '-', '_', '!', '~', 'é'), {
    maxLength: 5,
  })
  .map((parts) => parts.join(''))
const password = fc
  .array(fc.oneof(word, fc.constantFrom('/', ':', '#', '?', '&', '=', ' ', '[', ']')), { maxLength: 5 })
  .map((parts) => parts.join(''))
const host = fc.constantFrom('', 'db', '10.0.0.5', '[fd00::1]', 'db.example.org')
const port = fc.constantFrom('', '', ':3307', ':')
const query = fc.array(
  fc.tuple(
    fc.constantFrom('charset', 'ssl_ca', 'unix_socket', 'a+b'),
    fc.constantFrom('', '=', '=/x%20y', '=a+b', '=a=b', '=%2Frun'),
  ),
  { maxLength: 3 },
)
const url = fc
  .tuple(
    fc.constantFrom('mysql', 'mysql+pymysql', 'mariadb+mariadbconnector'),
    fc.option(fc.tuple(word, fc.option(password))),
    host,
    port,
    fc.constantFrom('', '/', '/cinder', '/a/b', '/c#d'),
    query,
  )
  .map(([name, user, where, at, path, pairs]) => {
    const login = user === null ? '' : `${user[0]}${user[1] === null ? '' : `:${user[1]}`}@`
    return `${name}://${login}${where}${at}${path}${pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('')).join('&')}`}`
  })

const { missing } = inject('peers')
const title = missing.sqlalchemy === null ? '' : ` (skipped: ${missing.sqlalchemy})`

describe.skipIf(missing.sqlalchemy !== null)(`beside SQLAlchemy itself${title}`, () => {
  test('a thousand generated URLs, and those of every deployment tool, are taken apart the same', () => {
    const texts = [
      ...fc.sample(url, { numRuns: 1000, seed: Number(process.env['SEED'] ?? 1) }),
      'mysql+pymysql://cinder:a/b:c#d?e@10.0.0.5:3306/cinder?charset=utf8&ssl_ca&ssl_key&ssl_cert&ssl_verify_cert',
      'mysql+pymysql://cinder:p%40ss+w%25rd@[fd00::1]:3306/cinder?read_default_file=/etc/my.cnf.d/tripleo.cnf&read_default_group=tripleo',
      'mysql+pymysql://cinder@/cinder?unix_socket=/run/mysqld/mysqld.sock',
      'sqlite:////var/lib/cinder/cinder.sqlite',
      'sqlite:///relative/cinder.sqlite',
      'sqlite://',
    ]
    const answers = judge<Answer>('sqlalchemy', texts)
    const differing = texts.flatMap((text, index) => {
      const [theirs, own] = [answers[index], ours(text)]
      const same = theirs?.error === undefined ? JSON.stringify(theirs) === JSON.stringify(own) : 'error' in own
      return same ? [] : [{ text, theirs, own }]
    })
    expect(differing.slice(0, 3)).toEqual([])
    expect(answers.filter(({ error }) => error === undefined).length).toBeGreaterThan(600)
  })
})
