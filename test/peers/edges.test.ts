import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { embedded, sqliteByCinder, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

const { folder, missing } = inject('peers')

const RESET = { active_backend: 'reset', replication: 'enabled', frozen: false }
/** The same where no section can be read. */
const STATED = { ...RESET, promoted: 'arrayB' }
const MOVED = { options: { san_ip: '192.0.2.2' }, replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }] }

/** A service that is nothing but a file: it runs while that is there, and never beats. Its programs may do more. */
function flag({ more = { start: ':', stop: ':' }, runs = true } = {}) {
  const on = join(mkdtempSync(join(folder, 'flag-')), 'on')
  if (runs) writeFileSync(on, '')
  const sh = (script: string) => ['/bin/sh', '-c', script]
  return {
    on,
    manager: {
      manager: 'command',
      start: sh(`touch ${on}; ${more.start}`),
      stop: sh(`rm -f ${on}; ${more.stop}`),
      status: ['test', '-e', on],
    },
  }
}

/** A test with a quick stand-in for cinder-volume that beats, on a database of Cinder's. */
function withBeat(work: (site: { database: TestDatabase; volume: ReturnType<typeof cinderVolume> }) => Promise<void>) {
  return async () => {
    const database = await sqliteByCinder.create()
    const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
    try {
      await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
      volume.start()
      await beating(database)
      await work({ database, volume })
    } finally {
      volume.stop()
      await database.close()
    }
  }
}

/** A test with a row and no service at all. */
function withRow(
  columns: Parameters<typeof service>[2],
  work: (database: TestDatabase, base: object) => Promise<void>,
) {
  return async () => {
    const database = await embedded.create()
    try {
      await database.execute(service(1, 'vol1@arrayA', columns))
      const conf = join(mkdtempSync(join(folder, 'empty-')), 'cinder.conf')
      writeFileSync(conf, '')
      await work(database, { host: 'vol1@arrayA', connection: database.connection, config_file: conf })
    } finally {
      await database.close()
    }
  }
}

const sql = (database: TestDatabase, statement: string) =>
  `/usr/bin/python3 -c "import sqlite3; db = sqlite3.connect('${database.connection.slice(10)}'); db.execute(\\"${statement}\\"); db.commit()"`

test(
  'what others changed while it ran is not for undo to take back',
  withRow({ frozen: 1, disabled: 1, disabled_reason: 'frozen' }, async (database, base) => {
    const start = sql(database, "UPDATE services SET replication_status = 'disabled'")
    const { manager } = flag({ more: { start, stop: ':' }, runs: false })
    const { undo, changed } = (await agent({ ...base, wait: false, frozen: false, service: manager })).result
    expect(changed).toBe(true)
    expect(undo).toMatchObject({
      restore: [
        {
          from: { frozen: false, replication_status: 'disabled' },
          to: { frozen: true, replication_status: 'disabled' },
        },
      ],
    })
  }),
)

describe.skipIf(missing.cinder !== null)(
  missing.cinder === null ? 'heartbeats' : `heartbeats (skipped: ${missing.cinder})`,
  () => {
    test.concurrent(
      'a unit that is not the one that beats: neither an edit nor a stop is taken for done',
      withBeat(async ({ volume }) => {
        const before = readFileSync(volume.conf, 'utf8')
        const base = { host: 'vol1@arrayA', config_file: volume.conf, wait_timeout: 3 }
        const wrong = flag().manager
        const edit = await agent({ ...base, service: wrong, config: { options: { san_ip: '192.0.2.9' } } })
        expect(edit.result).toMatchObject({
          failed: true,
          error: { code: 'timeout', pending: ['update_config', 'start_service'] },
          backends: [{ actions: ['stop_service'] }],
        })
        expect(readFileSync(volume.conf, 'utf8')).toBe(before)
        const stop = await agent({ ...base, service: { ...wrong, state: 'stopped' } })
        expect(stop.result).toMatchObject({ changed: false, failed: true, error: { code: 'timeout' } })
      }),
    )

    test.concurrent(
      'a start that was not seen is not green the next time',
      withBeat(async ({ volume }) => {
        volume.stop()
        const { manager } = flag({ runs: false })
        const request = { host: 'vol1@arrayA', config_file: volume.conf, service: manager, wait_timeout: 2 }
        for (const changed of [true, false])
          expect((await agent(request)).result).toMatchObject({ changed, failed: true, error: { code: 'timeout' } })
      }),
    )

    test.concurrent(
      'a backend that is failed over again while it starts is told as that',
      withBeat(async ({ database, volume }) => {
        await database.execute(FAIL_OVER)
        const again = sql(database, FAIL_OVER.replace('arrayB', 'arrayX'))
        const [start = '', ...rest] = volume.service.start
        const script = ['/bin/sh', '-c', `${again}; ${[start, ...rest].join(' ')}`]
        const { result } = await agent({
          host: 'vol1@arrayA',
          config_file: volume.conf,
          active_backend: 'reset',
          frozen: false,
          config: MOVED,
          service: { ...volume.service, start: script },
        })
        expect(result).toMatchObject({ failed: true, changed: true, error: { code: 'failed_over' } })
        // No guard was forced.
        expect(result.warnings).toEqual([expect.stringMatching(/no undo is given for it/)])
        for (const start of volume.starts().slice(1)) expect(start).toMatchObject({ san_ip: '192.0.2.2' })
        expect(result.msg).toMatch(/was failed over again after its reset .*"arrayX"/)
      }),
    )

    test.concurrent(
      'replication: disabled is foretold where the driver will have it enabled at its start',
      withBeat(async ({ volume, database }) => {
        await database.execute(FAIL_OVER)
        const request = {
          host: 'vol1@arrayA',
          config_file: volume.conf,
          ...RESET,
          replication: 'disabled',
          config: MOVED,
          service: volume.service,
        }
        const check = await agent(request, { args: ['--check'] })
        const { result } = await agent(request)
        expect(result).toMatchObject({ failed: false, changed: true })
        expect(result.backends[0]?.actions).toContain('disable_replication')
        expect(result.backends[0]?.actions).toEqual(check.result.backends[0]?.actions)
        expect(result.backends[0]?.after).toEqual(check.result.backends[0]?.after)
        expect((await agent(request)).result).toMatchObject({ changed: false })
        for (const start of volume.starts().slice(1)) expect(start).toMatchObject({ san_ip: '192.0.2.2' })
      }),
    )

    test.concurrent(
      'the service of another machine is neither started nor stopped',
      withBeat(async ({ database, volume }) => {
        await database.execute(service(2, 'vol2@arrayA'))
        const base = { host: 'vol2@arrayA', config_file: volume.conf }
        const refused = { changed: false, error: { code: 'config_error', host: 'vol2@arrayA' } }
        expect((await agent({ ...base, service: volume.service, replication: 'disabled' })).result).toMatchObject(
          refused,
        )
        expect(volume.runs()).toBe(true)
        const { manager } = flag({ runs: false })
        for (const args of [['--check'], []])
          expect((await agent({ ...base, service: manager }, { args })).result).toMatchObject(refused)
      }),
    )
  },
)

describe('programs that go wrong', () => {
  test.concurrent(
    'a stop that fails after it has stopped the service counts as done',
    withRow(FAILED_OVER, async (_, base) => {
      const { manager } = flag({ more: { start: ':', stop: 'exit 1' } })
      const { result } = await agent({ ...base, ...STATED, service: manager })
      expect(result).toMatchObject({
        changed: true,
        failed: true,
        error: { code: 'service_control_failed', host: 'vol1@arrayA', pending: expect.arrayContaining(['thaw']) },
        backends: [{ actions: ['stop_service'], service: { state: 'stopped' } }],
      })
    }),
  )

  test.concurrent(
    'what was done is told also where the row is gone meanwhile',
    withRow({ ...FAILED_OVER, frozen: 0 }, async (database, base) => {
      const { manager } = flag({ more: { start: ':', stop: sql(database, 'UPDATE services SET deleted = 1') } })
      const { result } = await agent({ ...base, ...STATED, service: manager })
      expect(result).toMatchObject({
        changed: true,
        failed: true,
        error: { code: 'service_not_found' },
        backends: [{ actions: ['freeze', 'stop_service'] }],
      })
    }),
  )

  test.concurrent(
    'a status that is ended by a signal tells nothing',
    withRow(FAILED_OVER, async (database, base) => {
      const broken = { ...flag().manager, status: ['/bin/sh', '-c', 'kill -9 $$'] }
      const { result } = await agent({ ...base, ...RESET, service: broken })
      expect(result).toMatchObject({ changed: false, error: { code: 'service_control_failed' } })
      expect(result.backends[0]).not.toHaveProperty('service')
      expect(await database.rows('services')).toMatchObject([FAILED_OVER])
    }),
  )

  test.concurrent.each([
    `{"san_password": "hunter2pw"}`,
    `sshpass -p hunter2pw ssh admin@array`,
    `Authorization: Bearer hunter2pw`,
    `password hunter2pw is wrong`,
    `the array has no user pure-hunter2pw`,
  ])('%s on standard error never shows', async (said) => {
    await withRow({}, async (_, base) => {
      const config = {
        file: join(mkdtempSync(join(folder, 'secret-')), 'cinder.conf'),
        options: { san_ip: '192.0.2.9' },
      }
      writeFileSync(config.file, '[arrayA]\npure_api_token = pure-hunter2pw\n')
      const { manager } = flag({ more: { start: ':', stop: `echo '${said}' >&2; exit 1` } })
      const { result, stdout, stderr } = await agent({
        ...base,
        config_file: config.file,
        config,
        service: manager,
        wait: false,
      })
      expect(result).toMatchObject({ error: { code: 'service_control_failed' } })
      expect(stdout + stderr).not.toContain('hunter2')
    })()
  })
})

describe('what is refused or told', () => {
  test('promote: true in a cluster, for another member may have reset the row by then', async () => {
    const database = await embedded.create()
    const conf = join(mkdtempSync(join(folder, 'cluster-')), 'cinder.conf')
    writeFileSync(conf, '[arrayA]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n')
    const cluster = { cluster_name: 'c1@arrayA' }
    await database.execute(
      [1, 2].map((id) => service(id, `vol${id}@arrayA`, { ...FAILED_OVER, ...cluster })).join('') +
        insert('clusters', {
          id: 1,
          name: 'c1@arrayA',
          binary: 'cinder-volume',
          deleted: 0,
          race_preventer: 0,
          ...FAILED_OVER,
        }),
    )
    const request = {
      cluster: 'c1@arrayA',
      connection: database.connection,
      ...RESET,
      config: { file: conf, promote: true },
    }
    const { result } = await agent(request)
    await database.close()
    expect(result).toMatchObject({ changed: false, error: { code: 'invalid_request' } })
    expect(result.msg).toContain("Write the new primary's settings out as config.options")
  })

  test(
    'a start after an edit without a reset, and one that nobody waits for',
    withRow(FAILED_OVER, async (_, base) => {
      const file = join(mkdtempSync(join(folder, 'edit-')), 'cinder.conf')
      writeFileSync(file, '[DEFAULT]\nhost = vol1\n[arrayA]\nsan_ip = 192.0.2.1\n')
      const config = { file, options: { san_ip: '192.0.2.2' } }
      const { manager } = flag()
      const edit = await agent({ ...base, config_file: file, config, service: manager }, { args: ['--check'] })
      expect(edit.result.warnings).toEqual([
        expect.stringMatching(/starts on an edited section while vol1@arrayA is still/),
      ])
      const blind = await agent({ ...base, ...STATED, service: manager, wait: false }, { args: ['--check'] })
      expect(blind.result.warnings).toEqual([
        expect.stringMatching(/^wait is false, so replication_status is not checked/),
      ])
    }),
  )

  test('each backend whose guard was passed over, in the run as in check mode', async () => {
    const database = await embedded.create()
    const young = { ...FAILED_OVER, updated_at: new Date().toISOString().replace('T', ' ').replace('Z', '') }
    await database.execute([1, 2].map((id) => service(id, `vol${id}@arrayA`, young)).join(''))
    const request = {
      connection: database.connection,
      active_backend: 'reset',
      promoted: 'arrayB',
      force: true,
      backends: [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }],
    }
    const told = ['vol1@arrayA', 'vol2@arrayA'].map((name) =>
      expect.stringMatching(`Forced past service_up: cinder-volume on ${name} is up`),
    )
    expect((await agent(request, { args: ['--check'] })).result.warnings).toEqual(told)
    expect((await agent(request)).result.warnings).toEqual(told)
    await database.close()
  })

  test(
    'with force a reset goes on when the waiting is over',
    withRow({ ...FAILED_OVER, updated_at: '2099-01-01 00:00:00' }, async (_, base) => {
      const { manager, on } = flag()
      const request = { ...base, ...STATED, service: { ...manager, state: 'stopped' }, wait_timeout: 1 }
      const refused = await agent({ ...base, active_backend: 'reset', wait: true, wait_timeout: 1 })
      expect(refused.result).toMatchObject({ changed: false, error: { code: 'timeout' } })
      const { result } = await agent({ ...request, force: true })
      expect(result).toMatchObject({ changed: true, failed: false })
      expect(result.warnings).toEqual([expect.stringMatching(/^Forced past service_up/)])
      expect(existsSync(on)).toBe(false)
    }),
  )
})
