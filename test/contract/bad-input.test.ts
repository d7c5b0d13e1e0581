import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { embedded, mariaDb, mariaUrl, type TestDatabase, titled } from '../support/databases.js'
import { runHere } from '../support/inprocess.js'
import { service } from '../support/rows.js'

const SECRET = 's3cr3t-pa55'
const { folder, mariadb } = inject('peers')

/** Runs it, and holds what every failure must keep: exit status 1, nothing changed, nothing on standard error, no secret anywhere. */
async function fails(input: unknown, code: string, said: RegExp | string = ''): Promise<void> {
  const { result, status, stdout, stderr } = await agent(input)
  expect(result).toMatchObject({ changed: false, failed: true, error: { code } })
  expect(result.msg).toMatch(said)
  expect(status).toBe(1)
  expect(stderr).toBe('')
  expect(stdout).not.toContain(SECRET)
}

const STATE = {
  disabled: true,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: true,
}

describe('input that is no request', () => {
  test.each<[string, string | Buffer, string, RegExp]>([
    ['empty', '', 'invalid_json', /empty/],
    ['only blanks', ' \n ', 'invalid_json', /empty/],
    ['not JSON', `host: vol1@a ${SECRET}`, 'invalid_json', /Invalid JSON/],
    ['cut off', `{"host": "vol1@a", "connection": "${SECRET}`, 'invalid_json', /Invalid JSON at line 1/],
    ['two documents', '{"host": "vol1@a"}\n{"host": "vol2@a"}', 'invalid_json', /line 2, column 1/],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_json', /UTF-8/],
    ['UTF-16', Buffer.from('{"host":"vol1@a"}', 'utf16le'), 'invalid_json', /JSON/],
    ['larger than 8 MiB', `{"host": "${'x'.repeat(9 * 2 ** 20)}"}`, 'invalid_json', /8 MiB/],
    ['a list', '["vol1@a"]', 'invalid_request', /JSON object/],
    ['null', 'null', 'invalid_request', /JSON object/],
    ['a hundred thousand brackets', '['.repeat(1e5) + ']'.repeat(1e5), 'invalid_request', /JSON object/],
  ])('%s', (_, input, code, said) => fails(input, code, said))
})

describe('a request that does not fit', () => {
  const connection = `mysql+pymysql://cinder:${SECRET}@127.0.0.1:1/cinder`
  test.each<[string, object, RegExp]>([
    ['no target', {}, /names no backend.+exactly one of host, cluster, backends/],
    ['null as the target', { host: null }, /names no backend/],
    ['two targets', { host: 'vol1@a', cluster: 'c@a' }, /names host and cluster/],
    ['an unknown key', { hots: 'vol1@a' }, /Unknown key "hots".+Did you mean "host"/],
    ['a key of a later version', { host: 'vol1@a', volumes: '1' }, /Unknown key "volumes"/],
    ['a state for all backends', { backends: 'all', frozen: true }, /backends: all cannot be combined with frozen/],
    ['a way to run in a part', { backends: [{ host: 'vol1@a', force: true }] }, /Move force out of backends/],
    ['an object for backends', { backends: {} }, /backends must be a list or a text, not an object.+or "all"/],
    ['another word for all', { backends: 'ALL' }, /backends\[0\] must be a JSON object.+or "all" for a report/],
    [
      'a key of the request in a part of it',
      { backends: [{ host: 'vol1@a', active_backend_id: 'b' }] },
      /Unknown key "active_backend_id" in backends\[0\]\. Set active_backend_id for one host or cluster/,
    ],
    ['a column itself without force', { host: 'vol1@a', active_backend_id: 'arrayB' }, /requires force: true/],
    [
      'a column itself beside a state',
      { host: 'vol1@a', replication_status: 'enabled', replication: 'disabled', force: true },
      /replication_status and replication cannot be combined/,
    ],
    [
      'a status that Cinder does not know',
      { host: 'vol1@a', replication_status: 'on', force: true },
      /must be "enabled"/,
    ],
    [
      'a row to restore with a column of another type',
      { restore: [{ host: 'vol1@a', from: { ...STATE, frozen: 'no' }, to: STATE }] },
      /frozen in restore has another type/,
    ],
    [
      'a row to restore with a state',
      { restore: [{ host: 'vol1@a', from: STATE, to: STATE }], frozen: true },
      /restore cannot be combined with frozen/,
    ],
    [
      'a row to restore that lacks a column',
      { restore: [{ host: 'vol1@a', from: { frozen: true }, to: STATE }] },
      /restore\[0\].from must be an object with disabled/,
    ],
    ['an unknown key in service', { host: 'vol1@a', service: { stat: 'started' } }, /"stat" in service.+"state"/],
    [
      'another manager',
      { host: 'vol1@a', service: { manager: 'runit' } },
      /service.manager must be "auto" or "systemd"/,
    ],
    [
      'a name that is an option',
      { host: 'vol1@a', service: { name: '--now' } },
      /service.name must be a name of letters/,
    ],
    [
      'a name with a pattern',
      { host: 'vol1@a', service: { name: 'cinder-*' } },
      /service.name must be a name of letters/,
    ],
    [
      'the manager command without its programs',
      { host: 'vol1@a', service: { manager: 'command', start: ['a'], stop: ['b'] } },
      /manager command needs service.status/,
    ],
    [
      'a program for another manager',
      { host: 'vol1@a', service: { manager: 'systemd', stop: ['b'] } },
      /service.stop is for service.manager command, not systemd/,
    ],
    [
      'a name for the manager command',
      { host: 'vol1@a', service: { manager: 'command', name: 'x', start: ['a'], stop: ['b'], status: ['c'] } },
      /service.name cannot be combined/,
    ],
    ['a service for several backends', { backends: [{ host: 'vol1@a' }], service: {} }, /service is for one backend/],
    ['an endless wait', { host: 'vol1@a', wait_timeout: 0 }, /wait_timeout must be >= 1/],
    ['an unknown key in a list', { backends: [{ host: 'vol1@a', froze: true }] }, /"froze" in backends\[0\].+"frozen"/],
    ['a list of names', { backends: ['vol1@a'] }, /backends\[0\] must be a JSON object, not "vol1@a"/],
    ['an empty list', { backends: [] }, /backends must be not empty/],
    ['a duplicate host', { backends: [{ host: 'vol1@a' }, { host: 'vol1@a' }] }, /vol1@a occurs twice/],
    [
      'two targets in a list',
      { backends: [{ host: 'vol1@a', cluster: 'c@a' }] },
      /backends\[0\] names host and cluster/,
    ],
    ['a pool', { host: 'vol1@a#pool' }, /names a pool.+"vol1@a"/],
    ['a number as the host', { host: 5 }, /host must be a text, not 5/],
    ['an empty host', { host: '' }, /host must be not empty/],
    ['a host that no column holds', { host: 'x'.repeat(256) }, /at most 255 characters/],
    ['a wrong choice', { host: 'vol1@a', replication: 'on' }, /replication must be "enabled" or "disabled", not "on"/],
    ['a boolean that is none', { host: 'vol1@a', frozen: 'maybe' }, /frozen must be true or false, not "maybe"/],
    ['an empty boolean', { host: 'vol1@a', frozen: '' }, /frozen must be true or false/],
    ['a timeout of 0', { host: 'vol1@a', timeout: 0 }, /timeout must be >= 1, not 0/],
    ['a timeout that is no whole number', { host: 'vol1@a', timeout: '5.0' }, /timeout must be a whole number/],
    ['a connection that is no text', { host: 'vol1@a', connection: { password: SECRET } }, /connection must be a text/],
    ['a connection that is no URL', { host: 'vol1@a', connection: SECRET }, /not a database URL/],
    ['an unsupported database', { host: 'vol1@a', connection: `postgresql://u:${SECRET}@h/d` }, /Use mysql/],
    ['an SQLite URL without a file', { host: 'vol1@a', connection: 'sqlite://' }, /names no file/],
    ['a key that every object has', { host: 'vol1@a', constructor: true }, /Unknown key "constructor"/],
  ])('%s', (_, request, said) => fails({ connection, ...request }, 'invalid_request', said))

  test.each([
    ['eighty thousand items that are no objects', `{"backends": [${'0,'.repeat(80_000)}0]}`],
    ['a quarter of a million unknown keys', `{${Array.from({ length: 250_000 }, (_, i) => `"k${i}": 0`).join(',')}}`],
    [
      'a list that is too long',
      JSON.stringify({ backends: Array.from({ length: 100_000 }, (_, i) => ({ host: `h${i}` })) }),
    ],
  ])('%s are refused without delay', (_, input) => fails(input, 'invalid_request'), 20_000)

  test('options of the command line that do not exist', async () => {
    const { result, status } = await agent('', { args: ['--chekc'] })
    expect(result).toMatchObject({
      failed: true,
      error: { code: 'invalid_request' },
      msg: expect.stringContaining('--chekc'),
    })
    expect(status).toBe(1)
  })

  test('anything at all: one JSON result, never a bug', async () => {
    const value = fc.oneof(
      fc.constantFrom(
        null,
        '',
        ' 5 ',
        'yes',
        'reset',
        'enabled',
        0,
        1,
        -1,
        true,
        'a,b',
        '{}',
        '{"host":"x"}',
        '\ud800',
        '\0',
      ),
      fc.jsonValue({ maxDepth: 2 }),
    )
    const keys = [
      'host',
      'cluster',
      'backends',
      'active_backend',
      'replication',
      'frozen',
      'connection',
      'config_file',
      'config_dir',
    ]
    const more = [
      'check_mode',
      'diff',
      'force',
      'service_down_time',
      'timeout',
      '_ansible_check_mode',
      '_noop',
      'constructor',
      'toString',
    ]
    const request = fc.dictionary(fc.constantFrom(...keys, ...more), value, { maxKeys: 5 })
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.jsonValue()), async (each) => {
        const result = await runHere(each)
        expect(result.failed).toBe(true)
        expect(['invalid_request', 'config_error', 'connection_failed', 'invalid_json']).toContain(result.error?.code)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a secret in the wrong place', () => {
  const url = `mysql+pymysql://cinder:${SECRET}@192.0.2.1/cinder`
  const broken = (text: string) => ({ host: 'vol1@a', timeout: 1, connection: text })
  test.each<[string, unknown]>([
    ['a request as a JSON text', JSON.stringify(JSON.stringify({ host: 'vol1@a', connection: url }))],
    ['a request in the form of Python', JSON.stringify(`{'connection': '${url}'}`)],
    ['a URL as the file', { host: 'vol1@a', config_file: url }],
    ['a URL as another value', { host: 'vol1@a', replication: url }],
    ['a URL as a key', { [url]: 1 }],
    ['a URL as the host', { host: url, connection: 'sqlite:////nowhere' }],
    ['a URL in a list', { backends: [`connection=${url}`] }],
    ['an @ in the password', broken(`mysql://cinder:p@${SECRET}@127.0.0.1/cinder`)],
    ['an @ and a / in the password', broken(`mysql://cinder:p@x/${SECRET}@127.0.0.1/cinder`)],
    ['a / in the user', broken(`mysql://ci/nder:${SECRET}@127.0.0.1/cinder`)],
  ])('%s', async (_, request) => {
    const { stdout, stderr, result } = await agent(request)
    expect(result.failed).toBe(true)
    expect(stdout + stderr).not.toContain(SECRET)
  })

  test('a request on the command line', async () => {
    const { stdout, stderr, result } = await agent('', { args: [JSON.stringify({ host: 'vol1@a', connection: url })] })
    expect(result).toMatchObject({ error: { code: 'invalid_request' }, msg: expect.stringContaining('standard input') })
    expect(stdout + stderr).not.toContain(SECRET)
  })

  test.each(['pa$NAME', 'pa${NAME}', 'pa${NAME.x}'])(
    'a password in cinder.conf that looks like a reference: %s',
    async (password) => {
      const config_file = join(folder, 'dollar.conf')
      writeFileSync(
        config_file,
        `[database]\nconnection = mysql://cinder:${password.replace('NAME', 's3cr3t_pa55')}@h/d\n`,
      )
      const { result, stdout } = await agent({ host: 'vol1@a', config_file })
      expect(result).toMatchObject({ error: { code: 'config_error' }, msg: expect.stringContaining('line 2') })
      expect(stdout).not.toContain('s3cr3t_pa55')
    },
  )
})

describe('a database that is not as it should be', () => {
  const request = (connection: string) => ({ host: 'vol1@a', active_backend: 'reset', timeout: 2, connection })

  test('a missing SQLite file, a folder, a file that is no database, an empty file', async () => {
    const path = (name: string) => join(folder, name)
    mkdirSync(path('a-folder'), { recursive: true })
    writeFileSync(path('text.sqlite'), 'this is no database, but it is long enough to be looked at as one')
    writeFileSync(path('empty.sqlite'), '')
    await fails(
      request(`sqlite:///${path('nowhere.sqlite')}`),
      'connection_failed',
      /There is no SQLite file .+nowhere/,
    )
    await fails(request(`sqlite:///${path('a-folder')}`), 'connection_failed', /is not a regular file/)
    execFileSync('mkfifo', [path('fifo')])
    await fails(request(`sqlite:///${path('fifo')}`), 'connection_failed', /not a regular file/)
    await fails(request(`sqlite:///${path('text.sqlite')}`), 'schema_mismatch', /not an SQLite database/)
    await fails(request(`sqlite:///${path('empty.sqlite')}`), 'schema_mismatch', /no such table/)
  })

  test('an old schema in SQLite: clusters without replication columns, services without cluster_name', async () => {
    const database = await embedded.create()
    await database.execute(service(1, 'vol1@a'))
    await database.execute('ALTER TABLE clusters DROP COLUMN frozen')
    await fails(request(database.connection), 'schema_mismatch', /frozen.+Ocata/)
    await database.execute('ALTER TABLE services DROP COLUMN cluster_name')
    await fails(request(database.connection), 'schema_mismatch', /cluster_name.+Ocata/)
    await database.close()
  })

  test('no server', () =>
    fails(
      request(`mysql+pymysql://cinder:${SECRET}@127.0.0.1:1/cinder`),
      'connection_failed',
      /ECONNREFUSED.+Check the address/,
    ))

  test('no such socket, no such name', async () => {
    await fails(
      request(`mysql+pymysql://cinder:${SECRET}@/cinder?unix_socket=/nowhere.sock`),
      'connection_failed',
      /ENOENT/,
    )
    await fails(request(`mysql+pymysql://cinder:${SECRET}@nowhere.invalid/cinder`), 'connection_failed')
  })

  test('a server that accepts and then says nothing, and one that hangs up', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    const babbler = createServer((socket) =>
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ).listen(0, '127.0.0.1')
    await Promise.all([once(mute, 'listening'), once(babbler, 'listening')])
    const port = (server: typeof mute) => (server.address() as { port: number }).port
    await fails(
      request(`mysql+pymysql://cinder:${SECRET}@127.0.0.1:${port(mute)}/cinder`),
      'timeout',
      /no answer within 2 s/,
    )
    await fails(request(`mysql+pymysql://cinder:${SECRET}@127.0.0.1:${port(babbler)}/cinder`), 'connection_failed')
    mute.close()
    babbler.close()
  })

  describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
    let database: TestDatabase
    beforeAll(async () => {
      database = await mariaDb.create()
    })
    afterAll(() => database.close())

    const withPassword = (password: string) => database.connection.replace(/:[^:@]+@/, `:${password}@`)

    test('a wrong password', () =>
      fails(request(withPassword(SECRET)), 'access_denied', /Access denied.+Check the connection's user/))
    test('a user without rights, with too many connections, with an expired password', async () => {
      const admin = await createConnection({ socketPath: mariadb.socket, user: 'root', multipleStatements: true })
      const url = mariaUrl(/t\d+_\d+/.exec(database.connection)?.[0] ?? '').replace(/\/\/[^@]+@/, '//limited:pw@')
      await admin.query("CREATE USER limited@localhost IDENTIFIED BY 'pw'")
      await fails(request(url), 'access_denied', /Access denied/)
      await admin.query('GRANT SELECT ON *.* TO limited@localhost WITH MAX_USER_CONNECTIONS 1')
      const only = await createConnection({ port: mariadb.port, user: 'limited', password: 'pw', host: '127.0.0.1' })
      await fails(request(url), 'connection_failed', /max_user_connections/)
      await only.end()
      await admin.query('ALTER USER limited@localhost PASSWORD EXPIRE')
      await fails(request(url), 'access_denied', /SET PASSWORD/)
      await admin.query('DROP USER limited@localhost')
      await admin.end()
    })

    test('no such database', () => fails(request(mariaUrl('nowhere')), 'connection_failed', /Unknown database/))
    test('no services table', () => fails(request(mariaUrl('mysql')), 'schema_mismatch', /services.+doesn't exist/))
    test('an old schema', async () => {
      await database.execute('ALTER TABLE clusters DROP COLUMN frozen')
      await fails(request(database.connection), 'schema_mismatch', /Unknown column.+Ocata/)
    })
  })
})
