import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { mariaDb, titled } from '../support/databases.js'
import { ARRAYS, HOST, startWholeCinder, type WholeCinder } from '../support/peers/whole-cinder.js'
import { HEALTHY } from '../support/rows.js'
import { until } from '../support/volume.js'

const { missing, folder } = inject('peers')
const absent = missing.cinderVolume ?? missing.cinderApi ?? missing.rabbitmq ?? mariaDb.missing

type Array = keyof typeof ARRAYS

const device = (name: Array) => ({ backend_id: name, san_ip: ARRAYS[name] })

/** The columns of a backend that Cinder itself has failed over, and nobody has frozen. */
const failedOver = (name: Array) => ({
  disabled: 1,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: name,
})

/** The columns of a backend that Cinder itself has failed back. */
const FAILED_BACK = { replication_status: 'enabled', active_backend_id: '' }

let cinder: WholeCinder

/** All that an operator wants after a failover to the array. */
function promotion(name: Array, replicas: readonly Array[], service: object = cinder.volume.service) {
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
function hold(when: 'before' | 'after', verb: 'stop' | 'start') {
  const gate = mkdtempSync(join(folder, 'gate-'))
  const wait = 'touch "$0/held"; while [ ! -e "$0/go" ]; do sleep 0.1; done'
  const script = when === 'before' ? `${wait}; exec "$@"` : `"$@"; ${wait}`
  const { service } = cinder.volume
  return {
    service: { ...service, [verb]: ['sh', '-c', script, gate, ...service[verb]] },
    untilHeld: () => until(`the ${verb} is held`, async () => existsSync(join(gate, 'held'))),
    release: () => writeFileSync(join(gate, 'go'), ''),
  }
}

const readConf = () => readFileSync(cinder.volume.conf, 'utf8')

const STOPPED_FOR_NOTHING = ['freeze', 'stop_service']

const PROMOTION = [
  ...STOPPED_FOR_NOTHING,
  'update_config',
  'reset_active_backend',
  'enable_replication',
  'start_service',
  'thaw',
]

// One Cinder for all tests, which tell one story in their order.
describe.skipIf(absent !== null)(
  titled({ name: 'a whole Cinder, failed over by its own API', missing: absent }),
  () => {
    /** A replicated volume from before the first failover. */
    let old: string

    beforeAll(async () => {
      cinder = await startWholeCinder()
    })
    afterAll(() => cinder?.stop())

    test('a failover takes replicated volumes along, and leaves the others in error', async () => {
      await cinder.createType('replicated', { replication_enabled: '<is> True' })
      await cinder.createType('plain', {})
      const volume = await cinder.createVolume('replicated')
      const plain = await cinder.createVolume('plain')
      expect([volume, plain]).toMatchObject([{ status: 'available' }, { status: 'available' }])
      old = volume.id
      expect(await cinder.connect(old)).toBe(ARRAYS.arrayA)

      rmSync(cinder.array('arrayA'), { recursive: true })
      expect(await cinder.failOver('arrayB')).toMatchObject({ ...failedOver('arrayB'), frozen: 0 })
      expect(await cinder.readVolume(old)).toMatchObject({ status: 'available', replication_status: 'failed-over' })
      expect(await cinder.readVolume(plain.id)).toMatchObject({ status: 'error', replication_status: 'not-capable' })
      expect(await cinder.connect(old)).toBe(ARRAYS.arrayB)
    })

    test('one request promotes it, and the request after that changes nothing', async () => {
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

    test('it is used: volumes, new ones and those that were failed over', async () => {
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

    test('the request of the last promotion is refused after the next failover, and holds after the fail-back', async () => {
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

    test('a fail-back between the freeze and the stop ends the promotion before its edit', async () => {
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
            actions: STOPPED_FOR_NOTHING,
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

    test('a failover to another array between the freeze and the stop ends the promotion before its edit', async () => {
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
            actions: STOPPED_FOR_NOTHING,
            before: { active_backend_id: 'arrayC' },
            after: { active_backend_id: 'arrayD', replication_status: 'failed-over' },
          },
        ],
      })
      expect(result).not.toHaveProperty('undo')
      expect(readConf()).toBe(conf)
      await startAlone()
    })

    test('a failover that the API accepts after the stop: cinder-volume finishes it once it is started again', async () => {
      const conf = readConf()
      const { service, untilHeld, release } = hold('after', 'stop')
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

    test('a failover that ended in an error is promoted, and one after the reset is told and leads nobody back', async () => {
      await cinder.failOver('arrayD')
      rmSync(cinder.array('arrayC'), { recursive: true })
      const failed = { ...failedOver('arrayD'), replication_status: 'failover-error' }
      expect(await cinder.failOver('default')).toMatchObject(failed)
      await expect(cinder.callFailover('arrayB')).rejects.toThrow("must be ['enabled', 'failed-over']")

      const request = promotion('arrayD', ['arrayB'])
      const { service, untilHeld, release } = hold('before', 'start')
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
  },
)

async function startAlone(): Promise<void> {
  const request = { host: HOST, config_file: cinder.volume.conf, service: cinder.volume.service }
  expect((await agent(request)).result).toMatchObject({ failed: false, backends: [{ actions: ['start_service'] }] })
}

/** Waits for a failover that cinder-volume finds in its queue at its start, after it has overwritten `failing-over`. */
async function untilRunsOn(name: Array): Promise<void> {
  await until(`it runs on ${name}`, async () => (await cinder.row())['active_backend_id'] === name)
}
