import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../support/agent.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, service } from '../support/rows.js'

const C = { backend_id: 'arrayC', san_ip: '10.0.0.3', api_token: 's3cr3t-C' }
const PROMOTED = `[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.2
pure_api_token = s3cr3t-B
replication_device = backend_id:arrayC,san_ip:10.0.0.3,api_token:s3cr3t-C
`

let database: TestDatabase
beforeEach(async () => {
  database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, updated_at: null }) + service(2, 'vol2@arrayA'))
})
afterEach(() => database.close())

const run = async (config: object, request: object = {}, ...args: string[]) => {
  const asked = { host: 'vol1@arrayA', connection: database.connection, config, ...request }
  const env = { OS_DEFAULT__HOST: asked.host.replace(/@.*/, '') } // not this machine's name
  const outcome = await agent(asked, { args, env })
  expect(outcome.stdout).not.toContain('s3cr3t')
  return outcome.result
}

describe('an entry to promote that is not there', () => {
  const promote = (file: string, config: object, host = 'vol1@arrayA') =>
    run({ file, promote: 'arrayB', ...config }, { host, active_backend: 'reset', frozen: false }, '--check')
  const stripped = PURE.replace(/replication_device.*\n/, '')

  test('refuses a reset, whatever else the section has', async () => {
    for (const text of [PURE.replace('arrayB', 'arrayX'), stripped, PROMOTED]) {
      for (const config of [{ replication_device: [C] }, { replication_device: [] }, {}])
        expect((await promote(confFile(text), config)).error).toMatchObject({ code: 'not_promoted' })
    }
  })

  test('goes on with a statement, with a replica that was corrected since too', async () => {
    const stated = { active_backend: 'reset', frozen: false, promoted: 'arrayB' }
    const corrected = await run(
      { file: confFile(PROMOTED), promote: 'arrayB', replication_device: [{ ...C, san_ip: '10.0.0.33' }] },
      stated,
      '--check',
    )
    expect(corrected.backends[0]?.actions).toEqual(['update_config', 'reset_active_backend', 'thaw'])
  })

  test('is no reason to take the replica of a healthy backend away', async () => {
    const misspelt = await promote(confFile(PURE), { promote: 'arayB', replication_device: [C] }, 'vol2@arrayA')
    expect(misspelt.error?.code).toBe('not_failed_over')
    const later = await promote(
      confFile(PROMOTED),
      { replication_device: [{ ...C, san_ip: '10.0.0.33' }] },
      'vol2@arrayA',
    )
    expect(later).toMatchObject({ changed: true, failed: false })
  })
})

describe('options and devices', () => {
  test('that are likely misspelt are written, told, and not shown', async () => {
    const file = confFile(PURE)
    const result = await run(
      {
        file,
        options: { pure_api_tokn: 's3cr3t-9', use_chap: true },
        replication_device: [{ backend_id: 'arrayC', sna_ip: '10.0.0.3', api_token: 's3cr3t-C' }],
      },
      { host: 'vol2@arrayA' },
      '--diff',
    )
    expect(result.warnings).toEqual([
      'Pure Storage does not read sna_ip, which replication_device has for arrayC. Did you mean san_ip?',
      'pure_api_tokn is new in [arrayA]. Did you mean pure_api_token?',
    ])
    expect(result.diff?.[0]?.after).toContain('pure_api_tokn = ********\n')
    expect(readFileSync(file, 'utf8')).toContain('pure_api_tokn = s3cr3t-9\n')
  })

  test('a device that only stays is not judged: what looks like a key of it may be the half of a secret', async () => {
    const file = confFile(`${PURE}replication_device = backend_id:arrayC,san_ip:10.0.0.3,api_token:abc,s3cr3t:def\n`)
    const { warnings, changed } = await run({ file, promote: 'arrayB' }, { active_backend: 'reset' }, '--check')
    expect({ warnings, changed }).toEqual({ warnings: [], changed: true })
  })

  test('an option whose name is only like that of a secret is shown', async () => {
    const file = confFile(PURE)
    const options = { nas_secure_file_operations: 'auto' }
    const { diff } = await run({ file, options }, {}, '--check', '--diff')
    expect(diff?.[0]?.after).toContain('nas_secure_file_operations = auto\n')
  })

  test('are set, taken out and replaced; the second run does not even touch the file', async () => {
    const file = confFile(PURE)
    const wanted = {
      file,
      options: {
        san_ip: '10.0.0.9',
        pure_api_token: 's3cr3t-9',
        driver_ssl_cert_verify: null,
        volume_driver: 'cinder.volume.drivers.pure.PureISCSIDriver',
        max_over: 20,
        use_chap: true,
      },
      replication_device: [C],
    }
    const check = await run(wanted, {}, '--check', '--diff')
    expect(readFileSync(file, 'utf8')).toBe(PURE)
    const result = await run(wanted, {}, '--diff')
    expect({ ...check, msg: '' }).toEqual({ ...result, msg: '' })
    expect(result).toMatchObject({
      changed: true,
      backends: [
        {
          actions: ['update_config'],
          config: {
            file,
            section: 'arrayA',
            options: [
              'san_ip',
              'pure_api_token',
              'driver_ssl_cert_verify',
              'max_over',
              'use_chap',
              'replication_device',
            ],
          },
        },
      ],
    })
    expect(result.diff?.[0]?.before).toContain('pure_api_token = ********\n')
    expect(result.diff?.[0]?.after).toContain('pure_api_token = ******** (changed)\n')
    expect(readFileSync(file, 'utf8')).toBe(
      '[arrayA]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = 10.0.0.9\npure_api_token = s3cr3t-9\nreplication_device = backend_id:arrayC,san_ip:10.0.0.3,api_token:s3cr3t-C\nmax_over = 20\nuse_chap = true\n',
    )
    const { mtimeNs, ino } = statSync(file, { bigint: true })
    expect(await run(wanted)).toMatchObject({ changed: false, backends: [{ actions: [], config: { options: [] } }] })
    expect(statSync(file, { bigint: true })).toMatchObject({ mtimeNs, ino })
  })

  test('are looked for in the files that Cinder reads, and refused where these leave open what counts', async () => {
    const one = confFile(PURE)
    const two = confFile('[arrayA]\nsan_ip = 10.0.0.7\n', 'two.conf')
    const defaults = confFile('[DEFAULT]\nmy_ip = 10.0.0.1\n', 'zero.conf')
    const options = { san_ip: '10.0.0.9' }
    expect(await run({ options }, { config_file: [defaults, one] })).toMatchObject({
      changed: true,
      backends: [{ config: { file: one } }],
    })
    const several = await run({ options }, { config_file: [one, two] })
    expect(several).toMatchObject({ error: { code: 'config_error' } })
    expect(several.msg).toContain(`${one}, ${two}`)
    const hidden = await run({ options: { san_ip: '10.0.0.8' }, file: one }, { config_file: [one, two] })
    expect(hidden).toMatchObject({ error: { code: 'config_error' }, msg: expect.stringContaining(`${two}, line 2`) })
    expect(await run({ options: { san_ip: null }, file: two }, { config_file: [one, two] })).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining(`${one}, line 3`),
    })
    expect(await run({ options, section: 'nowhere' }, { config_file: one, force: true })).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining('[nowhere]'),
    })
  })

  test('warn of a value that now comes from [backend_defaults], and of a tool that manages the file', async () => {
    const file = confFile(
      `# This file is managed by Puppet\n[backend_defaults]\ndriver_ssl_cert_verify = false\n${PURE}`,
    )
    const { warnings } = await run({ file, options: { driver_ssl_cert_verify: null } })
    expect(warnings).toEqual([
      expect.stringContaining('[backend_defaults]'),
      expect.stringContaining('at its source too'),
    ])
  })

  test('read as asked also where they referred to what the edit changes', async () => {
    const file = confFile('[arrayA]\nsan_login = $san_ip\nsan_ip = 1\n')
    await run({ file, options: { san_login: '1', san_ip: '2' } })
    expect(readFileSync(file, 'utf8')).toBe('[arrayA]\nsan_login = 1\nsan_ip = 2\n')
  })

  test('warn of others that refer to what they change', async () => {
    const file = confFile(`${PURE}pure_url = https://$san_ip/\n[other]\nback = \${arrayA.san_ip}\n`)
    const { warnings } = await run({ file, options: { san_ip: '10.0.0.9' } })
    expect(warnings).toEqual([
      expect.stringContaining('pure_url in [arrayA]'),
      expect.stringContaining('back in [other]'),
    ])
  })

  test('that already hold are left alone, also where a later file sets them', async () => {
    const one = confFile(PURE)
    const two = confFile('[arrayA]\nsan_ip = 10.0.0.7\n', 'two.conf')
    expect(await run({ file: one, options: { san_ip: '10.0.0.7' } }, { config_file: [one, two] })).toMatchObject({
      changed: false,
      failed: false,
    })
  })

  test.each([
    'replication_device = backend_id:arrayB,san_password:pa,s3cr3t-x,san_login:y\n',
    'nfs_mount_options = username=u,password=s3cr3t-x\n',
  ])('show no secret that stands where none is expected: %j', async (line) => {
    const file = confFile(`${PURE.replace(/^replication_device.*\n/m, '')}${line}`)
    const shown = await run({ file, options: { nfs_mount_options: null }, replication_device: [] }, {}, '--diff')
    expect(shown.changed).toBe(true)
    expect((await run({ file: confFile(`${PURE}${line}`), promote: 'arrayB' }, {}, '--diff')).failed).toBeTypeOf(
      'boolean',
    )
  })

  test.each([
    [{ options: 'san_password=s3cr3t-x' }, /config.options must be a JSON object/],
    [{ options: { san_ip: Number.MAX_SAFE_INTEGER + 3 } }, /more digits/],
    [{ options: { san_ip: 'a\nb' } }, /san_ip holds a line break/],
    [{ replication_device: [{ backend_id: 'arrayC', conf: 'a,b' }] }, /comma/],
    [{ replication_device: [{ san_ip: 'x' }] }, /replication_device\[0\]/],
    [{ options: { replication_device: 'x' } }, /config.options/],
    [{ optoins: {} }, /Unknown key "optoins" in config.+"options"/],
  ])('refuse what cannot be written: %j', async (config, said) => {
    const file = confFile(PURE)
    expect(await run({ file, ...config })).toMatchObject({
      changed: false,
      error: { code: 'invalid_request' },
      msg: expect.stringMatching(said),
    })
    expect(readFileSync(file, 'utf8')).toBe(PURE)
  })

  test('are refused beside a list of backends', async () => {
    const { result } = await agent({
      backends: [{ host: 'vol1@arrayA' }],
      connection: database.connection,
      config: { options: { san_ip: 'x' } },
    })
    expect(result).toMatchObject({ error: { code: 'invalid_request' }, msg: expect.stringContaining('one backend') })
  })
})

describe('promote', () => {
  test.each(['arrayB', true])(
    '%j puts the settings of the replica in the place of the primary, and then finds nothing to do',
    async (promote) => {
      const file = confFile(PURE)
      const request = { active_backend: 'reset', replication: 'enabled' }
      const result = await run({ file, promote, replication_device: [C], backup: true }, request)
      expect(result.backends[0]).toMatchObject({
        actions: ['update_config', 'reset_active_backend', 'enable_replication'],
      })
      expect(readFileSync(file, 'utf8')).toBe(PROMOTED)
      const backup = result.backends[0]?.config?.backup ?? ''
      expect(dirname(backup)).toBe(dirname(file))
      expect(readFileSync(backup, 'utf8')).toBe(PURE)
      expect(await run({ file, promote, replication_device: [C], backup: true }, request)).toMatchObject({
        changed: false,
        failed: false,
      })
      expect(readFileSync(file, 'utf8')).toBe(PROMOTED)
    },
  )

  test("takes the replica's entry out, also without a new list", async () => {
    const file = confFile(PURE)
    await run({ file, promote: 'arrayB' })
    expect(readFileSync(file, 'utf8')).toBe(PROMOTED.replace(/^replication_device.*\n/m, ''))
  })

  test('goes on after an edit without a reset, from the state alone', async () => {
    const file = confFile(PURE)
    const config = { file, promote: 'arrayB', replication_device: [C] }
    expect((await run(config)).backends[0]?.actions).toEqual(['update_config'])
    const result = await run(config, { active_backend: 'reset' })
    expect(result.backends[0]?.actions).toEqual(['reset_active_backend'])
    expect(readFileSync(file, 'utf8')).toBe(PROMOTED)
  })

  test('is refused on a backend that is not failed over, or to another array; true then means nothing', async () => {
    const file = confFile(PURE)
    const healthy = { host: 'vol2@arrayA' }
    expect(await run({ file, promote: 'arrayB' }, healthy)).toMatchObject({
      changed: false,
      error: { code: 'not_failed_over', host: 'vol2@arrayA' },
    })
    expect(await run({ file, promote: true, replication_device: [C] }, healthy)).toMatchObject({
      changed: false,
      failed: false,
      warnings: [expect.stringMatching(/not failed over, so promote: true leaves .* differs .* in replication_device/)],
    })
    // Anything else is then not done either: after a reset it would start on a section that is still to be corrected.
    expect(
      await run({ file, promote: true, replication_device: [C] }, { ...healthy, replication: 'disabled' }),
    ).toMatchObject({
      changed: false,
      error: { code: 'not_failed_over', hint: expect.stringContaining('name the replica instead of true') },
    })
    const other = confFile(PURE.replaceAll('arrayB', 'arrayX'))
    expect(await run({ file: other, promote: 'arrayX' })).toMatchObject({
      changed: false,
      error: { code: 'not_failed_over' },
      msg: expect.stringContaining('failed over to arrayB'),
    })
    expect(readFileSync(file, 'utf8')).toBe(PURE)
    const forced = await run({ file, promote: 'arrayB' }, { ...healthy, force: true })
    expect(forced.changed).toBe(true)
    expect(forced.warnings.join()).toContain('not_failed_over')
  })

  test('writes nothing where a guard refuses the rest of the request', async () => {
    const file = confFile(PURE)
    await database.execute('UPDATE services SET frozen = 0')
    expect(await run({ file, promote: 'arrayB' }, { active_backend: 'reset' })).toMatchObject({
      changed: false,
      error: { code: 'not_frozen' },
    })
    expect(readFileSync(file, 'utf8')).toBe(PURE)
  })

  test('tells what was done where the file is written and the database then fails', async () => {
    const file = confFile(PURE)
    await database.execute('BEGIN IMMEDIATE')
    const result = await run(
      { file, promote: 'arrayB', replication_device: [C] },
      { active_backend: 'reset', timeout: 1 },
    )
    await database.execute('ROLLBACK')
    expect(result).toMatchObject({
      changed: true,
      failed: true,
      error: { code: 'busy' },
      backends: [{ actions: ['update_config'], config: { file } }],
    })
    expect(readFileSync(file, 'utf8')).toBe(PROMOTED)
    expect(await run({ file, promote: 'arrayB', replication_device: [C] }, { active_backend: 'reset' })).toMatchObject({
      changed: true,
      backends: [{ actions: ['reset_active_backend'] }],
    })
  })

  test("takes a replica's values as Cinder reads them, references and escapes included", async () => {
    const file = confFile(
      `[DEFAULT]\ntoken_b = s3cr3t-$$B\n${PURE.replace('api_token:s3cr3t-B', 'api_token:$token_b')}replication_device = backend_id:arrayX , api_token:x$$y\n`,
    )
    await run({ file, promote: 'arrayB' })
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('pure_api_token = s3cr3t-$$B\n')
    expect(text).toContain('replication_device = backend_id:arrayX , api_token:x$$y\n')
    expect(text).not.toContain('arrayB')
    expect(await run({ file, promote: 'arrayB' })).toMatchObject({ changed: false })
  })

  test('is refused where the replica stands in another file, or in [backend_defaults]', async () => {
    const device = /^replication_device.*\n/m
    const own = confFile(PURE.replace(device, ''))
    const other = confFile(`[arrayA]\n${device.exec(PURE)?.[0]}`, 'other.conf')
    const both = { config_file: [own, other] }
    expect(await run({ file: own, promote: 'arrayB' }, both)).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining(`${other}, line 2`),
    })
    const inherited = confFile(`[backend_defaults]\n${device.exec(PURE)?.[0]}${PURE.replace(device, '')}`)
    expect(await run({ file: inherited, promote: 'arrayB' })).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining('[backend_defaults]'),
    })
  })

  test('never lets a reset pass for the promotion of another array than the one that is active', async () => {
    const file = confFile(PURE)
    const misspelt = { file, promote: 'arrayX' }
    expect(await run(misspelt, { active_backend: 'reset' })).toMatchObject({
      changed: false,
      error: { code: 'not_failed_over' },
    })
    expect(await run({ file, promote: '' })).toMatchObject({ error: { code: 'invalid_request' } })
  })

  test('is refused where the replica has two entries, or is to stay one', async () => {
    const twice = confFile(`${PURE}replication_device = backend_id:arrayB,san_ip:10.0.0.8\n`)
    expect(await run({ file: twice, promote: 'arrayB' })).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining('2 entries'),
    })
    const file = confFile(PURE)
    const stays = { file, promote: 'arrayB', replication_device: [{ backend_id: 'arrayB', san_ip: '10.0.0.2' }] }
    expect(await run(stays)).toMatchObject({
      error: { code: 'invalid_request' },
      msg: expect.stringContaining('to stay'),
    })
  })

  test('finds the driver in [backend_defaults] too', async () => {
    const driver = /^volume_driver.*\n/m
    const file = confFile(`[backend_defaults]\n${driver.exec(PURE)?.[0]}${PURE.replace(driver, '')}`)
    expect(await run({ file, promote: true })).toMatchObject({ changed: true })
  })

  test('is refused for an unknown driver, unless options are given by hand', async () => {
    const unknownDriver = confFile(PURE.replace('pure.PureISCSIDriver', 'netapp.common.NetAppDriver'))
    expect(await run({ file: unknownDriver, promote: 'arrayB' })).toMatchObject({
      error: { code: 'invalid_request', hint: expect.stringContaining('config.options') },
      msg: expect.stringContaining('NetAppDriver'),
    })
    expect(await run({ file: unknownDriver, promote: 'arrayB', options: { san_ip: '10.0.0.2' } })).toMatchObject({
      changed: true,
    })
    expect(readFileSync(unknownDriver, 'utf8')).toMatch(/san_ip = 10.0.0.2\n/)
    expect(readFileSync(unknownDriver, 'utf8')).not.toContain('arrayB')
  })

  test.each([
    [
      'rbd.RBDDriver',
      'rbd_ceph_conf = /etc/ceph/ceph.conf\nrbd_user = a',
      'user:b',
      'rbd_ceph_conf = /etc/ceph/arrayB.conf\nrbd_user = b',
    ],
    [
      'rbd.RBDDriver',
      'rbd_user = a\nrbd_secret_uuid = 1',
      'conf:/etc/ceph/b.conf,secret_uuid:2',
      'rbd_user = a\nrbd_secret_uuid = 2\nrbd_ceph_conf = /etc/ceph/b.conf',
    ],
    [
      'dell_emc.unity.Driver',
      'san_ip = 1\nsan_login = a\nsan_password = p',
      'san_ip:2,san_password:q,max_time_out_of_sync:60',
      'san_ip = 2\nsan_login = a\nsan_password = q',
    ],
    [
      'dell_emc.powerstore.driver.PowerStoreDriver',
      'san_ip = 1\npowerstore_ports = 1,2\ndriver_ssl_cert_path = /a',
      'san_ip:2',
      'san_ip = 2',
    ],
    [
      'dell_emc.powerflex.driver.PowerFlexDriver',
      'san_ip = 1',
      'san_ip:2,powerflex_rest_server_port:443',
      'san_ip = 2\npowerflex_rest_server_port = 443',
    ],
    [
      'ibm.storwize_svc.storwize_svc_iscsi.StorwizeSVCISCSIDriver',
      'san_ip = 1\nstorwize_svc_volpool_name = p1',
      'san_ip:2,pool_name:p2',
      'san_ip = 2\nstorwize_svc_volpool_name = p2',
    ],
    [
      'hpe.hpe_3par_iscsi.HPE3PARISCSIDriver',
      'hpe3par_api_url = u1\nhpe3par_cpg = c1,c2\nhpe3par_iscsi_ips = 1',
      'hpe3par_api_url:https://b:8080,cpg_map:c1:d1 c9:d9,hpe3par_iscsi_ips:2 3,replication_mode:sync',
      'hpe3par_api_url = https://b:8080\nhpe3par_cpg = d1,c2\nhpe3par_iscsi_ips = 2,3',
    ],
  ])('%s: %j with %j', async (driver, before, device, after) => {
    const section = (options: string) => `[arrayA]\nvolume_driver = cinder.volume.drivers.${driver}\n${options}\n`
    const file = confFile(`${section(before)}replication_device = backend_id:arrayB,${device}\n`)
    await run({ file, promote: true })
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(section(after).trimEnd())
  })
})

test('the folder holds nothing but the file afterwards', async () => {
  const { readdirSync } = await import('node:fs')
  const file = confFile(PURE)
  await run({ file, options: { san_ip: '10.0.0.9' } })
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
  expect(join(dirname(file), 'cinder.conf')).toBe(file)
})
