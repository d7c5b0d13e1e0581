import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { agent } from '../support/agent.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, HEALTHY, insert, service } from '../support/rows.js'

const { folder } = inject('peers')

const B = { san_ip: '10.0.0.2', pure_api_token: 's3cr3t-B' }
const C = { backend_id: 'arrayC', san_ip: '10.0.0.3', api_token: 's3cr3t-C' }
const RESET = { active_backend: 'reset', replication: 'enabled' }
const WHOLE = { ...RESET, frozen: false }
const MOVED = { promote: 'arrayB', replication_device: [C] }
const OLD_COPY = '.cinder.conf.before-promotion-arrayA'

const PROMOTED = `[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.2
pure_api_token = s3cr3t-B
replication_device = backend_id:arrayC,san_ip:10.0.0.3,api_token:s3cr3t-C
`
/** Another hand has put arrayC into the section, whose primary is still arrayA. */
const HALF = PURE.replace(/replication_device.*/, 'replication_device = backend_id:arrayC,san_ip:10.0.0.3')

let database: TestDatabase
let on: string
beforeEach(async () => {
  database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, updated_at: null }))
  on = join(mkdtempSync(join(folder, 'flag-')), 'on')
  writeFileSync(on, '')
})
afterEach(() => database.close())

/** A service that is nothing but a file, and never beats. */
const flag = () => ({
  manager: 'command',
  start: ['touch', on],
  stop: ['rm', '-f', on],
  status: ['test', '-e', on],
})

interface Site {
  readonly conf?: string | Buffer
  readonly request: object
  readonly service?: boolean
}

const run = async (file: string | undefined, { request, service: hasService = false }: Site, ...args: string[]) => {
  const { result, stdout } = await agent(
    {
      host: 'vol1@arrayA',
      connection: database.connection,
      ...(file !== undefined && { config_file: file }),
      ...(hasService && { service: flag(), wait: false }),
      ...request,
    },
    { args },
  )
  expect(stdout).not.toContain('s3cr3t')
  return result
}

/** Refused in check mode as in the run, before anything is done. */
const refused = async (site: Site, code = 'not_promoted') => {
  const file = confFile(site.conf ?? PURE)
  const before = [await database.rows('services'), readFileSync(file, 'utf8')]
  for (const args of [['--check'], []]) {
    const result = await run(file, site, ...args)
    expect(result).toMatchObject({ changed: false, failed: true, error: { code } })
  }
  expect([await database.rows('services'), readFileSync(file, 'utf8')]).toEqual(before)
  expect(existsSync(on)).toBe(true)
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
}

const done = async (site: Site) => {
  const file = confFile(site.conf ?? PURE)
  const check = await run(file, site, '--check')
  const result = await run(file, site)
  expect(result).toMatchObject({ changed: true, failed: false })
  expect(result.backends[0]?.actions).toEqual(check.backends[0]?.actions)
  expect((await database.rows('services'))[0]).toMatchObject({ active_backend_id: null })
  const { config, frozen } = site.request as { config?: object; frozen?: boolean }
  const isOpen = config !== undefined && frozen === undefined && !site.service && site.conf !== PROMOTED
  expect(readdirSync(dirname(file))).toEqual([...(isOpen ? [OLD_COPY] : []), 'cinder.conf'])
  expect(await run(file, site)).toMatchObject({ changed: false, failed: false })
  return { file, result }
}

const toArray = (id: string | null, more: object = {}) =>
  database.execute(
    `DELETE FROM services; ${service(1, 'vol1@arrayA', { ...FAILED_OVER, active_backend_id: id, updated_at: null, ...more })}`,
  )

describe('a reset whose primary is shown to be another array is refused', () => {
  test.each<[string, Site]>([
    ['without an edit', { request: WHOLE, service: true }],
    ['bare', { request: { active_backend: 'reset' } }],
    ['with an option that is about something else', { request: { ...RESET, config: { options: { use_chap: true } } } }],
    ['with only the new replica', { request: { ...WHOLE, config: { replication_device: [C] } }, service: true }],
    [
      'with the new replica and an option that is about something else',
      { request: { ...RESET, config: { replication_device: [C], options: { use_chap: true } } } },
    ],
    [
      'with another address than the entry gave',
      { request: { ...RESET, config: { replication_device: [C], options: { ...B, san_ip: '10.0.0.9' } } } },
    ],
    [
      'with another address beside the name of the replica',
      { request: { ...RESET, config: { ...MOVED, options: { san_ip: '10.0.0.9' } } } },
    ],
    ['with a statement that the section disproves', { request: { ...WHOLE, promoted: 'arrayB' }, service: true }],
    ['bare, with a statement that the section disproves', { request: { ...RESET, promoted: 'arrayB' } }],
    [
      'with replicas that come from [backend_defaults]',
      {
        conf: `${PURE.replace(/replication_device.*\n/, '')}[backend_defaults]\nreplication_device = backend_id:arrayB,san_ip:10.0.0.2\n`,
        request: RESET,
      },
    ],
  ])('%s', (_, site) => refused(site))

  test('after a second failover, by the request of the first promotion', async () => {
    await toArray('arrayC')
    const config = { options: B, replication_device: [C] }
    await refused({ conf: PROMOTED, request: { ...WHOLE, config }, service: true })
    await refused({ conf: PROMOTED, request: { ...WHOLE, promoted: 'arrayB' }, service: true })
    await refused({ conf: PROMOTED, request: { ...WHOLE, config: MOVED }, service: true }, 'not_failed_over')
  })

  test('by a statement about another failover, with or without a section', async () => {
    await refused({ conf: PROMOTED, request: { ...RESET, promoted: 'arrayX' } })
    await refused({ conf: '', request: { ...RESET, promoted: 'arrayX' } })
  })
})

describe('a reset that nothing proves', () => {
  const more: readonly [string, Pick<Site, 'request' | 'service'>][] = [
    ['with a service', { request: RESET, service: true }],
    ['with frozen: false', { request: WHOLE }],
    ['with an edit', { request: { ...RESET, config: { options: B, replication_device: [C] } } }],
    ['with the name of a replica that the section lacks', { request: { ...RESET, config: { promote: 'arrayB' } } }],
    ['with the name, and the new replica', { request: { ...WHOLE, config: MOVED }, service: true }],
  ]
  const misspelt = PURE.replace('arrayB', 'arrayb')
  test.each(more)('is refused %s, where the entry is misspelt', (_, site) => refused({ conf: misspelt, ...site }))
  test.each(more)('is refused %s, where another hand wrote the replica alone', (_, site) =>
    refused({ conf: HALF, ...site }),
  )
  test.each(more.slice(0, 2))('is refused %s, where no section can be read', (_, site) =>
    refused({ conf: '', ...site }),
  )

  test('goes on if it is bare, with a warning that says how to state it', async () => {
    for (const conf of ['', HALF, PROMOTED]) {
      await toArray('arrayB')
      const { result } = await done({ conf, request: RESET })
      expect(result.warnings.join()).toMatch(/arrayB.*promoted/)
    }
  })

  test('is refused even if it is bare or stated, where the section has the entry in another case', async () => {
    for (const promoted of [undefined, 'arrayB']) await refused({ conf: misspelt, request: { ...RESET, promoted } })
    const request = { ...RESET, promoted: 'arrayB', config: { replication_device: [C] } }
    await refused({ conf: misspelt, request })
  })

  test('goes on once it is stated, without a warning', async () => {
    for (const site of more.map(([, each]) => each)) {
      await toArray('arrayB')
      const request = { ...site.request, promoted: 'arrayB' }
      const { result } = await done({ conf: PROMOTED, ...site, request })
      expect(result.warnings.join()).not.toContain('promoted')
    }
  })

  test('goes on with force, which names what was not known', async () => {
    for (const conf of ['', PURE, HALF]) {
      await toArray('arrayB')
      const { result } = await done({ conf, request: { ...RESET, frozen: false, force: true } })
      expect(result.warnings.join()).toMatch(/not_promoted.*arrayB/)
    }
  })

  test('of a cluster whose rows name two arrays is refused, bare and stated', async () => {
    await database.execute(
      `DELETE FROM services; ${insert('clusters', { id: 9, name: 'c9@arrayA', binary: 'cinder-volume', deleted: 0, race_preventer: 0, ...FAILED_OVER })} ${[
        'arrayB',
        'arrayC',
      ]
        .map((active_backend_id, index) =>
          service(index + 1, `vol${index + 1}@arrayA`, {
            ...FAILED_OVER,
            active_backend_id,
            cluster_name: 'c9@arrayA',
          }),
        )
        .join('')}`,
    )
    const request = { cluster: 'c9@arrayA', host: undefined, ...RESET }
    for (const promoted of [undefined, 'arrayB', 'arrayC'])
      await refused({ conf: '', request: { ...request, promoted } })
  })

  test('of several backends has one warning, and one of them that is disproven refuses all', async () => {
    const hosts = ['vol2@arrayX', 'vol3@arrayX'].map((host, index) => service(index + 2, host, FAILED_OVER))
    await database.execute(hosts.join(''))
    const backends = ['vol2@arrayX', 'vol3@arrayX', 'vol1@arrayA'].map((host) => ({ host }))
    const base = { active_backend: 'reset', connection: database.connection }
    const file = confFile(PURE)
    const all = await agent({ ...base, config_file: file, backends })
    expect(all.result).toMatchObject({ changed: false, error: { code: 'not_promoted', host: 'vol1@arrayA' } })
    const two = await agent({ ...base, config_file: file, backends: backends.slice(0, 2) })
    expect(two.result).toMatchObject({ changed: true, failed: false })
    expect(two.result.warnings).toHaveLength(1)
    expect(two.result.warnings[0]).toMatch(/vol2@arrayX.*vol3@arrayX/)
  })
})

describe('a statement', () => {
  test('about a backend that is not failed over holds', async () => {
    await database.execute(`DELETE FROM services; ${service(1, 'vol1@arrayA', HEALTHY)}`)
    const request = { ...WHOLE, promoted: 'arrayZ' }
    expect(await run(confFile(PROMOTED), { request })).toMatchObject({ changed: false, failed: false })
  })

  test('can be made for each of several backends', async () => {
    await database.execute(service(2, 'vol2@arrayX', { ...FAILED_OVER, active_backend_id: 'arrayY' }))
    const backends = [
      { host: 'vol1@arrayA', promoted: 'arrayB' },
      { host: 'vol2@arrayX', promoted: 'arrayY' },
    ]
    const request = {
      active_backend: 'reset',
      frozen: false,
      connection: database.connection,
      config_file: confFile(''),
    }
    const swapped = backends.map(({ host }, index) => ({ host, promoted: backends[1 - index]?.promoted }))
    expect((await agent({ ...request, backends: swapped })).result.error?.code).toBe('not_promoted')
    expect((await agent({ ...request, backends })).result).toMatchObject({ changed: true, failed: false })
  })

  test('about a failover that named no array is proof too', async () => {
    await toArray(null, { replication_status: 'failover-error' })
    await refused({ conf: PROMOTED, request: WHOLE })
    await done({ conf: PROMOTED, request: { ...WHOLE, promoted: 'arrayB' } })
  })
})

describe('a promotion by this run is proof', () => {
  test.each<[string, Site['request']]>([
    ['by the name of the replica', { config: MOVED }],
    ['by the replica that is active', { config: { ...MOVED, promote: true } }],
    ['by options that agree with its entry', { config: { options: B, replication_device: [C] } }],
  ])('%s', async (_, request) => {
    await done({ request: { ...WHOLE, ...request }, service: true })
  })

  test('names options that were left to the old primary', async () => {
    const config = { options: { san_ip: B.san_ip }, replication_device: [C] }
    const { result } = await done({ request: { ...RESET, config } })
    expect(result.warnings.join()).toContain('pure_api_token')
  })

  test('by options that disagree with the entry is none', () =>
    refused({
      request: { ...RESET, config: { options: { ...B, pure_api_token: 's3cr3t-X' }, replication_device: [C] } },
    }))

  test('by the edit of an earlier run, which was to reset nothing', async () => {
    const file = confFile(PURE)
    const edit = await run(file, { request: { config: { ...MOVED } } })
    expect(edit).toMatchObject({ changed: true, failed: false })
    expect(await run(file, { request: { config: { ...MOVED } } })).toMatchObject({ changed: false, failed: false })
    expect(await run(file, { request: WHOLE, service: true })).toMatchObject({ changed: true, failed: false })
    expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
  })

  test('by an edit that takes the entry out alone is none, which it says', async () => {
    const file = confFile(PURE)
    const edit = await run(file, { request: { config: { replication_device: [C] } } })
    expect(edit).toMatchObject({ changed: true, failed: false })
    expect(edit.warnings.join()).toContain('san_ip')
    for (const request of [RESET, { ...RESET, promoted: 'arrayB' }])
      expect((await run(file, { request })).error?.code).toBe('not_promoted')
    expect(await run(file, { request: { ...RESET, config: { options: B } } })).toMatchObject({ failed: false })
  })

  test('not if another hand has put the old primary back since', async () => {
    const file = confFile(PURE)
    await run(file, { request: { config: { ...MOVED } } })
    writeFileSync(file, HALF)
    for (const request of [WHOLE, { ...WHOLE, promoted: 'arrayB' }, { ...WHOLE, config: MOVED }])
      expect((await run(file, { request, service: true })).error?.code).toBe('not_promoted')
    expect((await database.rows('services'))[0]).toMatchObject({ active_backend_id: 'arrayB' })
  })
})

/** What the row has after a reset that is held until the start. */
const HELD = {
  replication_status: 'disabled',
  active_backend_id: null,
  disabled: 1,
  disabled_reason: 'frozen',
  frozen: 1,
}

describe('a start', () => {
  const stop = () => unlinkSync(on)
  const started = async (file: string, request: object) => run(file, { request, service: true })
  /** An edit by the agent, after which the row is set by somebody else. */
  const edited = async (row: object) => {
    const file = confFile(PURE)
    expect(await run(file, { request: { config: MOVED } })).toMatchObject({ changed: true, failed: false })
    await database.execute(`DELETE FROM services; ${service(1, 'vol1@arrayA', { ...row, updated_at: null })}`)
    stop()
    return file
  }

  test('on an edited section is refused while the row is failed over', async () => {
    await refused({ request: { config: { replication_device: [C] } }, service: true })
    await refused({ request: { config: MOVED }, service: true })
  })

  test('of a later run too', async () => {
    const file = await edited(FAILED_OVER)
    const result = await started(file, {})
    expect(result.error?.code).toBe('not_promoted')
    expect(result.msg).toContain(OLD_COPY)
    expect(existsSync(on)).toBe(false)
    expect(await started(file, { ...WHOLE, config: MOVED })).toMatchObject({ changed: true, failed: false })
    expect(existsSync(on)).toBe(true)
  })

  test('is not refused while the section has the array that the row names', async () => {
    stop()
    expect(await started(confFile(PURE), {})).toMatchObject({ changed: true, failed: false })
  })

  test.each<[string, object]>([
    ['by the same request', { ...WHOLE, config: MOVED }],
    ['by a statement', { ...WHOLE, promoted: 'arrayB' }],
    ['by a request that names no array', WHOLE],
    ['of the service alone', {}],
  ])('after the reset is refused %s, if another hand has put the old primary back', async (_, request) => {
    const file = await edited(HELD)
    for (const text of [HALF, PURE]) {
      writeFileSync(file, text)
      const { error } = await started(file, request)
      // With the entry back in its section the name of the replica is about a backend that is not failed over.
      expect(error?.code).toBe('config' in request && text === PURE ? 'not_failed_over' : 'not_promoted')
      expect([existsSync(on), readFileSync(file, 'utf8')]).toEqual([false, text])
      expect(readdirSync(dirname(file))).toContain(OLD_COPY)
    }
    writeFileSync(file, PROMOTED)
    expect(await started(file, request)).toMatchObject({ failed: false })
    expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
  })

  test('after a statement that the section disproves is refused, also of a row that was reset', async () => {
    await database.execute(`DELETE FROM services; ${service(1, 'vol1@arrayA', { ...HELD, updated_at: null })}`)
    await refused({ request: { ...WHOLE, promoted: 'arrayB' }, service: true })
  })

  test('after a fail-back is refused until the section has its old primary again', async () => {
    const file = await edited({ ...HEALTHY, active_backend_id: '' })
    const { error } = await started(file, {})
    expect(error).toMatchObject({ code: 'not_promoted', hint: expect.stringContaining(OLD_COPY) })
    expect(readdirSync(dirname(file))).toContain(OLD_COPY)
    renameSync(join(dirname(file), OLD_COPY), file)
    expect(await started(file, {})).toMatchObject({ changed: true, failed: false })
  })

  test('after a fail-back of a process that runs is not judged by the file, and keeps the way back', async () => {
    const file = await edited({ ...HEALTHY, active_backend_id: '', frozen: 1 })
    writeFileSync(on, '')
    const result = await started(file, { frozen: false })
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.warnings.join()).toContain(OLD_COPY)
    expect(readdirSync(dirname(file))).toContain(OLD_COPY)
  })
})

describe('an old copy', () => {
  test.each<[string, object]>([
    ['is kept as long as the backend is frozen', { ...RESET, config: MOVED }],
    ['is kept as long as cinder-volume is stopped', { ...RESET, config: MOVED, service: { state: 'stopped' } }],
  ])('%s, and removed by the thaw', async (_, { service: wanted, ...request }: { readonly service?: object }) => {
    const file = confFile(PURE)
    const first = wanted === undefined ? request : { ...request, wait: false, service: { ...flag(), ...wanted } }
    expect(await run(file, { request: first })).toMatchObject({ changed: true, failed: false })
    expect(readdirSync(dirname(file))).toContain(OLD_COPY)
    writeFileSync(file, HALF)
    expect((await run(file, { request: { frozen: false } })).error?.code).toBe('not_promoted')
    writeFileSync(file, PROMOTED)
    expect(await run(file, { request: { frozen: false } })).toMatchObject({ changed: true, failed: false })
    expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
  })

  test('that cannot be kept refuses the edit before anything is done', async () => {
    const file = confFile(PURE)
    mkdirSync(join(dirname(file), OLD_COPY))
    const before = await database.rows('services')
    for (const args of [['--check'], []]) {
      const { error, changed } = await run(file, { request: { ...WHOLE, config: MOVED }, service: true }, ...args)
      expect([error?.code, changed]).toEqual(['config_write_failed', false])
    }
    expect([await database.rows('services'), readFileSync(file, 'utf8')]).toEqual([before, PURE])
  })
})

test('a reset that thaws while cinder-volume stays stopped says that nobody has seen it start', async () => {
  const request = { ...WHOLE, config: MOVED, wait: false, service: { ...flag(), state: 'stopped' } }
  const file = confFile(PURE)
  const result = await run(file, { request })
  expect(result).toMatchObject({ changed: true, failed: false })
  expect(result.warnings.join()).toContain('frozen: true')
  expect(readdirSync(dirname(file))).toContain(OLD_COPY)
})

describe('a failover that ended in an error, and whose row names no array,', () => {
  const ended = () => toArray(null, { replication_status: 'failover-error' })

  test('is not settled by a statement that the section disproves', async () => {
    await ended()
    await refused({ request: { ...WHOLE, promoted: 'arrayB' } })
    await refused({ request: { ...WHOLE, promoted: 'arrayB', config: { options: { use_chap: true } } } })
  })

  test('is settled by the settings of the array that is stated', async () => {
    await ended()
    const config = { options: B, replication_device: [C] }
    const { result } = await done({ request: { ...WHOLE, promoted: 'arrayB', config } })
    expect(result.warnings.join()).toContain('failover')
  })
})

describe('by the driver', () => {
  const netapp = `[arrayA]
volume_driver = cinder.volume.drivers.netapp.common.NetAppDriver
netapp_server_hostname = 10.0.0.1
netapp_vserver = svmA
replication_device = backend_id:arrayB
[arrayB]
netapp_server_hostname = 10.0.0.2
netapp_vserver = svmB
`
  const powermax = `[arrayA]
volume_driver = cinder.volume.drivers.dell_emc.powermax.fc.PowerMaxFCDriver
san_ip = 10.0.0.5
powermax_array = 000111
replication_device = backend_id:arrayB,target_device_id:000222,remote_pool:SRP_1
`
  const sc = `[arrayA]
volume_driver = cinder.volume.drivers.dell_emc.sc.storagecenter_fc.SCFCDriver
dell_sc_ssn = 64702
replication_device = target_device_id:arrayB
`
  const unknown = `[arrayA]
volume_driver = example.Driver
san_ip = 10.0.0.1
san_login = admin
replication_device = backend_id:arrayB,san_ip:10.0.0.2,san_login:admin2
`
  const byOptions = (conf: string, options: object) => ({
    conf,
    request: { ...RESET, config: { options, replication_device: [{ backend_id: 'arrayC' }] } },
  })

  test.each<[string, Site]>([
    ['NetApp: the address alone', byOptions(netapp, { netapp_server_hostname: '10.0.0.2' })],
    [
      'NetApp: the address alone, where the section of B is not here',
      byOptions(netapp.replace(/\[arrayB\].*/s, ''), { netapp_server_hostname: '10.0.0.2' }),
    ],
    ['SC: an entry without a backend_id', { conf: sc, request: { active_backend: 'reset' } }],
    ['PowerMax: the address of Unisphere', byOptions(powermax, { san_ip: '10.0.0.6' })],
    ['an unknown driver: no address', byOptions(unknown, { san_login: 'admin2' })],
    ['an unknown driver: another address', byOptions(unknown, { san_ip: '10.0.0.9', san_login: 'admin2' })],
    [
      'an unknown driver: one address of two',
      byOptions(unknown.replace('san_ip = 10.0.0.1', 'san_ip = 10.0.0.1\nrest_ip = 10.0.1.1'), {
        san_ip: '10.0.0.2',
        san_login: 'admin2',
      }),
    ],
    [
      'an unknown driver: an address that both arrays share',
      byOptions(unknown.replace('san_ip:10.0.0.2', 'san_ip:10.0.0.1'), { san_login: 'admin2' }),
    ],
    [
      'an unknown driver: an entry without an address',
      byOptions(unknown.replace('san_ip:10.0.0.2,', ''), { san_ip: '10.0.0.2', san_login: 'admin2' }),
    ],
  ])('%s is refused', (_, site) => refused(site))

  test.each<[string, Site]>([
    ['NetApp', byOptions(netapp, { netapp_server_hostname: '10.0.0.2', netapp_vserver: 'svmB' })],
    ['PowerMax', byOptions(powermax, { powermax_array: '000222' })],
    ['an unknown driver', byOptions(unknown, { san_ip: '10.0.0.2', san_login: 'admin2' })],
  ])('%s: the options that name the array are proof', async (_, site) => {
    await done(site)
  })
})

describe('what else says that all is well', () => {
  test('a replica to promote that neither the row nor the section knows', () =>
    refused({ request: { config: { promote: 'nosuch' } } }, 'not_failed_over'))

  test('a replica that is to be promoted, and to stay', () =>
    refused({ request: { ...RESET, config: { promote: 'arrayC', replication_device: [C] } } }, 'invalid_request'))

  test('a replica to promote that only the row knows', () =>
    refused({ conf: PURE.replace('arrayB', 'arrayb'), request: { config: { promote: 'arrayB' } } }))

  test('replication that is enabled where the section has no replica', async () => {
    const conf = PROMOTED.replace(/replication_device.*\n/, '')
    const request = { ...RESET, promoted: 'arrayB' }
    await refused({ conf, request, service: true }, 'replication_not_enabled')
    const { result } = await done({ conf, request })
    expect(result.warnings.join()).toContain('replication_device')
  })

  test('a reset of a backend that is not frozen, and is not to be', async () => {
    await toArray('arrayB', { frozen: 0 })
    await refused({ conf: PROMOTED, request: WHOLE })
    const { result } = await done({ conf: PROMOTED, request: { ...WHOLE, promoted: 'arrayB' } })
    expect(result.warnings.join()).toContain('was not frozen')
  })

  test('an undo that marks a failed-over backend as normal', async () => {
    const file = confFile(PURE)
    const base = { connection: database.connection, config_file: file }
    const text = JSON.stringify
    await database.execute(`DELETE FROM services; ${service(1, 'vol1@arrayA', HEALTHY)}`)
    const set = { ...base, host: 'vol1@arrayA', active_backend_id: 'arrayB', force: true }
    const { result } = await agent(set)
    const undone = await agent(text({ ...result.undo, ...base }))
    expect(undone.result.error?.code).toBe('not_promoted')
    writeFileSync(file, '')
    expect((await agent(text({ ...result.undo, ...base }))).result).toMatchObject({ changed: true, failed: false })
  })
})

test('oslo.config reads nothing of the copy that is kept as proof', () => {
  const file = confFile(PURE)
  execFileSync('cp', [file, join(dirname(file), OLD_COPY)])
  expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.conf'))).toEqual(['cinder.conf'])
})
