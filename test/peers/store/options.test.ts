import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { mysqlOptions } from '../../../src/store/options.js'
import { parseUrl } from '../../../src/store/url.js'
import { agent } from '../../support/agent.js'
import { mariaDb, type TestDatabase, titled } from '../../support/databases.js'
import { MARIADB_PASSWORD } from '../../support/peers/setup.js'
import { service } from '../../support/rows.js'

const { folder, mariadb, missing } = inject('peers')

function optionsOf(url: string) {
  const warnings: string[] = []
  return { ...mysqlOptions(parseUrl(url), (warning) => warnings.push(warning)), warnings }
}

describe('the options of a MySQL URL', () => {
  test('default to PyMySQL’s server and port', () => {
    expect(optionsOf('mysql://u@/d')).toEqual({
      user: 'u',
      password: '',
      database: 'd',
      host: 'localhost',
      port: 3306,
      warnings: [],
    })
  })

  test('ignore parameters that mean nothing here, and warn of those that nobody knows', () => {
    const { warnings, ...options } = optionsOf('mysql://u:p@h/d?charset=utf8&connect_timeout=5&ssl_ca&colour=blue')
    expect(options).not.toHaveProperty('ssl')
    expect(warnings).toEqual(["The connection's parameter colour is ignored."])
  })

  test('are filled in from read_default_file, which never goes before the URL', () => {
    const file = join(folder, 'my.cnf')
    writeFileSync(
      file,
      '[client]\nuser = wrong\n# [tripleo]\n[tripleo]\nssl = 1\nuser=filed\npassword = "fi#ed"\nhost: db.filed\nport = 3307\nsocket=/filed.sock\nbind-address = 10.0.0.9\n[other]\nuser = wrong\n',
    )
    const group = `read_default_file=${file}&read_default_group=tripleo`
    expect(optionsOf(`mysql:///d?${group}`)).toMatchObject({
      user: 'filed',
      password: 'fi#ed',
      host: 'db.filed',
      port: 3307,
      socketPath: '/filed.sock',
    })
    const given = optionsOf(`mysql://u:p@h:1/d?${group}`)
    expect(given).toEqual({ user: 'u', password: 'p', host: 'h', port: 1, database: 'd', warnings: [] })
  })

  test('do without a read_default_file that is not there, as PyMySQL does, but say so', () => {
    expect(optionsOf('mysql://u:p@h/d?read_default_file=/nowhere.cnf').warnings).toEqual([
      expect.stringMatching(/\/nowhere\.cnf cannot be read \(ENOENT\)/),
    ])
  })

  test.each([
    ['', undefined],
    ['ssl_verify_cert=false', undefined],
    ['ssl_ca=CA', { rejectUnauthorized: true, verifyIdentity: true }],
    ['ssl_ca=CA&ssl_check_hostname=false', { rejectUnauthorized: true, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_verify_cert=true', { rejectUnauthorized: true, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_verify_cert=true&ssl_verify_identity=true', { rejectUnauthorized: true, verifyIdentity: true }],
    ['ssl_ca=CA&ssl_verify_cert=false', { rejectUnauthorized: false, verifyIdentity: false }],
    ['ssl_cert=CA&ssl_key=CA', { rejectUnauthorized: false, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_disabled=true', undefined],
  ])('ask for TLS, and check the server, as %j says', (parameters, expected) => {
    const { ssl } = optionsOf(`mysql://u:p@h/d?${parameters.replaceAll('CA', '/dev/null')}`)
    expect(ssl && { rejectUnauthorized: ssl.rejectUnauthorized, verifyIdentity: ssl.verifyIdentity }).toEqual(expected)
  })
})

describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await mariaDb.create()
    await database.execute(service(1, 'vol1@arrayA'))
    await database.execute("CREATE USER IF NOT EXISTS tls@localhost IDENTIFIED BY 'pw' REQUIRE X509")
    await database.execute("CREATE USER IF NOT EXISTS tls@'127.0.0.2' IDENTIFIED BY 'pw' REQUIRE X509")
    await database.execute("GRANT ALL ON *.* TO tls@localhost, tls@'127.0.0.2'")
  })
  afterAll(() => database.close())

  const name = () => /\/(t\d+_\d+)/.exec(database.connection)?.[1] ?? ''
  const report = async (connection: string) => (await agent({ host: 'vol1@arrayA', timeout: 5, connection })).result

  test('by unix_socket, with and without a host', async () => {
    const login = `cinder:${encodeURIComponent(MARIADB_PASSWORD)}`
    expect(await report(`mysql+pymysql://${login}@/${name()}?unix_socket=${mariadb.socket}`)).toMatchObject({
      failed: false,
    })
    expect(await report(`mysql+pymysql://${login}@localhost/${name()}?unix_socket=${mariadb.socket}`)).toMatchObject({
      failed: false,
    })
  })

  test.each(['p@ss', 'a/b:c#d?e', '100%25', '+ +', 'qu\'ote"back\\slash', 'ümläut', ' blank '])(
    'with the password %j',
    async (password) => {
      const admin = await createConnection({ socketPath: mariadb.socket, user: 'root' })
      await admin.query('CREATE OR REPLACE USER odd@localhost IDENTIFIED BY ?', [password])
      await admin.query(`GRANT ALL ON ${name()}.* TO odd@localhost`)
      await admin.end()
      expect(
        await report(`mysql+pymysql://odd:${encodeURIComponent(password)}@127.0.0.1:${mariadb.port}/${name()}`),
      ).toMatchObject({ failed: false })
    },
  )

  test('with IPv6 in brackets', async () => {
    expect(await report(`mysql+pymysql://cinder:x@[::1]:1/${name()}`)).toMatchObject({
      error: { code: 'connection_failed' },
      msg: expect.stringContaining('::1:1'),
    })
  })

  const tlsTitle = missing.openssl === null ? 'TLS' : `TLS (skipped: ${missing.openssl})`
  describe.skipIf(missing.openssl !== null)(tlsTitle, () => {
    const file = (path: string) => join(folder, 'tls', path)
    const url = (host: string, parameters: string) =>
      `mysql+pymysql://tls:pw@${host}:${mariadb.port}/${name()}?${parameters}`
    const client = () => `ssl_cert=${file('client.pem')}&ssl_key=${file('client.key')}`

    test('with a client certificate, the CA checked and the name checked', async () => {
      expect(await report(url('localhost', `ssl_ca=${file('ca.pem')}&${client()}`))).toMatchObject({ failed: false })
      const [rows] = await (await adminConnection()).query<RowDataPacket[]>(
        "SELECT ssl_type FROM mysql.user WHERE user = 'tls'",
      )
      expect(rows[0]?.['ssl_type']).toBe('X509')
    })

    test('is refused without the client certificate, by another CA, and under another name', async () => {
      expect((await report(url('localhost', `ssl_ca=${file('ca.pem')}`))).error?.code).toBe('access_denied')
      expect((await report(url('localhost', `ssl_ca=${file('other-ca.pem')}&${client()}`))).error?.code).toBe(
        'connection_failed',
      )
      expect((await report(url('127.0.0.1', `ssl_ca=${file('ca.pem')}&${client()}`))).error?.code).toBe(
        'connection_failed',
      )
      expect(await report(url('127.0.0.1', `ssl_ca=${file('ca.pem')}&ssl_verify_cert=true&${client()}`))).toMatchObject(
        { failed: false },
      )
    })

    test('has an address checked as such', async () => {
      expect(await report(url('127.0.0.2', `ssl_ca=${file('ca.pem')}&${client()}`))).toMatchObject({ failed: false })
    })

    test('names a certificate that cannot be read', async () => {
      expect(await report(url('localhost', 'ssl_ca=/nowhere.pem'))).toMatchObject({
        error: { code: 'config_error' },
        msg: expect.stringContaining('/nowhere.pem'),
      })
    })
  })

  async function adminConnection() {
    const connection = await createConnection({ socketPath: mariadb.socket, user: 'root' })
    return {
      query: async <T extends RowDataPacket[]>(sql: string) => connection.query<T>(sql).finally(() => connection.end()),
    }
  }
})
