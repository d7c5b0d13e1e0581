import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { sqliteByCinder, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'

const { folder } = inject('peers')

/** What the README's comparison says of the others, so that it stays true. */
describe.skipIf(sqliteByCinder.missing !== null)(titled(sqliteByCinder), () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await sqliteByCinder.create()
    await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, updated_at: '2026-01-02 03:04:05' }))
  })
  afterEach(() => database.close())
  const row = async (table: 'services' | 'clusters' = 'services') => (await database.rows(table))[0]

  const cinderManage = (...args: string[]) => {
    const home = mkdtempSync(join(folder, 'comparison-'))
    const conf = join(home, 'cinder.conf')
    writeFileSync(conf, `[DEFAULT]\nstate_path = ${home}\n[database]\nconnection = ${database.connection}\n`)
    return spawnSync('cinder-manage', ['--config-file', conf, 'db', 'reset_active_backend', ...args], {
      encoding: 'utf8',
    })
  }
  /** The statement of Cinder's specification of the promotion. */
  const byHand = () =>
    database.execute(
      "UPDATE services SET disabled = 0, disabled_reason = NULL, replication_status = 'enabled', active_backend_id = NULL WHERE host = 'vol1@arrayA' AND `binary` = 'cinder-volume'",
    )
  const settle = (request: object = {}) =>
    agent({ host: 'vol1@arrayA', active_backend: 'reset', connection: database.connection, ...request })

  test("cinder-manage does neither of its options' deeds", async () => {
    expect(cinderManage('--backend-host', 'vol1@arrayA', '--active-backend-id', 'arrayC').status).toBe(0)
    expect(await row()).toMatchObject({ active_backend_id: null, replication_status: 'enabled' })
  })

  test('a second run: cinder-manage fails or undoes an admin, SQL undoes one, the agent finds nothing', async () => {
    expect(cinderManage('--backend-host', 'vol1@arrayA').status).toBe(0)
    const second = cinderManage('--backend-host', 'vol1@arrayA')
    expect(second.status).toBe(1)
    expect(second.stdout + second.stderr).toContain('ServiceNotFound')
    const admin = "UPDATE services SET disabled = 1, disabled_reason = 'disk swap'"
    await database.execute(admin)
    expect((await settle()).result).toMatchObject({ changed: false, failed: false })
    expect(await row()).toMatchObject({ disabled: 1, disabled_reason: 'disk swap' })
    await byHand()
    expect(await row()).toMatchObject({ disabled: 0 })
    await database.execute(admin)
    expect(cinderManage('--backend-host', 'vol1@arrayA').status).toBe(0)
    expect(await row()).toMatchObject({ disabled: 0 })
  })

  test('the heartbeat: cinder-manage renews it, the others leave it', async () => {
    await byHand()
    expect(await row()).toMatchObject({ updated_at: '2026-01-02 03:04:05' })
    const failOver =
      "UPDATE services SET disabled = 1, active_backend_id = 'arrayB', replication_status = 'failed-over', frozen = 1"
    await database.execute(failOver)
    expect((await settle()).result.changed).toBe(true)
    expect(await row()).toMatchObject({ updated_at: '2026-01-02 03:04:05' })
    await database.execute(failOver)
    expect(cinderManage('--backend-host', 'vol1@arrayA').status).toBe(0)
    expect((await settle()).result.backends[0]?.state).toBe('up')
  })

  test('a service that runs: cinder-manage and SQL reset it, the agent refuses', async () => {
    await database.execute('UPDATE services SET updated_at = CURRENT_TIMESTAMP')
    expect((await settle()).result.error?.code).toBe('service_up')
    expect(cinderManage('--backend-host', 'vol1@arrayA').status).toBe(0)
    expect(await row()).toMatchObject({ active_backend_id: null })
  })

  test('a cluster: cinder-manage leaves its members disabled, SQL its row failed over, the agent neither', async () => {
    const cluster = { name: 'c1@arrayA', binary: 'cinder-volume', deleted: 0, race_preventer: 0, ...FAILED_OVER }
    const split = `DELETE FROM clusters;\n${insert('clusters', { id: 1, ...cluster })}UPDATE services SET cluster_name = 'c1@arrayA', disabled = 1, disabled_reason = 'failed-over', replication_status = 'failed-over', active_backend_id = 'arrayB';\n`
    await database.execute(split)
    await byHand()
    expect(await row('clusters')).toMatchObject({ active_backend_id: 'arrayB' })
    await database.execute(split)
    expect(cinderManage('--backend-host', 'vol1@arrayA').status).toBe(0)
    expect(await row()).toMatchObject({ disabled: 1, disabled_reason: 'failed-over' })
    await database.execute(`${split}UPDATE services SET updated_at = '2026-01-02 03:04:05';\n`)
    expect((await settle()).result.changed).toBe(true)
    expect(await row()).toMatchObject({ disabled: 0, active_backend_id: null })
    expect(await row('clusters')).toMatchObject({ disabled: 0, active_backend_id: null })
  })
})
