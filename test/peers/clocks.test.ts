import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { sqliteByCinder, type TableRow, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'
import { beating, cinderVolume } from '../support/volume.js'

const { missing } = inject('peers')

const RESET = { active_backend: 'reset', promoted: 'arrayB' }
const CLUSTER = { name: 'c1@arrayA', binary: 'cinder-volume', deleted: 0, race_preventer: 0, ...FAILED_OVER }

interface Site {
  readonly database: TestDatabase
  readonly volume: ReturnType<typeof cinderVolume>
  /** The rows without their heartbeat. */
  readonly states: () => Promise<readonly TableRow[]>
}

/** A backend that is failed over to arrayB, whose service beats with a clock that is so many seconds behind, and names arrayB in its section. */
function withLag(lag: number, work: (site: Site) => Promise<void>) {
  return async () => {
    const database = await sqliteByCinder.create()
    const volume = cinderVolume(database, { fake: true, reportInterval: 1, lag })
    const promoted = readFileSync(volume.conf, 'utf8').replaceAll('arrayB', 'arrayC').replace('192.0.2.1', '192.0.2.9')
    writeFileSync(volume.conf, promoted)
    const states = async () =>
      (await database.rows('services')).map(({ updated_at: _, report_count: __, ...row }) => row)
    try {
      await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, report_count: 0 }))
      volume.start()
      await beating(database)
      await work({ database, volume, states })
    } finally {
      volume.stop()
      await database.close()
    }
  }
}

const title = 'a cinder-volume whose clock is not that of the database'

describe.skipIf(missing.cinder !== null)(
  missing.cinder === null ? title : `${title} (skipped: ${missing.cinder})`,
  () => {
    test.concurrent.each([
      ['300 s behind', 300, /report_count rises .+ its clock is about (29\d|30\d) s behind/],
      ['300 s ahead', -300, /last heartbeat (29\d|300) s ahead of the clock/],
    ])(
      'that is %s: a reset without wait is refused, in check mode too, and the row is untouched',
      async (_, lag, said) => {
        await withLag(lag, async ({ volume, states }) => {
          const before = await states()
          for (const args of [['--check'], []])
            for (const more of [{}, { service_down_time: 0 }]) {
              const request = { host: 'vol1@arrayA', config_file: volume.conf, ...RESET, ...more }
              const { result } = await agent(request, { args })
              expect(result).toMatchObject({
                changed: false,
                error: { code: 'service_up' },
                backends: [{ state: 'up' }],
              })
              expect(result.msg).toMatch(said)
            }
          expect(await states()).toEqual(before)
        })()
      },
    )

    test.concurrent(
      'that agrees: a service_down_time of nothing is not a way around',
      withLag(0, async ({ volume, states }) => {
        const before = await states()
        const request = { host: 'vol1@arrayA', config_file: volume.conf, ...RESET, service_down_time: 0 }
        for (const more of [{}, { wait: true, wait_timeout: 1 }]) {
          const { result } = await agent({ ...request, ...more })
          expect(result).toMatchObject({ changed: false, failed: true })
          expect(['service_up', 'timeout']).toContain(result.error?.code)
        }
        expect(await states()).toEqual(before)
      }),
    )

    test.concurrent(
      'a cluster with a live member whose clock is behind is refused; once that stands still it is reset',
      withLag(300, async ({ database, volume, states }) => {
        await database.execute(
          `${insert('clusters', { id: 1, ...CLUSTER })}UPDATE services SET cluster_name = 'c1@arrayA';\n${service(2, 'vol2@arrayA', { ...FAILED_OVER, cluster_name: 'c1@arrayA' })}`,
        )
        const before = await states()
        const request = { cluster: 'c1@arrayA', config_file: volume.conf, ...RESET, frozen: true }
        expect((await agent(request)).result).toMatchObject({ changed: false, error: { code: 'service_up' } })
        expect(await states()).toEqual(before)
        volume.stop()
        expect((await agent(request)).result).toMatchObject({ changed: true, failed: false })
        expect(await database.rows('clusters')).toMatchObject([{ active_backend_id: null }])
      }),
    )

    test.concurrent(
      'with service it is stopped, seen to stand still, and started; the difference is told',
      withLag(300, async ({ volume, states }) => {
        const request = {
          host: 'vol1@arrayA',
          config_file: volume.conf,
          ...RESET,
          frozen: false,
          service: volume.service,
        }
        const { result } = await agent(request)
        expect(result).toMatchObject({ changed: true, failed: false, backends: [{ state: 'up' }] })
        expect(result.warnings).toContainEqual(expect.stringMatching(/clock .+ about (29\d|30\d) s behind/))
        expect(await states()).toMatchObject([{ active_backend_id: null, frozen: 0, disabled: 0 }])
      }),
    )
  },
)
