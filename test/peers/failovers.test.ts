import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { agent } from '../support/agent.js'
import { sqliteByCinder, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, HEALTHY, insert, service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

// Failovers that Cinder's API accepts while the agent works, with a service that beats.

type Volume = ReturnType<typeof cinderVolume>

const PROMOTION = {
  host: 'vol1@arrayA',
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  config: {
    promote: 'arrayB',
    options: { san_ip: '192.0.2.2' },
    replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }],
  },
}

const promote = (volume: Volume) => agent({ ...PROMOTION, config_file: volume.conf, service: volume.service })

/** As Cinder's API accepts a failover (cinder/volume/api.py, failover): from these states, while the heartbeat counts as up. */
const FAILOVER =
  "UPDATE services SET replication_status = 'failing-over' WHERE host = 'vol1@arrayA' AND replication_status IN ('enabled', 'failed-over') AND (julianday('now') - julianday(updated_at)) * 86400 <= 3"

async function callFailover(database: TestDatabase): Promise<boolean> {
  await database.execute(FAILOVER)
  const [row] = await database.rows('services')
  return row?.['replication_status'] === 'failing-over'
}

describe.skipIf(sqliteByCinder.missing !== null)(
  titled({ name: 'a failover by the API', missing: sqliteByCinder.missing }),
  () => {
    test.concurrent.each([200, 900, 1600, 2300, 3000, 3700, 4400, 5100])(
      '%d ms after the start of a promotion leaves no stopped service with a section that was edited',
      async (delay) => {
        const database = await sqliteByCinder.create()
        const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
        const before = readFileSync(volume.conf, 'utf8')
        try {
          await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
          volume.start()
          await beating(database)
          await database.execute(FAIL_OVER)
          const run = promote(volume)
          await sleep(delay)
          const isAccepted = await callFailover(database)
          const { result } = await run
          if (!result.failed) return
          expect(isAccepted).toBe(true)
          expect(['failover_in_progress', 'failed_over', 'conflict']).toContain(result.error?.code)
          if (volume.runs()) return
          expect(readFileSync(volume.conf, 'utf8')).toBe(before)
          expect(result.error?.hint).toContain('Start')

          // The way on: cinder-volume finishes the failover at its start, and then the same request goes through.
          expect((await promote(volume)).result).toMatchObject({
            changed: false,
            error: { code: 'failover_in_progress' },
          })
          const started = { host: 'vol1@arrayA', config_file: volume.conf, service: volume.service }
          expect((await agent(started)).result).toMatchObject({ changed: true, failed: false })
          await database.execute(FAIL_OVER)
          expect((await promote(volume)).result).toMatchObject({ changed: true, failed: false })
          expect(await database.rows('services')).toMatchObject([HEALTHY])
        } finally {
          volume.stop()
          await database.close()
        }
      },
    )

    test.concurrent('is not accepted any more once the section is edited', async () => {
      const database = await sqliteByCinder.create()
      const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
      try {
        await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
        volume.start()
        await beating(database)
        await database.execute(FAIL_OVER)
        // The manager is asked between the edit and the start.
        const script = `import sqlite3, sys; db = sqlite3.connect('${database.connection.slice('sqlite:///'.length)}', timeout=30); db.execute(sys.argv[1]); db.commit()`
        const status = `if grep -q arrayC ${volume.conf} && ! ${volume.service.status.join(' ')}; then /usr/bin/python3 -c "$0" "$1"; fi; exec ${volume.service.status.join(' ')}`
        const manager = { ...volume.service, status: ['/bin/sh', '-c', status, script, FAILOVER] }
        const { result } = await agent({ ...PROMOTION, config_file: volume.conf, service: manager })
        expect(result).toMatchObject({ changed: true, failed: false })
        expect(await database.rows('services')).toMatchObject([HEALTHY])
      } finally {
        volume.stop()
        await database.close()
      }
    })

    test.concurrent('of a neighbour keeps cinder-volume from being stopped', async () => {
      const database = await sqliteByCinder.create()
      const volume = cinderVolume(database, { fake: true, reportInterval: 1, neighbours: ['other'] })
      try {
        await database.execute(
          service(1, 'vol1@arrayA') + service(2, 'vol1@other', { ...HEALTHY, replication_status: 'failing-over' }),
        )
        volume.start()
        await database.execute(`${FAIL_OVER} WHERE id = 1`)
        const { result } = await promote(volume)
        expect(result).toMatchObject({ changed: false, error: { code: 'failover_in_progress' } })
        expect(result.msg).toContain('vol1@other')
        expect(volume.runs()).toBe(true)
        await database.execute("UPDATE services SET replication_status = 'failover-error' WHERE id = 2")
        const { result: done } = await promote(volume)
        expect(done).toMatchObject({ changed: true, failed: false })
        expect(done.warnings.filter((each) => each.includes('vol1@other'))).toHaveLength(1)
      } finally {
        volume.stop()
        await database.close()
      }
    })
  },
)

test.skipIf(sqliteByCinder.missing !== null)(
  titled({
    name: 'a member that a failover left failing-over is passed over alone, if it is down for long',
    missing: sqliteByCinder.missing,
  }),
  async () => {
    const database = await sqliteByCinder.create()
    const cluster = { cluster_name: 'c1@arrayA' }
    const ago = (seconds: number) =>
      new Date(Date.now() - seconds * 1000).toISOString().replace('T', ' ').replace('Z', '')
    await database.execute(
      service(1, 'vol1@arrayA', { ...FAILED_OVER, ...cluster }) +
        service(2, 'vol2@arrayA', {
          ...HEALTHY,
          ...cluster,
          replication_status: 'failing-over',
          updated_at: ago(120),
        }) +
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
      active_backend: 'reset',
      promoted: 'arrayB',
    }
    const { result: early } = await agent(request)
    expect(early).toMatchObject({ changed: false, error: { code: 'failover_in_progress' } })
    expect(early.msg).toContain('vol2@arrayA')
    await database.execute(`UPDATE services SET updated_at = '${ago(700)}' WHERE id = 2`)
    const { result } = await agent(request)
    expect(result).toMatchObject({ changed: true, failed: false })
    const namesAlone = (each: string) => each.includes('vol2@arrayA') && !each.includes('vol1@arrayA')
    expect(result.warnings.filter(namesAlone)).toHaveLength(1)
    for (const row of await database.rows('services'))
      expect(row).toMatchObject({ active_backend_id: null, replication_status: 'disabled' })
    await database.close()
  },
)
