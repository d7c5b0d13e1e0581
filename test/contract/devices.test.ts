import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../support/agent.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, service } from '../support/rows.js'

const C = { backend_id: 'arrayC', san_ip: '10.0.0.3', api_token: 's3cr3t-C' }

let database: TestDatabase
beforeEach(async () => {
  database = await embedded.create()
})
afterEach(() => database.close())

/** A run for a backend that is failed over to an array; undefined: it is healthy. */
async function run(active: string | undefined, config: object, request: object = {}, ...args: string[]) {
  const row = active === undefined ? {} : { ...FAILED_OVER, active_backend_id: active, updated_at: null }
  await database.execute(`DELETE FROM services; ${service(1, 'vol1@arrayA', row)}`)
  const outcome = await agent({ host: 'vol1@arrayA', connection: database.connection, config, ...request }, { args })
  expect(outcome.stdout).not.toContain('s3cr3t')
  return outcome.result
}

const section = (driver: string, ...lines: readonly string[]) =>
  confFile(`[arrayA]\nvolume_driver = cinder.volume.drivers.${driver}\n${lines.map((line) => `${line}\n`).join('')}`)

const reset = { active_backend: 'reset', replication: 'enabled', frozen: false }

describe('an entry that is malformed in the file', () => {
  const device = 'replication_device = backend_id:arrayB,san_ip:10.0.0.2,api_token:s3cr3t-B'
  const pure = (...lines: readonly string[]) => section('pure.PureISCSIDriver', 'san_ip = 10.0.0.1', ...lines)
  // The line of the file, and a word of what is probably missing or too much.
  test.each<[string, readonly string[], number, RegExp]>([
    ['a comma at the end', [`${device},`], 4, /ends with a comma/],
    ['a comma at the end of a continuation', [`${device},`, '    type:async,'], 5, /ends with a comma/],
    ['two commas', [device.replace(',san', ',,san')], 4, /empty piece/],
    ['a comma at the beginning', [device.replace('= ', '= ,')], 4, /empty piece/],
    ['no comma between two lines', [device, '    type:async'], 4, /two pieces/],
    ['no comma within a line', [device.replace(',api_token', ' api_token')], 4, /two pieces/],
    ['no comma behind its name', ['replication_device = backend_id:arrayB', '  san_ip:10.0.0.2'], 4, /two pieces/],
    ['no colon', [device.replace('san_ip:', 'san_ip ')], 4, /without a colon/],
    ['no colon in the last piece', [`${device},`, '  type async'], 5, /without a colon/],
    ['a comma in a value', [`${device},s3cr3t`], 4, /without a colon/],
    ['a key twice', [`${device},`, '  san_ip:10.0.0.4'], 5, /twice/],
    ['a value alone', [`${device},`, '  :s3cr3t'], 5, /without a key/],
  ])('is reported with file and line: %s', async (_, lines, number, problem) => {
    const file = pure(...lines)
    const before = readFileSync(file, 'utf8')
    for (const [active, config] of [
      ['arrayB', { promote: 'arrayB', replication_device: [C] }],
      ['arrayB', { promote: true }],
      [undefined, { options: { san_ip: '10.0.0.1' } }],
      [undefined, { options: { san_ip: '10.0.0.5' } }],
    ] as const) {
      const result = await run(active, { file, ...config }, active === undefined ? {} : reset, '--check')
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'config_error' } })
      expect(result.msg).toContain(`${file}, line ${number}: `)
      expect(result.msg).toMatch(problem)
      expect(result.error?.hint).toBeDefined()
    }
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('in [backend_defaults] too, where an edit would uncover it', async () => {
    const file = pure(device, '[backend_defaults]', `${device.replace('arrayB', 'arrayD')},`)
    const result = await run(undefined, { file, replication_device: [] }, {}, '--check')
    expect(result).toMatchObject({ error: { code: 'config_error' }, msg: expect.stringContaining('line 6') })
  })

  test('is no obstacle where it is replaced', async () => {
    const file = pure(device.replace(',san', ',,san'))
    expect(await run(undefined, { file, replication_device: [C] })).toMatchObject({ changed: true, failed: false })
  })

  test('can be promoted by hand with a statement, with a warning', async () => {
    const file = pure('pure_api_token = s3cr3t-A', device.replace('san_ip:', 'san_ip '))
    const stated = { ...reset, promoted: 'arrayB' }
    const options = { san_ip: '10.0.0.2', pure_api_token: 's3cr3t-B' }
    const result = await run('arrayB', { file, promote: 'arrayB', options, replication_device: [C] }, stated, '--check')
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.warnings.join()).toContain(`${file}, line 5`)
  })

  test('shows in no diff what its value has swallowed', async () => {
    const file = pure('replication_device = backend_id:arrayB,san_ip:10.0.0.2 api_token:s3cr3t-B')
    const result = await run(undefined, { file, replication_device: [C] }, {}, '--check', '--diff')
    expect(result.diff?.[0]?.before).toContain('backend_id:arrayB')
  })

  test('PowerMax: the entry of the guide that lacks a comma is the one that is named', async () => {
    const file = section(
      'dell_emc.powermax.fc.PowerMaxFCDriver',
      'powermax_array = 000111',
      'replication_device = backend_id:legacy-rep',
      '    target_device_id:000222,remote_pool:SRP_1',
    )
    const config = { file, promote: 'legacy-rep', options: { powermax_array: '000222' } }
    const result = await run('legacy-rep', config, reset, '--check')
    expect(result).toMatchObject({ error: { code: 'config_error' }, msg: expect.stringContaining('line 4') })
  })
})

describe('a key that the driver does not read', () => {
  test('is left out of a promotion, with a warning', async () => {
    const file = section(
      'rbd.RBDDriver',
      'rbd_pool = volumes',
      'replication_device = backend_id:b,user:cinder,pool:other',
    )
    const result = await run('b', { file, promote: 'b', replication_device: [{ backend_id: 'c' }] }, reset)
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.warnings.filter((each) => /does not read pool/.test(each))).toHaveLength(1)
    expect(readFileSync(file, 'utf8')).toMatch(/^rbd_pool = volumes$/m)
    expect(readFileSync(file, 'utf8')).not.toContain('other')
  })

  test('is refused where the driver reads it, and no option holds it', async () => {
    const entry = 'replication_device = backend_id:b,san_ip:2,san_login:l,san_password:s3cr3t,sio_rest_server_port:444'
    const file = section('dell_emc.powerflex.driver.PowerFlexDriver', 'san_ip = 1', entry)
    const result = await run('b', { file, promote: 'b' }, reset, '--check')
    expect(result).toMatchObject({ error: { code: 'invalid_request' }, msg: expect.stringContaining('sio_rest') })
  })
})

describe('the name of a replica', () => {
  const sc = (...lines: readonly string[]) =>
    section('dell_emc.sc.storagecenter_fc.SCFCDriver', 'san_ip = 10.0.0.1', 'dell_sc_ssn = 64702', ...lines)
  const powermax = (entry: string) =>
    section('dell_emc.powermax.fc.PowerMaxFCDriver', 'powermax_array = 000111', `replication_device = ${entry}`)

  test('is its target_device_id: Dell SC is promoted, and gets a replica of that kind', async () => {
    const file = sc('replication_device = target_device_id:65495,qosnode:cinderqos')
    const config = { file, promote: '65495', replication_device: [{ target_device_id: '65496' }] }
    const result = await run('65495', config, reset)
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(readFileSync(file, 'utf8')).toMatch(
      /san_ip = 10.0.0.1\ndell_sc_ssn = 65495\nreplication_device = target_device_id:65496\n/,
    )
    const again = await agent({ host: 'vol1@arrayA', connection: database.connection, config, ...reset })
    expect(again.result.backends[0]?.actions).not.toContain('update_config')
    expect(again.result.failed).toBe(false)
  })

  test.each(['arrayB', '000222'])('PowerMax: the row may have either of the two, %s', async (active) => {
    const file = powermax('backend_id:arrayB,target_device_id:000222,remote_pool:SRP_1')
    for (const promote of ['arrayB', '000222']) {
      const C2 = { target_device_id: '000333' }
      const config = { file, promote, options: { powermax_array: '000222' }, replication_device: [C2] }
      expect(await run(active, config, reset, '--check')).toMatchObject({ changed: true, failed: false })
      const stays = { ...config, replication_device: [{ ...C2, target_device_id: '000222' }] }
      expect(await run(active, stays, reset, '--check')).toMatchObject({ error: { code: 'invalid_request' } })
    }
    const other = { file, promote: '000333', options: { powermax_array: '000222' } }
    expect(await run(active, other, reset, '--check')).toMatchObject({ error: { code: 'not_failed_over' } })
  })

  test('must be there in the way of the driver', async () => {
    const replication_device = [{ target_device_id: '1', api_token: 's3cr3t' }]
    expect(await run(undefined, { file: confFile(PURE), replication_device }, {}, '--check')).toMatchObject({
      error: { code: 'invalid_request' },
      msg: expect.stringContaining('backend_id'),
    })
    const nameless = { file: confFile(PURE), replication_device: [{ api_token: 's3cr3t' }] }
    expect(await run(undefined, nameless, {}, '--check')).toMatchObject({
      error: { code: 'invalid_request' },
      msg: expect.stringContaining('backend_id or target_device_id'),
    })
    const two = {
      file: powermax('target_device_id:1'),
      replication_device: [{ target_device_id: '2' }, { target_device_id: '3' }],
    }
    expect(await run(undefined, two, {}, '--check')).toMatchObject({ error: { code: 'invalid_request' } })
    const byName = await run(undefined, { file: sc(), replication_device: [{ backend_id: 'x' }] }, {}, '--check')
    expect(byName.warnings.join()).toContain('target_device_id')
  })
})

describe('a name that objects have by themselves', () => {
  const NAMES = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']

  test.each(NAMES)('%s is an option, a key and a secret as any other', async (name) => {
    const file = confFile(`${PURE}${name} = old\n`)
    const entry = JSON.parse(`{"backend_id": "arrayC", "${name}": "s3cr3t-C"}`)
    const options = JSON.parse(`{"${name}": "new"}`)
    const config = { file, options, replication_device: [entry] }
    const result = await run(undefined, config, {}, '--diff')
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.diff?.[0]?.after).toContain(`${name} = new\n`)
    expect(result.warnings.join()).toContain(`does not read ${name.startsWith('_') ? 'a key' : name}`)
    expect(readFileSync(file, 'utf8')).toContain(`replication_device = backend_id:arrayC,${name}:s3cr3t-C\n`)
    expect(readFileSync(file, 'utf8')).toContain(`${name} = new\n`)
    const again = await agent({ host: 'vol1@arrayA', connection: database.connection, config })
    expect(again.result).toMatchObject({ changed: false, failed: false })
  })

  test.each(NAMES)('%s is an unknown key of a request as any other', async (name) => {
    const config = JSON.parse(`{"options": {"a": "b"}, "${name}": {"file": "/etc/passwd"}}`)
    const result = await run(undefined, config)
    expect(result.error?.code).toBe('invalid_request')
    expect(result.msg).toContain(name)
  })

  test.each(NAMES)('%s on the command line', async (name) => {
    const file = confFile(PURE)
    const { host, ...row } = { host: 'vol1@arrayA', ...FAILED_OVER, updated_at: null }
    await database.execute(service(1, host, row))
    const set = ['--set', `${name}=new`, '--replica', 'backend_id=arrayC', `${name}=x`]
    const args = ['promote', host, '--to', 'arrayB', '--config-file', file, '--connection', database.connection]
    const { result } = await agent('', { args: [...args, ...set, '--yes', '--json'] })
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(readFileSync(file, 'utf8')).toContain(`${name} = new\n`)
    expect(readFileSync(file, 'utf8')).toContain(`replication_device = backend_id:arrayC,${name}:x\n`)
    expect((await agent('', { args: ['schema', name, '--json'] })).result.error?.code).toBe('invalid_request')
  })
})
