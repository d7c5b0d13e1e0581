import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { startDeadline } from '../../../src/store/deadline.js'
import { openSqlite } from '../../../src/store/sqlite.js'
import { parseUrl } from '../../../src/store/url.js'
import { agent } from '../../support/agent.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { FAILED_OVER, insert, service } from '../../support/rows.js'

const { missing } = inject('peers')
const RESET = { host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled' }

describe('an SQLite file', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await embedded.create()
  })
  afterEach(() => database.close())

  const path = () => database.connection.slice('sqlite:///'.length)
  const fingerprint = () => ({
    sha256: createHash('sha256').update(readFileSync(path())).digest('hex'),
    modified: statSync(path(), { bigint: true }).mtimeNs,
  })

  test.each(['delete', 'wal'])(
    'is byte for byte as it was after a no-op, a refusal and a check run (journal_mode %s)',
    async (mode) => {
      await database.execute(`PRAGMA journal_mode = ${mode}`)
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA'))
      const before = fingerprint()
      const { connection } = database
      expect((await agent({ ...RESET, connection }, { args: ['--check'] })).result.changed).toBe(true)
      expect((await agent({ ...RESET, host: 'vol2@arrayA', connection })).result.changed).toBe(false)
      expect((await agent({ host: 'vol1@arrayA', frozen: false, connection })).result.error?.code).toBe('failed_over')
      expect(fingerprint()).toEqual(before)
      expect((await agent({ ...RESET, connection })).result.changed).toBe(true)
    },
  )

  test('that a writer keeps locked is reported as busy within the timeout', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await database.execute('BEGIN IMMEDIATE')
    const { result } = await agent({ ...RESET, timeout: 1, connection: database.connection })
    await database.execute('ROLLBACK')
    expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'busy' } })
  })

  test('whose writer died half-way is cleaned up by a run that changes something, and by nothing else', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    // A journal that was not deleted: what a killed writer leaves behind.
    await database.execute("PRAGMA cache_size = 1; BEGIN; UPDATE services SET disabled_reason = 'half done'")
    await database.execute(
      Array.from({ length: 300 }, (_, i) => service(i + 10, `filler${i}@${'x'.repeat(200)}`)).join(''),
    )
    const copy = join(dirname(path()), 'died.sqlite')
    writeFileSync(copy, readFileSync(path()))
    writeFileSync(`${copy}-journal`, readFileSync(`${path()}-journal`))
    await database.execute('ROLLBACK')
    const connection = `sqlite:///${copy}`
    const check = await agent({ ...RESET, connection }, { args: ['--check'] })
    expect(check.result).toMatchObject({ failed: true, error: { hint: expect.stringContaining('without check mode') } })
    const { result } = await agent({ ...RESET, connection })
    expect(result).toMatchObject({ changed: true, backends: [{ before: { disabled_reason: 'failed-over' } }] })
    const db = new Sqlite(copy, { readonly: true })
    expect(db.prepare('SELECT count(*) AS n FROM services').get()).toEqual({ n: 1 })
    db.close()
  })

  test('whose commit fails has the change in doubt, and no undo', async () => {
    await database.execute(service(1, 'vol1@arrayA'))
    await database.execute(`CREATE TABLE parents (id INTEGER PRIMARY KEY);
      CREATE TABLE late (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER fail AFTER UPDATE ON services BEGIN INSERT INTO late VALUES (1); END;`)
    const { result } = await agent({ host: 'vol1@arrayA', frozen: true, connection: database.connection })
    expect(result).toMatchObject({ changed: true, failed: true, unconfirmed: [{ host: 'vol1@arrayA' }] })
    expect(result).not.toHaveProperty('undo')
    expect(await database.rows('services')).toMatchObject([{ frozen: 0 }])
  })

  test('is not written after a signal', async () => {
    const store = openSqlite(parseUrl(database.connection), {
      readOnly: false,
      signal: AbortSignal.abort(),
      warn: () => {},
    })
    const work = async () => 'done'
    await expect(store.change(work, startDeadline(1))).rejects.toMatchObject({ code: 'interrupted' })
    await store.close()
  })

  test('holds a cluster of a thousand members, all of them named, without delay', async () => {
    await database.execute(
      insert('clusters', { id: 1, name: 'c@a', binary: 'cinder-volume', deleted: 0, race_preventer: 0, frozen: 0 }),
    )
    await database.execute(
      Array.from({ length: 1000 }, (_, i) => service(i + 1, `vol${i}@a`, { cluster_name: 'c@a' })).join(''),
    )
    const backends = Array.from({ length: 1000 }, (_, i) => ({ host: `vol${i}@a` }))
    const { result } = await agent({ backends, frozen: true, connection: database.connection })
    expect(result).toMatchObject({ changed: true, backends: [{ cluster: 'c@a' }] })
    expect(result.backends[0]?.members).toHaveLength(1000)
  }, 20_000)

  test('names a member that has two rows as what it is', async () => {
    await database.execute(
      insert('clusters', { id: 1, name: 'c@a', binary: 'cinder-volume', deleted: 0, race_preventer: 0, frozen: 0 }),
    )
    await database.execute([1, 2].map((id) => service(id, 'vol1@a', { cluster_name: 'c@a' })).join(''))
    const { result } = await agent({ cluster: 'c@a', connection: database.connection })
    expect(result).toMatchObject({
      error: { code: 'ambiguous_service', host: 'vol1@a' },
      msg: expect.stringContaining('2 volume services (ids 1, 2)'),
    })
  })

  test('has the parameters of its URL that go unheeded named', async () => {
    await database.execute(service(1, 'vol1@arrayA'))
    const { result } = await agent({ host: 'vol1@arrayA', connection: `${database.connection}?colour=blue` })
    expect(result.warnings).toEqual(["The connection's parameter colour is ignored."])
  })

  test('that is not there is not made', async () => {
    const missing = join(dirname(path()), 'missing.sqlite')
    const { result } = await agent({ ...RESET, connection: `sqlite:///${missing}` })
    expect(result.error?.code).toBe('connection_failed')
    expect(existsSync(missing)).toBe(false)
  })

  test('is found by a relative URL from the working folder', async () => {
    await database.execute(service(1, 'vol1@arrayA'))
    const connection = `sqlite:///${path().slice(dirname(path()).length + 1)}`
    expect((await agent({ host: 'vol1@arrayA', connection }, { cwd: dirname(path()) })).result.failed).toBe(false)
  })

  const denied = titled({
    name: 'that may not be written, or not even read, is access_denied',
    missing: missing.setpriv,
  })
  test.skipIf(missing.setpriv !== null)(denied, async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    chmodSync(path(), 0o444)
    const request = { ...RESET, connection: database.connection }
    expect((await agent(request, { unprivileged: true, args: ['--check'] })).result.changed).toBe(true)
    expect((await agent(request, { unprivileged: true })).result.error?.code).toBe('access_denied')
    chmodSync(path(), 0)
    expect((await agent(request, { unprivileged: true })).result.error?.code).toBe('access_denied')
  })
})
