import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { agent } from '../../support/agent.js'
import { mariaDb, type TestDatabase, titled } from '../../support/databases.js'
import { MARIADB_PASSWORD } from '../../support/peers/setup.js'
import { service } from '../../support/rows.js'

const { folder, mariadb, missing } = inject('peers')

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
