import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { agent, checked, EXECUTABLE } from '../../support/agent.js'
import { mariaDb, startOwnMariaDb, type TestDatabase, titled } from '../../support/databases.js'
import { losingCommits } from '../../support/peers/proxy.js'
import { FAILED_OVER, insert, service } from '../../support/rows.js'

const RESET = { host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled' }

describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
  // These tests change GLOBAL variables, which no other test may see.
  let mariadb: Awaited<ReturnType<typeof startOwnMariaDb>>
  let admin: Connection
  let database: TestDatabase
  beforeAll(async () => {
    mariadb = await startOwnMariaDb()
    admin = await createConnection({ socketPath: mariadb.socket, user: 'root', multipleStatements: true })
    await admin.query("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON")
  })
  afterAll(async () => {
    await admin.end()
    await mariadb.stop()
  })
  beforeEach(async () => {
    database = await mariadb.create()
    await admin.query(`USE ${name()}`)
  })
  afterEach(() => database.close())

  const name = () => /\/(t\d+_\d+)/.exec(database.connection)?.[1] ?? ''

  /** What the server was told over the agent's connections to this test's database, after the handshake. */
  async function statements(): Promise<readonly string[]> {
    const [rows] = await admin.query<RowDataPacket[]>(
      `SELECT command_type, CONVERT(argument USING utf8mb4) AS argument FROM mysql.general_log
       WHERE thread_id IN (SELECT thread_id FROM mysql.general_log WHERE command_type = 'Connect' AND argument LIKE ?)
       ORDER BY event_time`,
      [`cinder@%on ${name()} %`],
    )
    return rows
      .filter((row) => row['command_type'] !== 'Connect')
      .map((row) => `${row['command_type']} ${row['argument']}`)
  }

  test('a no-op on an unclustered host is one query after the handshake, and writes nothing', async () => {
    await database.execute(service(1, 'vol1@arrayA'))
    const { result } = await agent({ ...RESET, connection: database.connection })
    expect(result).toMatchObject({ changed: false, failed: false })
    expect(await statements()).toEqual([expect.stringMatching(/^Query SELECT 'services'/), 'Quit '])
  })

  test('check mode reads in a read-only transaction', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await agent({ ...RESET, connection: database.connection }, { args: ['--check'] })
    expect(await statements()).toEqual([
      'Query SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'Query START TRANSACTION READ ONLY',
      expect.stringMatching(/^Query SELECT 'services'/),
      'Quit ',
    ])
  })

  test('a change locks and writes by primary key, and updates only the columns that differ', async () => {
    await database.execute(service(7, 'vol1@arrayA', { ...FAILED_OVER, disabled: 0, disabled_reason: null }))
    await agent({ ...RESET, connection: database.connection })
    const told = await statements()
    expect(told.filter((line) => line.includes('FOR UPDATE'))).toEqual([
      'Query SELECT id FROM services WHERE id = 7 FOR UPDATE',
    ])
    const updates = told.filter((line) => line.startsWith('Query UPDATE'))
    expect(updates).toEqual([
      expect.stringMatching(
        /^Query UPDATE services SET replication_status = _utf8mb4 X'\w+', active_backend_id = NULL WHERE id = 7 AND /,
      ),
    ])
  })

  test('while a reset waits before its commit, heartbeats of 5,000 other services go through', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA', FAILED_OVER))
    await admin.query(
      `INSERT INTO services (id, host, \`binary\`, deleted, report_count, uuid)
       SELECT seq, CONCAT('other', seq, '@a'), 'cinder-volume', 0, 0, CONCAT('00000000-0000-0000-0001-', LPAD(seq, 12, '0')) FROM seq_3_to_5002`,
    )
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 2 FOR UPDATE')
    const backends = [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }]
    const running = agent({ backends, active_backend: 'reset', connection: database.connection })
    await expect.poll(() => lockedRow(1), { timeout: 10_000 }).toBe(true)

    await database.execute('SET innodb_lock_wait_timeout = 1')
    await database.execute(
      'UPDATE services SET updated_at = UTC_TIMESTAMP(), report_count = report_count + 1 WHERE id > 2',
    )
    await database.execute(service(6000, 'new@a'))
    expect(await lockedRow(1)).toBe(true)

    await admin.query('ROLLBACK')
    expect((await running).result).toMatchObject({ changed: true, failed: false })
  })

  /** Whether somebody else holds a lock on the row. */
  async function lockedRow(id: number): Promise<boolean> {
    const probe = await createConnection({ socketPath: mariadb.socket, user: 'root', database: name() })
    try {
      await probe.query('SELECT id FROM services WHERE id = ? FOR UPDATE NOWAIT', [id])
      return false
    } catch {
      return true
    } finally {
      await probe.end()
    }
  }

  test('a row that stays locked is reported as busy within the timeout, and nothing is written', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    const before = await database.rows('services')
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 1 FOR UPDATE')
    const { result } = await agent({ ...RESET, timeout: 2, connection: database.connection })
    await admin.query('ROLLBACK')
    expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'busy' } })
    expect(await database.rows('services')).toEqual(before)
  })

  test('a deadlock in which the agent is the victim is tried again', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA', FAILED_OVER))
    // The other transaction is made the heavier one, so that InnoDB sacrifices the agent's.
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 2 FOR UPDATE')
    await admin.query(`INSERT INTO services (id, host, report_count) SELECT seq, 'x', 0 FROM seq_100_to_300`)
    const backends = [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }]
    const running = agent({ backends, active_backend: 'reset', connection: database.connection })
    await expect.poll(() => lockedRow(1), { timeout: 10_000 }).toBe(true)
    await admin.query('SELECT id FROM services WHERE id = 1 FOR UPDATE')
    await pause(100)
    await admin.query('ROLLBACK')
    expect((await running).result).toMatchObject({ changed: true, failed: false })
  })

  /** The connection over which the agent waits for a row, if it does. */
  async function waiting(): Promise<number | undefined> {
    const [rows] = await admin.query<RowDataPacket[]>(
      `SELECT id FROM information_schema.processlist WHERE db = ? AND info LIKE 'SELECT id FROM services%'`,
      [name()],
    )
    return rows[0]?.['id'] as number | undefined
  }

  test('a connection that is killed in the middle of the transaction is made anew', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 1 FOR UPDATE')
    const running = agent({ ...RESET, connection: database.connection })
    await expect.poll(waiting, { timeout: 10_000 }).toBeDefined()
    await admin.query(`KILL ${await waiting()}`)
    await admin.query('ROLLBACK')
    expect((await running).result).toMatchObject({ changed: true, failed: false })
  })

  test('what somebody else settles while the agent waits for the lock is left alone', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 1 FOR UPDATE')
    const running = agent({ ...RESET, connection: database.connection })
    await expect.poll(waiting, { timeout: 10_000 }).toBeDefined()
    await admin.query(
      "UPDATE services SET disabled = 0, disabled_reason = NULL, replication_status = 'enabled', active_backend_id = NULL WHERE id = 1",
    )
    await admin.query('COMMIT')
    expect((await running).result).toMatchObject({ changed: false, failed: false })
  })

  test('names and values are exact under every sql_mode', async () => {
    const odd = `vol\\' OR 1=1 -- @a`
    await admin.query("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
    await database.execute(service(1, 'vol1@arrayA'))
    await admin.query(insert('services', { id: 2, host: odd, binary: 'cinder-volume', deleted: 0, report_count: 0 }))
    await admin.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,TRADITIONAL'")
    try {
      const { result } = await agent({ host: odd, frozen: true, connection: database.connection })
      expect(result.changed).toBe(true)
      expect((await database.rows('services')).map(({ frozen }) => frozen)).toEqual([0, 1])
      expect((await agent({ host: "x' OR '1'='1", connection: database.connection })).result.error?.code).toBe(
        'service_not_found',
      )
    } finally {
      await admin.query('SET GLOBAL sql_mode = DEFAULT; SET SESSION sql_mode = DEFAULT')
    }
  })

  test('a statement that is killed while it waits takes its transaction with it', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA', FAILED_OVER))
    await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 2 FOR UPDATE')
    const running = agent({
      backends: [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }],
      active_backend: 'reset',
      timeout: 5,
      connection: database.connection,
    })
    await expect.poll(waiting, { timeout: 10_000 }).toBeDefined()
    await admin.query(`KILL QUERY ${await waiting()}`)
    await admin.query('ROLLBACK')
    expect((await running).result).toMatchObject({ changed: true, failed: false })
  })

  test('with autocommit off as the default, all goes as usual', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await admin.query('SET GLOBAL autocommit = 0')
    try {
      const { result } = await agent({ ...RESET, connection: database.connection })
      expect(result).toMatchObject({ changed: true, failed: false })
    } finally {
      await admin.query('SET GLOBAL autocommit = 1')
    }
    expect((await database.rows('services'))[0]).toMatchObject({ active_backend_id: null })
  })

  test('names and reasons that are not ASCII, also in tables of the character set latin1', async () => {
    await database.execute('ALTER TABLE services CONVERT TO CHARACTER SET latin1')
    await database.execute(service(1, 'völ@a', { disabled: 1, disabled_reason: 'défaut' }) + service(2, 'vol@a'))
    const { result } = await agent({ host: 'völ@a', frozen: true, connection: database.connection })
    expect(result).toMatchObject({ changed: true, backends: [{ after: { disabled_reason: 'défaut' } }] })
    expect((await database.rows('services')).map(({ frozen }) => frozen)).toEqual([1, 0])
    const { result: other } = await agent({ host: 'v€l@😀', connection: database.connection })
    expect(other.error?.code).toBe('service_not_found')
  })

  test('a heartbeat that is not committed yet holds up neither a report nor check mode, under SERIALIZABLE neither', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA'))
    await admin.query(
      "SET GLOBAL tx_isolation = 'SERIALIZABLE'; START TRANSACTION; UPDATE services SET updated_at = UTC_TIMESTAMP() WHERE id = 2",
    )
    try {
      const { result } = await agent({ ...RESET, timeout: 3, connection: database.connection }, { args: ['--check'] })
      expect(result).toMatchObject({ changed: true, failed: false })
    } finally {
      await admin.query('ROLLBACK; SET GLOBAL tx_isolation = DEFAULT')
    }
  })

  describe('when the answer to the commit is lost', () => {
    const unconfirmed = [{ host: 'vol1@arrayA' }]
    const runThrough = async (
      ...how: Parameters<typeof losingCommits> extends [number, ...infer Rest] ? Rest : never
    ) => {
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
      const proxy = await losingCommits(mariadb.port, ...how)
      const connection = database.connection.replace(`:${mariadb.port}/`, `:${proxy.port}/`)
      const { result } = await agent({ ...RESET, timeout: 2, connection }, { args: ['--diff'] })
      proxy.close()
      expect((await database.rows('services'))[0]).toMatchObject({ active_backend_id: null })
      return result
    }

    test.each([
      ['and the server is there again, the change may be this run’s', 'cut' as const],
      ['and none comes by the deadline, the rows are looked up once more', 'swallow' as const],
    ])('%s: told with what it was before, and without undo', async (_, how) => {
      const result = await runThrough(how)
      expect(result).toMatchObject({
        changed: true,
        failed: false,
        msg: expect.stringContaining('(was arrayB)'),
        backends: [{ before: { active_backend_id: 'arrayB' }, after: { active_backend_id: null } }],
        diff: [{ before: expect.stringContaining('active_backend_id: arrayB') }],
        unconfirmed,
      })
      expect(result).not.toHaveProperty('undo')
      expect(result.warnings).toHaveLength(1)
    })

    test('and the server stays away, the result says that it is in doubt', async () => {
      const result = await runThrough('cut-for-good')
      expect(result).toMatchObject({ changed: true, failed: true, error: { code: 'connection_failed' }, unconfirmed })
      expect(result).not.toHaveProperty('undo')
    })

    const reset = () => agent({ ...RESET, connection: database.connection }).then(() => {})
    test('a change by another run is not told as this run’s', async () => {
      const result = await runThrough('drop', () => pause(1100).then(reset))
      expect(result).toMatchObject({ changed: false, failed: false, backends: [{ actions: [] }] })
      expect(result).not.toHaveProperty('undo')
      expect(result).not.toHaveProperty('unconfirmed')
    })

    test('a change by another run in the same second has no undo', async () => {
      const result = await runThrough('drop', reset)
      expect(result).toMatchObject({ failed: false })
      expect(result).not.toHaveProperty('undo')
      if (result.changed) expect(result).toMatchObject({ unconfirmed })
    })

    test('a failover that came meanwhile is told as that, with the rows as they are now', async () => {
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
      const proxy = await losingCommits(mariadb.port, 'drop', () =>
        database.execute("UPDATE services SET active_backend_id = 'arrayZ'"),
      )
      const connection = database.connection.replace(`:${mariadb.port}/`, `:${proxy.port}/`)
      const { result } = await agent({ ...RESET, timeout: 2, connection })
      proxy.close()
      expect(result).toMatchObject({
        failed: true,
        error: { code: 'conflict' },
        backends: [{ actions: [], after: { active_backend_id: 'arrayZ' } }],
        unconfirmed,
      })
      expect(result.msg).toMatch(/^vol1@arrayA is failed over to arrayZ/)
      expect(result).not.toHaveProperty('undo')
    })

    test('for longer than the timeout, it is waited for a little', async () => {
      const result = await runThrough('late')
      expect(result).toMatchObject({ changed: true, failed: false, undo: { restore: [{}] } })
      expect(result).not.toHaveProperty('unconfirmed')
    })

    test('a signal does not cut it off', async () => {
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
      const child = spawn(process.execPath, [EXECUTABLE], { stdio: ['pipe', 'pipe', 'inherit'] })
      const proxy = await losingCommits(mariadb.port, 'late', async () => {
        child.kill('SIGTERM')
      })
      const connection = database.connection.replace(`:${mariadb.port}/`, `:${proxy.port}/`)
      child.stdin.end(JSON.stringify({ ...RESET, connection }))
      const { result } = checked(await text(child.stdout))
      proxy.close()
      expect(result).toMatchObject({ changed: true, undo: { restore: [{}] } })
      expect(result).not.toHaveProperty('unconfirmed')
    })

    test('a commit that never reached the server is made again', async () => {
      const result = await runThrough('drop')
      expect(result).toMatchObject({ changed: true, failed: false, undo: { restore: [{}] } })
      expect(result).not.toHaveProperty('unconfirmed')
    })
  })

  test('under SERIALIZABLE as the default, a heartbeat that is not committed yet holds up no change of another row', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA'))
    await admin.query("SET GLOBAL tx_isolation = 'SERIALIZABLE'")
    try {
      await admin.query('START TRANSACTION; UPDATE services SET report_count = report_count + 1 WHERE id = 2')
      const { result } = await agent({ ...RESET, timeout: 4, connection: database.connection })
      expect(result).toMatchObject({ changed: true, failed: false })
    } finally {
      await admin.query('ROLLBACK; SET GLOBAL tx_isolation = DEFAULT')
    }
  })

  test('under SERIALIZABLE as the default, other rows stay unlocked all the same', async () => {
    await database.execute(
      service(1, 'vol1@arrayA', FAILED_OVER) + service(2, 'vol2@arrayA', FAILED_OVER) + service(3, 'vol3@arrayA'),
    )
    await admin.query("SET GLOBAL tx_isolation = 'SERIALIZABLE'")
    try {
      await admin.query('START TRANSACTION; SELECT id FROM services WHERE id = 2 FOR UPDATE')
      const backends = [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }]
      const running = agent({ backends, active_backend: 'reset', connection: database.connection })
      await expect.poll(() => lockedRow(1), { timeout: 10_000 }).toBe(true)
      expect(await lockedRow(3)).toBe(false)
      await admin.query('ROLLBACK')
      expect((await running).result.changed).toBe(true)
    } finally {
      await admin.query('SET GLOBAL tx_isolation = DEFAULT')
    }
  })
})
