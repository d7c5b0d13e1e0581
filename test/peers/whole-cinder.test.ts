import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { mariaDb, type TableRow, titled } from '../support/databases.js'
import {
  ARRAYS,
  type ArrayName,
  CLUSTER,
  HOST,
  PAIR,
  startWholeCinder,
  type WholeCinder,
} from '../support/peers/whole-cinder.js'
import { HEALTHY } from '../support/rows.js'
import { until } from '../support/volume.js'

const { missing, folder } = inject('peers')
const absent = missing.cinderVolume ?? missing.cinderApi ?? missing.rabbitmq ?? mariaDb.missing

const device = (name: ArrayName) => ({ backend_id: name, san_ip: ARRAYS[name] })

/** The columns of a backend that Cinder itself has failed over, and nobody has frozen. */
const failedOver = (name: ArrayName) => ({
  disabled: 1,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: name,
})

/** The columns of a backend that Cinder itself has failed back. */
const FAILED_BACK = { replication_status: 'enabled', active_backend_id: '' }

type Member = ReturnType<WholeCinder['startMember']>
type Pair = ReturnType<WholeCinder['startPair']>

/** Cinder's own thaw leaves an empty reason behind. */
const HEALTHY_MEMBER = { disabled: 0, frozen: 0, replication_status: 'enabled' }

let cinder: WholeCinder

/** All that an operator wants after a failover to the array. */
function promotion(name: ArrayName, replicas: readonly ArrayName[], service: object = cinder.volume.service) {
  return {
    host: HOST,
    active_backend: 'reset',
    replication: 'enabled',
    frozen: false,
    config_file: cinder.volume.conf,
    config: { promote: name, options: { san_ip: ARRAYS[name] }, replication_device: replicas.map(device) },
    service,
  }
}

/** The manager of cinder-volume, which waits before or after a stop or a start until the test lets it go. */
function hold(when: 'before' | 'after', verb: 'stop' | 'start', service = cinder.volume.service) {
  const gate = mkdtempSync(join(folder, 'gate-'))
  const wait = 'touch "$0/held"; while [ ! -e "$0/go" ]; do sleep 0.1; done'
  const script = when === 'before' ? `${wait}; exec "$@"` : `"$@"; ${wait}`
  return {
    service: { ...service, [verb]: ['sh', '-c', script, gate, ...service[verb]] },
    untilHeld: () => until(`the ${verb} is held`, async () => existsSync(join(gate, 'held'))),
    release: () => writeFileSync(join(gate, 'go'), ''),
  }
}

const readConf = () => readFileSync(cinder.volume.conf, 'utf8')

const BEFORE_THE_EDIT = ['freeze', 'stop_service']

const PROMOTION = [
  ...BEFORE_THE_EDIT,
  'update_config',
  'reset_active_backend',
  'enable_replication',
  'start_service',
  'thaw',
]

// One Cinder for all tests. Those of the backend tell one story in their order, and those of the cluster another one beside it.
describe.skipIf(absent !== null)(
  titled({ name: 'a whole Cinder, failed over by its own API', missing: absent }),
  () => {
    beforeAll(async () => {
      cinder = await startWholeCinder()
    })
    afterAll(() => cinder?.stop())

    describe.concurrent('a backend', () => {
      /** A replicated volume from before the first failover. */
      let old: string

      test.sequential('a failover takes replicated volumes along, and leaves the others in error', async () => {
        await cinder.createType('replicated', { replication_enabled: '<is> True', volume_backend_name: HOST })
        await cinder.createType('plain', { volume_backend_name: HOST })
        const volume = await cinder.createVolume('replicated')
        const plain = await cinder.createVolume('plain')
        expect([volume, plain]).toMatchObject([{ status: 'available' }, { status: 'available' }])
        old = volume.id
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayA)

        cinder.burn('arrayA')
        expect(await cinder.failOver('arrayB')).toMatchObject({ ...failedOver('arrayB'), frozen: 0 })
        expect(await cinder.readVolume(old)).toMatchObject({ status: 'available', replication_status: 'failed-over' })
        expect(await cinder.readVolume(plain.id)).toMatchObject({ status: 'error', replication_status: 'not-capable' })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayB)
      })

      test.sequential('one request promotes it, and the request after that changes nothing', async () => {
        const { service, untilHeld, release } = hold('before', 'start')
        const run = agent(promotion('arrayB', ['arrayC', 'arrayD'], service))
        await untilHeld()
        expect(await cinder.row()).toMatchObject({ ...HEALTHY, disabled: 1, disabled_reason: 'frozen', frozen: 1 })
        await expect(cinder.callFailover('arrayC')).rejects.toThrow('must be up')
        release()
        expect((await run).result).toMatchObject({
          changed: true,
          failed: false,
          backends: [{ actions: PROMOTION }],
        })
        expect(await cinder.row()).toMatchObject(HEALTHY)
        expect(cinder.volume.starts()).toMatchObject([
          { san_ip: ARRAYS.arrayA },
          {
            active_backend_id: null,
            san_ip: ARRAYS.arrayB,
            replication_device: [device('arrayC'), device('arrayD')],
          },
        ])
        const again = await agent(promotion('arrayB', ['arrayC', 'arrayD']))
        expect(again.result).toMatchObject({ changed: false, failed: false })
      })

      test.sequential('it is used: volumes, new ones and those that were failed over', async () => {
        const created = await cinder.createVolume('replicated')
        for (const id of [old, created.id]) {
          expect(await cinder.extendVolume(id, 2)).toMatchObject({ status: 'available', size: 2 })
          const snapshot = await cinder.createSnapshot(id)
          expect(snapshot).toMatchObject({ status: 'available' })
          await cinder.deleteSnapshot(snapshot.id)
          expect(await cinder.connect(id)).toBe(ARRAYS.arrayB)
        }
        await cinder.deleteVolume(created.id)
      })

      test.sequential('the request of the last promotion is refused after the next failover, and holds after the fail-back', async () => {
        const request = promotion('arrayB', ['arrayC', 'arrayD'])
        const conf = readConf()
        expect(await cinder.failOver('arrayC')).toMatchObject(failedOver('arrayC'))
        const { result } = await agent(request)
        expect(result).toMatchObject({ changed: false, error: { code: 'not_failed_over' } })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayC)

        expect(await cinder.failOver('default')).toMatchObject({ ...FAILED_BACK, disabled: 0, disabled_reason: '' })
        expect((await agent(request)).result).toMatchObject({ changed: false, failed: false })
        expect(readConf()).toBe(conf)
        expect(cinder.volume.starts()).toHaveLength(2)
        expect(await cinder.extendVolume(old, 3)).toMatchObject({ status: 'available', size: 3 })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayB)
      })

      test.sequential('a fail-back between the freeze and the stop ends the promotion before its edit', async () => {
        await cinder.failOver('arrayC')
        const conf = readConf()
        const { service, untilHeld, release } = hold('before', 'stop')
        const run = agent(promotion('arrayC', ['arrayB', 'arrayD'], service))
        await untilHeld()
        expect(await cinder.failOver('default')).toMatchObject({ ...FAILED_BACK, frozen: 1 })
        release()
        const { result } = await run
        expect(result).toMatchObject({
          changed: true,
          error: { code: 'conflict' },
          backends: [
            {
              actions: BEFORE_THE_EDIT,
              before: { active_backend_id: 'arrayC', frozen: false },
              after: { active_backend_id: '', replication_status: 'enabled', frozen: true },
            },
          ],
        })
        expect(result).not.toHaveProperty('undo')
        expect(readConf()).toBe(conf)

        // As the message says: put back what this run did.
        const thaw = { host: HOST, config_file: cinder.volume.conf, frozen: false, service: cinder.volume.service }
        expect((await agent(thaw)).result).toMatchObject({
          failed: false,
          backends: [{ actions: ['start_service', 'thaw'] }],
        })
        expect(await cinder.row()).toMatchObject({ ...FAILED_BACK, disabled: 0, frozen: 0 })
        const { id } = await cinder.createVolume('replicated')
        expect(await cinder.connect(id)).toBe(ARRAYS.arrayB)
      })

      test.sequential('a failover to another array between the freeze and the stop ends the promotion before its edit', async () => {
        await cinder.failOver('arrayC')
        const conf = readConf()
        const { service, untilHeld, release } = hold('before', 'stop')
        const run = agent(promotion('arrayC', ['arrayB', 'arrayD'], service))
        await untilHeld()
        expect(await cinder.failOver('arrayD')).toMatchObject(failedOver('arrayD'))
        release()
        const { result } = await run
        expect(result).toMatchObject({
          changed: true,
          error: { code: 'not_failed_over' },
          backends: [
            {
              actions: BEFORE_THE_EDIT,
              before: { active_backend_id: 'arrayC' },
              after: { active_backend_id: 'arrayD', replication_status: 'failed-over' },
            },
          ],
        })
        expect(result).not.toHaveProperty('undo')
        expect(readConf()).toBe(conf)
        await startAlone()
      })

      test.sequential('a failover that the API accepts after the stop: cinder-volume finishes it once it is started again', async () => {
        const conf = readConf()
        const { service, untilHeld, release } = hold('after', 'stop', cinder.volume.quickService)
        const request = promotion('arrayD', ['arrayB', 'arrayC'], service)
        const run = agent(request)
        await untilHeld()
        await cinder.callFailover('arrayC')
        release()
        expect((await run).result).toMatchObject({ changed: true, error: { code: 'failover_in_progress' } })
        expect(readConf()).toBe(conf)
        expect(await cinder.row()).toMatchObject({ replication_status: 'failing-over', active_backend_id: 'arrayD' })
        const again = await agent(request)
        expect(again.result).toMatchObject({
          changed: false,
          error: { code: 'failover_in_progress', hint: expect.stringContaining('Start cinder-volume') },
        })

        await startAlone()
        await untilRunsOn('arrayC')
        expect(await cinder.row()).toMatchObject({ ...failedOver('arrayC'), frozen: 1 })
        const { result } = await agent(promotion('arrayC', ['arrayB', 'arrayD']))
        expect(result).toMatchObject({ failed: false, backends: [{ actions: PROMOTION.slice(1) }] })
        expect(await cinder.row()).toMatchObject(HEALTHY)
        expect(await cinder.extendVolume(old, 4)).toMatchObject({ status: 'available', size: 4 })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayC)
      })

      test.sequential('a failover that ended in an error is promoted, and one after the reset is told and leads nobody back', async () => {
        await cinder.failOver('arrayD')
        cinder.burn('arrayC')
        const failed = { ...failedOver('arrayD'), replication_status: 'failover-error' }
        expect(await cinder.failOver('default')).toMatchObject(failed)
        await expect(cinder.callFailover('arrayB')).rejects.toThrow("must be ['enabled', 'failed-over']")

        const request = promotion('arrayD', ['arrayB'])
        const { service, untilHeld, release } = hold('before', 'start', cinder.volume.quickService)
        const run = agent({ ...request, service })
        await untilHeld()
        await cinder.callFailover('arrayB')
        release()
        const { result } = await run
        expect(result).toMatchObject({
          changed: true,
          error: { code: 'failed_over' },
          backends: [{ actions: PROMOTION.slice(0, -1) }],
        })
        expect(result.msg).not.toContain('restore')
        expect(result.warnings.join()).not.toContain('is still failed over')
        await untilRunsOn('arrayB')
        expect(cinder.volume.starts().at(-1)).toMatchObject({ active_backend_id: null, san_ip: ARRAYS.arrayD })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayB)

        await cinder.failOver('default')
        expect((await agent(request)).result).toMatchObject({ failed: false, backends: [{ actions: ['thaw'] }] })
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayD)
        await cinder.deleteVolume(old)
      })
    })

    describe.concurrent('a cluster', () => {
      let one: Member
      let other: Member

      beforeAll(async () => {
        await cinder.createType('clustered', { replication_enabled: '<is> True', volume_backend_name: CLUSTER })
        one = cinder.startMember('vol2')
        other = cinder.startMember('vol3')
        await until('both beat', async () => (await readMembers()).length === 2 && cinder.hasPool(CLUSTER))
      })

      test.sequential("that the agent froze stays disabled after Cinder's own thaw, until the agent thaws it", async () => {
        const base = { cluster: CLUSTER, config_file: one.conf }
        expect((await agent({ ...base, frozen: true })).result).toMatchObject({ changed: true, failed: false })
        await cinder.manageCluster('thaw', CLUSTER)
        expect(await readCluster()).toMatchObject({ disabled: 1, disabled_reason: 'frozen', frozen: 0 })
        expect(await cinder.createVolume('clustered')).toMatchObject({ status: 'error' })

        const { result } = await agent({ ...base, frozen: false })
        expect(result).toMatchObject({ failed: false, backends: [{ actions: ['thaw'] }] })
        expect(await readCluster()).toMatchObject({ disabled: 0, frozen: 0 })
        expect(await cinder.createVolume('clustered')).toMatchObject({ status: 'available' })
      })

      test.sequential("that Cinder's own freeze holds only in part is thawed by the agent too", async () => {
        await cinder.manageCluster('freeze', CLUSTER)
        expect(await readCluster()).toMatchObject({ disabled: 0, frozen: 1 })
        const disabled = (await readMembers()).map((row) => row['disabled'])
        expect(disabled.sort()).toEqual([0, 1])
        const thaw = { cluster: CLUSTER, config_file: one.conf, frozen: false }
        expect((await agent(thaw)).result).toMatchObject({ failed: false, backends: [{ actions: ['thaw'] }] })
        expect(await readMembers()).toMatchObject([HEALTHY_MEMBER, HEALTHY_MEMBER])
        expect((await agent(thaw)).result).toMatchObject({ changed: false })
      })

      test.sequential('whose member died before the failover is promoted once that member is down for long', async () => {
        const { id } = await cinder.createVolume('clustered')
        other.kill()
        await cinder.manageCluster('failover', CLUSTER, { backend_id: 'arrayB' })
        const members = await until('the failover is over', async () => {
          const rows = await readMembers()
          return rows[0]?.['active_backend_id'] === 'arrayB' && rows
        })
        const left = { replication_status: 'failing-over', active_backend_id: null }
        expect(members).toMatchObject([failedOver('arrayB'), left])

        const { promote: _, ...config } = promotion('arrayB', ['arrayC']).config
        const { host: __, ...rest } = promotion('arrayB', ['arrayC'], one.service)
        const request = { ...rest, cluster: CLUSTER, config_file: one.conf, config }
        const { result: early } = await agent(request)
        expect(early).toMatchObject({ changed: false, error: { code: 'failover_in_progress' } })
        expect(early.msg).toContain('vol3@arrayA')
        expect(early.msg).not.toContain('vol2@arrayA')

        await cinder.database.execute(
          "UPDATE services SET updated_at = UTC_TIMESTAMP() - INTERVAL 700 SECOND WHERE host = 'vol3@arrayA'",
        )
        const { result } = await agent(request)
        expect(result).toMatchObject({ changed: true, failed: false })
        const warned = result.warnings.filter((each) => each.includes('vol3@arrayA') && each.includes('failing-over'))
        expect(warned).toHaveLength(1)
        expect(await readCluster()).toMatchObject(HEALTHY)
        expect(await readMembers()).toMatchObject([HEALTHY, HEALTHY])
        for (const volume of [id, (await cinder.createVolume('clustered')).id])
          expect(await cinder.connect(volume)).toBe(ARRAYS.arrayB)
      })
    })

    describe.concurrent('two backends of one cinder-volume', () => {
      const { host, neighbour } = PAIR
      let pair: Pair
      let failover: ReturnType<WholeCinder['holdFailover']>
      /** A replicated volume from before the failover. */
      let old: string

      /** Promotes the first one, without a replica. */
      const promote = (...args: readonly string[]) =>
        agent(
          { ...promotion('arrayB', [], pair.service), host, replication: 'disabled', config_file: pair.conf },
          { args },
        )
      const about = (warnings: readonly string[], fact: string) => warnings.filter((each) => each.includes(fact))

      beforeAll(async () => {
        await cinder.createType('paired', { replication_enabled: '<is> True', volume_backend_name: host })
        pair = cinder.startPair()
        await until('both beat', async () => (await cinder.hasPool(host)) && cinder.hasPool(neighbour))
      })

      test.sequential('one that is failing over keeps the other from a stop', async () => {
        old = (await cinder.createVolume('paired')).id
        expect(await cinder.failOver('arrayB', host)).toMatchObject(failedOver('arrayB'))
        failover = cinder.holdFailover(neighbour)
        await cinder.callFailover('arrayC', neighbour)
        const conf = readFileSync(pair.conf, 'utf8')
        for (const args of [['--check'], []]) {
          const { result } = await promote(...args)
          expect(result).toMatchObject({ changed: false, error: { code: 'failover_in_progress' } })
          expect(result.msg).toContain(neighbour)
        }
        expect(await cinder.row(host)).toMatchObject({ ...failedOver('arrayB'), frozen: 0 })
        expect(await cinder.row(neighbour)).toMatchObject({ replication_status: 'failing-over' })
        expect(readFileSync(pair.conf, 'utf8')).toBe(conf)
        expect(pair.starts()).toHaveLength(2)
      })

      test.sequential('one whose failover ended in an error is enabled by the restart for the other, as told before', async () => {
        cinder.burn('arrayC', neighbour)
        failover.release()
        const error = { disabled: 1, replication_status: 'failover-error', active_backend_id: null }
        const isOver = async () => (await cinder.row(neighbour))['replication_status'] !== 'failing-over'
        await until('the failover is over', isOver)
        expect(await cinder.row(neighbour)).toMatchObject(error)

        const { result: check } = await promote('--check')
        for (const fact of [neighbour, 'extended']) expect(about(check.warnings, fact)).toHaveLength(1)
        expect(await cinder.row(neighbour)).toMatchObject(error)
        const { result } = await promote()
        const actions = PROMOTION.filter((each) => each !== 'enable_replication')
        expect(result).toMatchObject({ failed: false, backends: [{ actions }] })
        expect(await cinder.row(host)).toMatchObject({ ...HEALTHY, replication_status: 'disabled' })
        await until('the neighbour has started', async () => pair.starts().length === 4)
        await until(
          'its driver has spoken',
          async () => (await cinder.row(neighbour))['replication_status'] === 'enabled',
        )
      })

      test.sequential('one that was promoted without a replica cannot extend a replicated volume until it has one', async () => {
        expect(await cinder.connect(old)).toBe(ARRAYS.arrayB)
        expect(await cinder.extendVolume(old, 2)).toMatchObject({ status: 'available', size: 1 })
        expect(await cinder.createVolume('paired')).toMatchObject({ status: 'error' })

        const config = { replication_device: [device('arrayC')] }
        const request = { host, replication: 'enabled', frozen: false, config_file: pair.conf, config }
        const { result } = await agent({ ...request, service: pair.service })
        expect(result).toMatchObject({ changed: true, failed: false })
        // The scheduler hears of the replica with the next report of cinder-volume.
        await until('it is extended', async () => (await cinder.extendVolume(old, 2)).size === 2)
      })
    })
  },
)

async function startAlone(): Promise<void> {
  const request = { host: HOST, config_file: cinder.volume.conf, service: cinder.volume.service }
  expect((await agent(request)).result).toMatchObject({ failed: false, backends: [{ actions: ['start_service'] }] })
}

/** Waits for a failover that cinder-volume finds in its queue at its start, after it has overwritten `failing-over`. */
async function untilRunsOn(name: ArrayName): Promise<void> {
  await until(`it runs on ${name}`, async () => (await cinder.row())['active_backend_id'] === name)
}

async function readCluster(): Promise<TableRow | undefined> {
  return (await cinder.database.rows('clusters')).find(({ name }) => name === CLUSTER)
}

/** The rows of the cluster's members that have beaten, in the order of their names. */
async function readMembers(): Promise<readonly TableRow[]> {
  const rows = await cinder.database.rows('services')
  const members = rows.filter((row) => row['cluster_name'] === CLUSTER && Number(row['report_count']) > 0)
  return members.sort((a, b) => String(a['host']).localeCompare(String(b['host'])))
}
