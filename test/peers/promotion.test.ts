import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { type Engine, mariaDb, sqliteByCinder, type TableRow, type TestDatabase, titled } from '../support/databases.js'
import { HEALTHY } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER, until } from '../support/volume.js'

const { missing } = inject('peers')
const absent = missing.cinderVolume

const PROMOTION = [
  'freeze',
  'stop_service',
  'update_config',
  'reset_active_backend',
  'enable_replication',
  'start_service',
  'thaw',
]
const HELD = { disabled: 1, disabled_reason: 'frozen', active_backend_id: null, frozen: 1 }

type Volume = ReturnType<typeof cinderVolume>

/** A test of a backend whose cinder-volume beats. */
function on(
  engine: Engine,
  work: (site: {
    readonly database: TestDatabase
    readonly volume: Volume
    readonly row: () => Promise<TableRow>
    /** A request that holds already. */
    readonly base: object
  }) => Promise<void>,
) {
  return async () => {
    const database = await engine.create(true)
    const volume = cinderVolume(database)
    try {
      volume.start()
      await beating(database)
      const base = { host: 'vol1@arrayA', config_file: volume.conf, service: volume.service }
      let before = Number.POSITIVE_INFINITY
      const execute = (sql: string) => {
        if (sql.includes(FAIL_OVER)) before = volume.starts().length
        return database.execute(sql)
      }
      const row = async () => (await database.rows('services'))[0] ?? {}
      await work({ database: { ...database, execute }, volume, base, row })
      // After a failover it never runs on the old primary again.
      for (const { active_backend_id, san_ip } of volume.starts().slice(before))
        expect(active_backend_id ?? san_ip).not.toBe('192.0.2.1')
    } finally {
      volume.stop()
      await database.close()
    }
  }
}

/** All that an operator wants after a failover to arrayB. */
function promotion({ conf, service }: Volume, replica = 'arrayC') {
  return {
    host: 'vol1@arrayA',
    active_backend: 'reset',
    replication: 'enabled',
    frozen: false,
    config_file: conf,
    config: { options: { san_ip: '192.0.2.2' }, replication_device: [{ backend_id: replica, san_ip: '192.0.2.3' }] },
    service,
  }
}

describe.skipIf(absent !== null)(
  absent === null ? 'with a real cinder-volume' : `with a real cinder-volume (skipped: ${absent})`,
  () => {
    describe.each([sqliteByCinder, mariaDb])('$name', (engine) => {
      describe.skipIf(engine.missing !== null)(titled(engine), () => {
        test.concurrent(
          'one request promotes a backend that is failed over, as check mode foretells; the second finds nothing',
          on(engine, async ({ database, volume, row }) => {
            await database.execute(FAIL_OVER)
            const request = promotion(volume)
            const check = await agent(request, { args: ['--check'] })
            expect(check.result).toMatchObject({
              changed: true,
              backends: [{ actions: PROMOTION, service: { state: 'started' } }],
            })
            expect(await row()).toMatchObject({ disabled_reason: 'failed-over', frozen: 0 })
            expect(volume.starts()).toHaveLength(1)

            const { result, stderr } = await agent(request)
            expect(result).toMatchObject({
              changed: true,
              failed: false,
              backends: [{ actions: PROMOTION, state: 'up', service: { manager: 'command', state: 'started' } }],
            })
            expect(result.backends[0]?.after).toEqual(check.result.backends[0]?.after)
            expect(stderr).toBe('')
            expect(await row()).toMatchObject(HEALTHY)
            expect(volume.runs()).toBe(true)
            expect(volume.starts()).toHaveLength(2)
            expect(volume.starts()[1]).toMatchObject({
              active_backend_id: null,
              san_ip: '192.0.2.2',
              replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }],
            })

            const again = await agent(request)
            expect(again.result).toMatchObject({ changed: false, failed: false, backends: [{ actions: [] }] })
            expect(volume.starts()).toHaveLength(2)
          }),
        )

        test.concurrent(
          'a driver that does not replicate: replication_not_enabled, again and again, until cinder.conf is right',
          on(engine, async ({ database, volume, row }) => {
            await database.execute(FAIL_OVER)
            const wrong = promotion(volume, 'unreachable')
            const { result } = await agent(wrong)
            expect(result).toMatchObject({
              changed: true,
              failed: true,
              error: {
                code: 'replication_not_enabled',
                host: 'vol1@arrayA',
                pending: ['stop_service', 'enable_replication', 'start_service', 'thaw'],
              },
              backends: [{ actions: PROMOTION.slice(0, -1) }],
            })
            expect(result.msg).toContain('Done so far: freeze, stop_service')
            expect(await row()).toMatchObject({ ...HELD, replication_status: 'disabled' })

            const again = await agent(wrong)
            expect(again.result).toMatchObject({ failed: true, error: { code: 'replication_not_enabled' } })

            const right = await agent(promotion(volume))
            expect(right.result).toMatchObject({
              failed: false,
              backends: [{ actions: ['stop_service', 'update_config', 'enable_replication', 'start_service', 'thaw'] }],
            })
            expect(await row()).toMatchObject(HEALTHY)
          }),
        )

        test.concurrent(
          'a driver that cannot start: timeout, and the backend stays frozen',
          on(engine, async ({ database, volume, row }) => {
            await database.execute(FAIL_OVER)
            const { result } = await agent({ ...promotion(volume, 'broken'), wait_timeout: 6 })
            expect(result).toMatchObject({
              changed: true,
              failed: true,
              error: { code: 'timeout', pending: ['thaw'] },
              backends: [{ actions: PROMOTION.slice(0, -1), service: { state: 'started' } }],
            })
            expect(result.msg).toMatch(/no heartbeat of vol1@arrayA was seen within 6 s/)
            expect(await row()).toMatchObject(HELD)
          }),
        )
      })
    })

    describe.skipIf(sqliteByCinder.missing !== null)(titled(sqliteByCinder), () => {
      test.concurrent(
        'a unit that is not the one that beats: nothing is reset',
        on(sqliteByCinder, async ({ database, volume, row }) => {
          await database.execute(FAIL_OVER)
          const before = readFileSync(volume.conf, 'utf8')
          const other = { manager: 'command', start: ['true'], stop: ['true'], status: ['false'] }
          const { result } = await agent({ ...promotion(volume), service: other, wait_timeout: 5 })
          expect(result).toMatchObject({
            failed: true,
            error: { code: 'timeout' },
            backends: [{ actions: ['freeze'] }],
          })
          expect(result.msg).toMatch(
            /command says that cinder-volume is stopped, but the heartbeat of vol1@arrayA did not stand still/,
          )
          expect(await row()).toMatchObject({ active_backend_id: 'arrayB', frozen: 1 })
          expect(readFileSync(volume.conf, 'utf8')).toBe(before)
          expect(volume.runs()).toBe(true)
        }),
      )

      test.concurrent(
        'stopped and started alone are desired states',
        on(sqliteByCinder, async ({ volume, base }) => {
          const stop = { ...base, service: { ...volume.service, state: 'stopped' } }
          expect((await agent(stop)).result).toMatchObject({ changed: true, backends: [{ actions: ['stop_service'] }] })
          expect(volume.runs()).toBe(false)
          expect((await agent(stop)).result).toMatchObject({
            changed: false,
            backends: [{ service: { state: 'stopped' } }],
          })
          expect((await agent(base)).result).toMatchObject({
            changed: true,
            backends: [{ actions: ['start_service'], state: 'up', heartbeat_age: expect.toSatisfy((age) => age < 3) }],
          })
          expect(volume.runs()).toBe(true)
          expect((await agent(base)).result).toMatchObject({ changed: false })
        }),
      )

      test.concurrent(
        'an edit alone restarts the service, and freezes nothing',
        on(sqliteByCinder, async ({ volume, base }) => {
          const request = { ...base, config: { options: { san_ip: '192.0.2.7' } } }
          expect((await agent(request)).result.backends[0]?.actions).toEqual([
            'stop_service',
            'update_config',
            'start_service',
          ])
          expect(volume.starts()[1]).toMatchObject({ san_ip: '192.0.2.7' })
          expect((await agent(request)).result).toMatchObject({ changed: false })
          expect(volume.starts()).toHaveLength(2)
        }),
      )

      test.concurrent(
        'with the service left stopped the reset is done and nothing is waited for',
        on(sqliteByCinder, async ({ database, volume, row }) => {
          await database.execute(FAIL_OVER)
          const request = { ...promotion(volume), service: { ...volume.service, state: 'stopped' } }
          expect((await agent(request)).result).toMatchObject({ failed: false, changed: true })
          expect(volume.runs()).toBe(false)
          expect(await row()).toMatchObject(HEALTHY)
          expect((await agent(request)).result).toMatchObject({ changed: false })
        }),
      )

      test.concurrent(
        'frozen that is not asked for stays as it was, and the reset leaves the backend held',
        on(sqliteByCinder, async ({ database, volume }) => {
          await database.execute(`${FAIL_OVER}, frozen = 1`)
          const { frozen: _, ...request } = promotion(volume)
          expect((await agent(request)).result).toMatchObject({
            failed: false,
            backends: [
              { actions: PROMOTION.slice(1, -1), after: { disabled: true, disabled_reason: 'frozen', frozen: true } },
            ],
          })
          expect((await agent(request)).result).toMatchObject({ changed: false })
        }),
      )

      test.concurrent(
        'replication: disabled is written after the start, where the driver would have it enabled',
        on(sqliteByCinder, async ({ base }) => {
          const request = { ...base, replication: 'disabled' }
          expect((await agent(request)).result.backends[0]?.actions).toEqual(['disable_replication'])
          expect((await agent(request)).result).toMatchObject({ changed: false })
          const edit = { ...request, config: { options: { san_ip: '192.0.2.8' } } }
          expect((await agent(edit)).result.backends[0]?.actions).toEqual([
            'stop_service',
            'update_config',
            'start_service',
            'disable_replication',
          ])
          expect((await agent(edit)).result).toMatchObject({ changed: false })
        }),
      )

      test.concurrent(
        'wait: false refuses before anything is done while the service beats, and thaws without a look at it',
        on(sqliteByCinder, async ({ database, volume, row }) => {
          await database.execute(FAIL_OVER)
          const request = { ...promotion(volume), wait: false }
          expect((await agent(request)).result).toMatchObject({ changed: false, error: { code: 'service_up' } })
          expect(volume.runs()).toBe(true)
          volume.stop()
          await database.execute("UPDATE services SET updated_at = '2026-01-01 00:00:00'")
          expect((await agent(request)).result).toMatchObject({ failed: false, changed: true })
          expect(await row()).toMatchObject({ frozen: 0, disabled: 0 })
        }),
      )

      test.concurrent(
        'wait without service waits for the heartbeat to grow old, then resets',
        on(sqliteByCinder, async ({ database, volume }) => {
          await database.execute(FAIL_OVER)
          volume.stop()
          const request = {
            host: 'vol1@arrayA',
            config_file: volume.conf,
            config: promotion(volume).config,
            active_backend: 'reset',
            frozen: true,
            wait: true,
          }
          expect((await agent({ ...request, wait_timeout: 1 })).result).toMatchObject({
            changed: false,
            error: { code: 'timeout' },
            msg: expect.stringMatching(/vol1@arrayA was not seen down within/),
          })
          expect((await agent(request)).result).toMatchObject({ changed: true, failed: false })
          expect((await agent({ ...request, wait: false })).result).toMatchObject({ changed: false })
        }),
      )

      test.concurrent(
        'the other backends that the service serves are named',
        on(sqliteByCinder, async ({ volume, base }) => {
          writeFileSync(
            volume.conf,
            readFileSync(volume.conf, 'utf8').replace(
              'enabled_backends = arrayA',
              'enabled_backends = arrayA, nfs,lvm',
            ),
          )
          const { result } = await agent(
            { ...base, service: { ...volume.service, state: 'stopped' } },
            { args: ['--check'] },
          )
          expect(result.warnings).toEqual([
            'Stopping cinder-volume stops the other backends that it serves too: nfs, lvm.',
          ])
        }),
      )

      test.concurrent(
        'a cinder.conf that cannot be written is told before anything is done',
        on(sqliteByCinder, async ({ database, volume, row }) => {
          await database.execute(FAIL_OVER)
          chmodSync(volume.folder, 0o555)
          const { result } = await agent(promotion(volume), { unprivileged: true })
          chmodSync(volume.folder, 0o755)
          expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'config_write_failed' } })
          expect(volume.runs()).toBe(true)
          expect(await row()).toMatchObject({ frozen: 0 })
        }),
      )

      test.concurrent(
        'a service that dies after its start is told, without waiting to the end',
        on(sqliteByCinder, async ({ volume, base }) => {
          volume.stop()
          writeFileSync(
            volume.conf,
            readFileSync(volume.conf, 'utf8').replace('transport_url = fake:/', 'transport_url = nope:/'),
          )
          const { result } = await agent(base)
          expect(result).toMatchObject({ failed: true, changed: true, error: { code: 'service_control_failed' } })
          expect(result.msg).toMatch(/is stopped again, and no heartbeat of vol1@arrayA was seen/)
        }),
      )

      test.concurrent(
        'a service that runs but does not beat is not taken for started',
        on(sqliteByCinder, async ({ database, volume, base }) => {
          volume.stop()
          await database.execute("UPDATE services SET updated_at = '2026-01-01 00:00:00'")
          const hung = { manager: 'command', start: ['true'], stop: ['true'], status: ['true'] }
          const { result } = await agent({ ...base, service: hung, wait_timeout: 1 })
          expect(result).toMatchObject({ failed: true, changed: false, error: { code: 'timeout' } })
          expect((await agent({ ...base, service: hung, wait: false })).result).toMatchObject({ failed: false })
        }),
      )
    })

    describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
      test.concurrent('the same request on every member of an active-active cluster at once promotes it', async () => {
        const database = await mariaDb.create(true)
        const members = ['vol1', 'vol2'].map((host) => cinderVolume(database, { host, cluster: 'c1' }))
        try {
          for (const member of members) member.start()
          await beating(database, 2)
          await database.execute(`${FAIL_OVER}, frozen = 1`)
          await database.execute(FAIL_OVER.replace('services', 'clusters'))
          await database.execute('UPDATE clusters SET frozen = 1')
          const requests = members.map((member) => ({ ...promotion(member), host: undefined, cluster: 'c1@arrayA' }))
          const outcomes = await Promise.all(requests.map((request) => agent(request)))
          for (const { result } of outcomes) expect(result).toMatchObject({ failed: false, changed: true })
          expect(
            outcomes.filter(({ result }) => result.backends[0]?.actions.includes('reset_active_backend')),
          ).toHaveLength(1)
          const settled = { ...HEALTHY, deleted: 0 }
          expect(await database.rows('services')).toMatchObject([settled, settled])
          expect(await database.rows('clusters')).toMatchObject([settled])
          for (const member of members) {
            expect(member.starts()).toHaveLength(2)
            expect(member.starts()[1]).toMatchObject({ active_backend_id: null, san_ip: '192.0.2.2' })
          }
          for (const request of requests)
            expect((await agent(request)).result).toMatchObject({ changed: false, failed: false })
        } finally {
          for (const member of members) member.stop()
          await database.close()
        }
      })

      test.concurrent('a cluster whose other member still beats is not reset', async () => {
        const database = await mariaDb.create(true)
        const members = ['vol1', 'vol2'].map((host) => cinderVolume(database, { host, cluster: 'c1' }))
        const [one, other] = members
        try {
          for (const member of members) member.start()
          await beating(database, 2)
          await database.execute(`${FAIL_OVER}, frozen = 1`)
          await database.execute(FAIL_OVER.replace('services', 'clusters'))
          if (one === undefined) throw new Error('no member')
          const { result } = await agent({ ...promotion(one), wait_timeout: 5 })
          expect(result).toMatchObject({ failed: true, error: { code: 'timeout', host: 'vol2@arrayA' } })
          expect(await database.rows('clusters')).toMatchObject([{ active_backend_id: 'arrayB' }])
          await until('the first is stopped', async () => !one.runs())
          expect(other?.runs()).toBe(true)
        } finally {
          for (const member of members) member.stop()
          await database.close()
        }
      })
    })
  },
)
