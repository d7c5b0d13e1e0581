import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { confFile } from '../../support/conf.js'
import { embedded } from '../../support/databases.js'
import { runHere } from '../../support/inprocess.js'
import { judge } from '../../support/judge.js'
import { FAILED_OVER, HEALTHY, service } from '../../support/rows.js'

const { folder, missing } = inject('peers')
const title = missing.cinder === null ? "Cinder's own drivers" : `Cinder's own drivers (skipped: ${missing.cinder})`

const RUNS = 400

/** How each driver names its array: options of the section, with the keys of an entry. */
const DRIVERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'rbd.RBDDriver': { rbd_ceph_conf: 'conf' },
  'pure.PureISCSIDriver': { san_ip: 'san_ip' },
  'dell_emc.unity.driver.UnityDriver': { san_ip: 'san_ip' },
  'dell_emc.powerstore.driver.PowerStoreDriver': { san_ip: 'san_ip' },
  'ibm.storwize_svc.storwize_svc_iscsi.StorwizeSVCISCSIDriver': { san_ip: 'san_ip' },
  'hpe.hpe_3par_iscsi.HPE3PARISCSIDriver': { hpe3par_api_url: 'hpe3par_api_url', san_ip: 'san_ip' },
  'infinidat.InfiniboxVolumeDriver': { san_ip: 'san_ip' }, // one that the agent's table lacks
}

const ARRAYS = ['arrayA', 'arrayB', 'arrayC'] as const
const nameArray = (option: string, array: string) =>
  option === 'rbd_ceph_conf' ? `/etc/ceph/${array}.conf` : `${array}-${option}`

/** How a hand writes an entry. */
const STYLES: readonly ((pairs: readonly string[]) => string)[] = [
  (pairs) => pairs.join(','),
  (pairs) => pairs.join(' , ').replaceAll(':', ' : '),
  (pairs) => `"${pairs.join(',')}"`,
  (pairs) => pairs.join(',\n    '),
]

const scene = fc.record({
  driver: fc.constantFrom(...Object.keys(DRIVERS)),
  /** The array of each option that names one: hands may have changed only some. */
  primary: fc.tuple(fc.constantFrom(...ARRAYS), fc.option(fc.constantFrom(...ARRAYS), { nil: undefined, freq: 6 })),
  replicas: fc.uniqueArray(fc.constantFrom('arrayB', 'arrayC', 'arrayb'), { maxLength: 2 }),
  inDefaults: fc.boolean(),
  byReference: fc.boolean(),
  style: fc.constantFrom(...STYLES),
  active: fc.constantFrom('arrayB', 'arrayB', 'arrayC', null),
  frozen: fc.boolean(),
  wants: fc.record({
    replication: fc.constantFrom(undefined, 'enabled', 'disabled'),
    frozen: fc.constantFrom(undefined, true, false),
  }),
  promote: fc.constantFrom(undefined, undefined, 'arrayB', 'arrayC', true),
  /** The array whose settings the request writes out, and whether it forgets some of them. */
  options: fc.constantFrom(undefined, undefined, ...ARRAYS),
  forgets: fc.boolean(),
  devices: fc.constantFrom(undefined, [], ['arrayC'], ['arrayB']),
  hasService: fc.boolean(),
  states: fc.boolean(),
  check: fc.constantFrom(true, false, false),
  /** Whether the section has what it should have, so that a promotion by the request is likely. */
  isOrderly: fc.boolean(),
})
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never

function makeConf({ driver, byReference, style, ...each }: Scene): string {
  const primary = each.isOrderly ? (['arrayA'] as const) : each.primary
  const replicas = each.isOrderly && each.active !== null ? [each.active] : each.replicas
  const inDefaults = each.inDefaults && !each.isOrderly
  const names = Object.entries(DRIVERS[driver] ?? {})
  const [first, second = first] = primary
  const settings = names.map(([option], index) => {
    const value = nameArray(option, index === 0 ? first : second)
    const other = ['san_login', 'san_password'][index] // registered, or oslo.config would not follow it
    return byReference ? `${option} = $${other}\n${other} = ${value}` : `${option} = ${value}`
  })
  const entries = replicas.map((id) => {
    const pairs = names.map(([option, key]) => `${key}:${nameArray(option, id)}`)
    return `replication_device = ${style([`backend_id:${id}`, ...pairs])}`
  })
  const section = ['[arrayA]', `volume_driver = cinder.volume.drivers.${driver}`, ...settings]
  const defaults = ['[backend_defaults]', ...entries]
  return `${['[DEFAULT]', 'my_ip = 127.0.0.1', ...section, ...(inDefaults ? defaults : entries)].join('\n')}\n`
}

function makeRequest(each: Scene): object {
  const { driver, promote, options, forgets, devices } = each
  const names = Object.keys(DRIVERS[driver] ?? {})
  const given =
    options && Object.fromEntries(names.slice(forgets ? 1 : 0).map((option) => [option, nameArray(option, options)]))
  const config = {
    ...(promote !== undefined && { promote }),
    ...(given !== undefined && { options: given }),
    ...(devices !== undefined && {
      replication_device: devices.map((id) => ({ backend_id: id, san_ip: `${id}-san_ip` })),
    }),
  }
  // Only what is true is stated.
  const isTrue =
    !each.isOrderly &&
    each.primary.every((array) => (array ?? each.active) === each.active) &&
    (options ?? each.active) === each.active
  return {
    active_backend: 'reset',
    ...each.wants,
    ...(each.states && isTrue && { promoted: each.active }),
    ...(Object.keys(config).length > 0 && { config }),
  }
}

describe.skipIf(missing.cinder !== null)(title, () => {
  test('start on the array that the backend was failed over to, wherever a run has reset its row', async () => {
    const scenes = fc.sample(scene, RUNS)
    const cases: { driver: string; file: string; section: string; options: readonly string[]; keys: [] }[] = []
    const expected: { active: string; text: string; scene: string }[] = []
    const outcomes = new Set<string>()
    const database = await embedded.create()
    for (const each of scenes) {
      const text = makeConf(each)
      const file = confFile(text)
      const on = join(mkdtempSync(join(folder, 'flag-')), 'on')
      writeFileSync(on, '')
      const flag = { manager: 'command', start: ['touch', on], stop: ['rm', '-f', on], status: ['test', '-e', on] }
      const columns = each.active === null ? HEALTHY : { ...FAILED_OVER, active_backend_id: each.active }
      const row = service(1, 'vol1@arrayA', { ...columns, frozen: Number(each.frozen), updated_at: null })
      await database.execute(`DELETE FROM services;\n${row}`)
      const before = await database.rows('services')
      const request = {
        host: 'vol1@arrayA',
        connection: database.connection,
        config_file: file,
        ...makeRequest(each),
        ...(each.hasService && { service: flag, wait: false }),
      }
      const result = await runHere(request, each.check)
      const after = await database.rows('services')
      const context = JSON.stringify({ text, active: each.active, request, msg: result.msg })
      outcomes.add(result.error?.code ?? (result.changed ? 'changed' : 'unchanged'))
      if (each.check || result.failed) {
        expect(after, context).toEqual(before)
        expect(readFileSync(file, 'utf8'), context).toBe(text)
        expect(existsSync(on), context).toBe(true)
        continue
      }
      const isReset = each.active !== null && after[0]?.['active_backend_id'] === null
      if (!isReset || result.warnings.some((warning) => warning.startsWith('Nothing shows'))) continue
      const driver = `cinder.volume.drivers.${each.driver}`
      cases.push({ driver, file, section: 'arrayA', options: Object.keys(DRIVERS[each.driver] ?? {}), keys: [] })
      expected.push({ active: each.active ?? '', text: readFileSync(file, 'utf8'), scene: context })
    }
    await database.close()
    const answers = judge<{ values: Readonly<Record<string, unknown>> }>('drivers', cases)
    for (const [index, { options }] of cases.entries()) {
      const { active = '', text, scene: context } = expected[index] ?? {}
      for (const option of options)
        expect(answers[index]?.values[option], `${context}\n${text}`).toBe(nameArray(option, active))
    }
    expect(cases.length).toBeGreaterThan(10)
    for (const code of ['changed', 'not_promoted', 'not_failed_over', 'not_frozen'])
      expect([...outcomes]).toContain(code)
  })
})
