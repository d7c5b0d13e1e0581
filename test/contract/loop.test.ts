import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, HEALTHY, insert, service } from '../support/rows.js'

const { folder } = inject('peers')

const PROMOTION = {
  host: 'vol1@arrayA',
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  service_down_time: 1,
  promoted: 'arrayB',
}

/** A service that is only a file, never sends a heartbeat, and whose stop or start runs SQL on the database. */
function makeService(database: TestDatabase, sql: { readonly stop?: string; readonly start?: string }) {
  const on = join(mkdtempSync(join(folder, 'service-')), 'on')
  writeFileSync(on, '')
  const path = database.connection.slice('sqlite:///'.length)
  const run = (statement: string | undefined) => {
    if (statement === undefined) return ':'
    const script = `require('better-sqlite3')('${path}').exec(process.argv[1])`
    return `NODE_PATH=${join(process.cwd(), 'node_modules')} ${process.execPath} -e "${script}" "${statement}"`
  }
  const sh = (script: string) => ['/bin/sh', '-c', script]
  return {
    manager: 'command',
    start: sh(`touch ${on}; ${run(sql.start)}`),
    stop: sh(`rm -f ${on}; ${run(sql.stop)}`),
    status: ['test', '-e', on],
  }
}

async function withBackend(work: (database: TestDatabase, file: string) => Promise<void>): Promise<void> {
  const database = await embedded.create()
  try {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    await work(database, confFile(PURE))
  } finally {
    await database.close()
  }
}

const B = { san_ip: '10.0.0.2', pure_api_token: 's3cr3t-B' }

const C = { backend_id: 'arrayC', san_ip: '10.0.0.3' }

const FAIL_OVER_TO_Z = "UPDATE services SET active_backend_id = 'arrayZ'"

describe('a failover to another array while the service is being stopped', () => {
  test.each([
    ['a promotion by name', { promote: 'arrayB', replication_device: [C] }, 'not_failed_over'],
    ['a promotion whose settings are given', { options: B, replication_device: [C] }, 'conflict'],
  ])('ends %s before the edit', async (_, config, code) => {
    await withBackend(async (database, file) => {
      const { result } = await agent({
        ...PROMOTION,
        connection: database.connection,
        config_file: file,
        config: { file, ...config },
        service: makeService(database, { stop: FAIL_OVER_TO_Z }),
      })
      expect(result).toMatchObject({
        changed: true,
        failed: true,
        error: { code },
        backends: [{ actions: ['stop_service'], after: { active_backend_id: 'arrayZ' } }],
      })
      expect(result.msg).toContain('arrayZ')
      expect(result).not.toHaveProperty('undo')
      expect(readFileSync(file, 'utf8')).toBe(PURE)
      expect(await database.rows('services')).toMatchObject([{ active_backend_id: 'arrayZ' }])
    })
  })

  test('ends a run without an edit before the reset', async () => {
    await withBackend(async (database) => {
      const { result } = await agent({
        ...PROMOTION,
        connection: database.connection,
        config_file: confFile('[arrayA]\nreplication_device = backend_id:arrayC,san_ip:10.0.0.3\n'),
        service: makeService(database, { stop: FAIL_OVER_TO_Z }),
      })
      expect(result).toMatchObject({ failed: true, error: { code: 'conflict' } })
      expect(await database.rows('services')).toMatchObject([{ active_backend_id: 'arrayZ' }])
    })
  })

  test('that is still running is told as that', async () => {
    await withBackend(async (database, file) => {
      const { result } = await agent({
        ...PROMOTION,
        connection: database.connection,
        config_file: file,
        config: { file, promote: 'arrayB', replication_device: [C] },
        service: makeService(database, { stop: "UPDATE services SET replication_status = 'failing-over'" }),
      })
      expect(result).toMatchObject({ failed: true, error: { code: 'failover_in_progress' } })
      expect(readFileSync(file, 'utf8')).toBe(PURE)
    })
  })
})

describe('a fail-back while the service is being stopped', () => {
  const FAIL_BACK =
    "UPDATE services SET disabled = frozen, disabled_reason = 'frozen', replication_status = 'enabled', active_backend_id = ''"
  const arrayC = { backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 't-c' }

  test.each([
    ['a promotion by name', { promote: 'arrayB', replication_device: [arrayC] }],
    ['a promotion of the active array', { promote: true, replication_device: [arrayC] }],
    [
      'a promotion whose settings are given',
      { options: { san_ip: '10.0.0.2', pure_api_token: 's3cr3t-B' }, replication_device: [arrayC] },
    ],
  ])('ends %s before the edit, and is told', async (_, config) => {
    await withBackend(async (database, file) => {
      const before = readFileSync(file, 'utf8')
      const { result } = await agent({
        ...PROMOTION,
        connection: database.connection,
        config_file: file,
        config: { file, ...config },
        service: makeService(database, { stop: FAIL_BACK }),
      })
      expect(result).toMatchObject({
        changed: true,
        failed: true,
        error: { code: 'conflict', host: 'vol1@arrayA' },
        backends: [{ actions: ['stop_service'], after: { active_backend_id: '', replication_status: 'enabled' } }],
      })
      expect(result.msg).toContain('failed back')
      expect(result.msg).toContain('start cinder-volume')
      expect(readFileSync(file, 'utf8')).toBe(before)
    })
  })
})

test.skipIf(process.getuid?.() !== 0)(
  `check mode foretells a cinder.conf that cannot be replaced${process.getuid?.() === 0 ? '' : ' (skipped: needs root)'}`,
  async () => {
    await withBackend(async (database, file) => {
      const config = { file, promote: 'arrayB' }
      chmodSync(dirname(file), 0o555)
      for (const args of [['--check'], []]) {
        const request = { ...PROMOTION, connection: database.connection, config }
        const { result } = await agent(request, { args, unprivileged: true })
        expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'config_write_failed' } })
      }
    })
  },
)

test('of several backends the first guard in the order of the guards is reported, not that of the first backend', async () => {
  const database = await embedded.create()
  await database.execute(
    service(1, 'vol1@arrayA', { ...FAILED_OVER, frozen: 0 }) +
      service(2, 'vol2@arrayA', { ...HEALTHY, replication_status: 'failing-over', frozen: 1 }),
  )
  const backends = [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }]
  const { result } = await agent({ connection: database.connection, backends, active_backend: 'reset' })
  await database.close()
  expect(result).toMatchObject({ changed: false, error: { code: 'failover_in_progress', host: 'vol2@arrayA' } })
})

describe('a promotion', () => {
  const config = (file: string, promote: string | boolean) => ({ file, promote })

  test.each(['arrayB', true])('of a backend in a cluster (promote: %s) is refused by every road', async (promote) => {
    const database = await embedded.create()
    const cluster = { cluster_name: 'c1@arrayA' }
    await database.execute(
      service(1, 'vol1@arrayA', { ...FAILED_OVER, ...cluster }) +
        insert('clusters', {
          id: 1,
          name: 'c1@arrayA',
          binary: 'cinder-volume',
          deleted: 0,
          race_preventer: 0,
          ...FAILED_OVER,
        }),
    )
    for (const target of [{ host: 'vol1@arrayA' }, { cluster: 'c1@arrayA' }]) {
      const request = { ...target, connection: database.connection, active_backend: 'reset', frozen: true }
      const { result } = await agent({ ...request, config: config(confFile(PURE), promote) })
      expect(result).toMatchObject({ changed: false, error: { code: 'invalid_request' } })
    }
    await database.close()
  })

  test('without a service leaves a frozen backend frozen and disabled, and a thawed one alone', async () => {
    await withBackend(async (database, file) => {
      const { frozen: _, ...promotion } = PROMOTION
      const request = { ...promotion, connection: database.connection, config: config(file, 'arrayB') }
      const held = { frozen: true, disabled: true, disabled_reason: 'frozen', active_backend_id: null }
      expect((await agent(request)).result).toMatchObject({ changed: true, backends: [{ after: held }] })
      await database.execute('UPDATE services SET frozen = 0, disabled = 0, disabled_reason = NULL')
      expect((await agent(request)).result).toMatchObject({ changed: false, failed: false })
    })
  })
})
