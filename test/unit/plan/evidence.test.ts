import { describe, expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import type { OldCopy, SourceFile } from '../../../src/model/observation.js'
import { planConfig } from '../../../src/plan/config.js'
import type { ConfigPlan } from '../../../src/plan/config-plan.js'
import type { Evidence } from '../../../src/plan/proof.js'
import { observeWorld, type World } from '../../support/world.js'
import { ask, FAILED_OVER, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

const MAIN = '/etc/cinder/cinder.conf'
const MORE = '/etc/cinder/cinder.conf.d/more.conf'
const PURE = 'volume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n'
const A = 'san_ip = ip-A\npure_api_token = t-A\n'
const B = 'san_ip = ip-B\npure_api_token = t-B\n'
const TO_B = 'replication_device = backend_id:B,san_ip:ip-B,api_token:t-B\n'
const TO_C = 'replication_device = backend_id:C,san_ip:ip-C,api_token:t-C\n'
const C = { backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }
/** As it was before the failover, and as a promotion leaves it. */
const OLD = `[arrayA]\n${PURE}${A}${TO_B}`
const NEW = `[arrayA]\n${PURE}${B}${TO_C}`

const makeFile = (path: string, text: string): SourceFile => ({ path, bytes: Buffer.from(text), text })
const makeCopy = (text: string, section = 'arrayA', original = MAIN): OldCopy => ({
  section,
  original,
  file: makeFile(`${original}.old`, text),
})

interface Site {
  /** The main file, or all files by their paths. */
  readonly conf: string | Readonly<Record<string, string>>
  readonly copies?: readonly OldCopy[]
  readonly config?: object
  readonly active?: string | null
  readonly name?: string
  readonly world?: World
  readonly target?: object
}

async function planFor({ conf, copies = [], config, active = 'B', ...site }: Site): Promise<{
  readonly plan: ConfigPlan
  readonly evidence: Evidence
}> {
  const { name = 'vol1@arrayA', target = { host: name } } = site
  const state: BackendState = { ...FAILED_OVER, active_backend_id: active }
  const world = site.world ?? makeHostWorld(state, 'stopped')
  if (site.world === undefined) world.rows = world.rows.map((row) => ({ ...row, name }))
  const request = ask({ ...target, active_backend: 'reset', ...(config !== undefined && { config }) })
  const seen = await observeWorld(world, request)
  const files = Object.entries(typeof conf === 'string' ? { [MAIN]: conf } : conf)
  const facts = { files: files.map(([path, text]) => makeFile(path, text)), oldCopies: copies }
  const plan = planConfig(request, {
    ...seen,
    config: { ...facts, obstacles: new Map(), copyObstacles: new Map(), env: {}, doubt: undefined, machine: undefined },
  })
  const [backend] = seen.backends
  if (backend === undefined) throw new Error('a world without a backend')
  return { plan, evidence: plan.findEvidence(backend) }
}

const findEvidence = async (site: Site) => (await planFor(site)).evidence
const kindOf = async (site: Site) => (await findEvidence(site)).kind
const MOVED = { kind: 'moved', left: [] }

describe('the primary is known to be the array', () => {
  test.each<readonly [string, Site]>([
    ['by the name of the replica', { conf: OLD, config: { promote: 'B', replication_device: [C] } }],
    [
      'by options',
      { conf: OLD, config: { options: { san_ip: 'ip-B', pure_api_token: 't-B' }, replication_device: [] } },
    ],
    ['by an old copy', { conf: NEW, copies: [makeCopy(OLD)] }],
    ['by an old copy whose section has another case', { conf: NEW, copies: [makeCopy(OLD, 'ARRAYa')] }],
    [
      'by an old copy in which the section has another case',
      { conf: NEW, copies: [makeCopy(OLD.replace('arrayA', 'ArrayA'))] },
    ],
    [
      'where the section has another case than the name',
      { conf: NEW.replace('arrayA', 'ARRAYA'), copies: [makeCopy(OLD)] },
    ],
    ['where a broken copy is beside it', { conf: NEW, copies: [makeCopy(OLD.replace(TO_B, '')), makeCopy(OLD)] }],
    [
      'where the old primary was in [backend_defaults]',
      { conf: `[backend_defaults]\n${PURE}${A}[arrayA]\n${TO_B}`, config: { promote: 'B', replication_device: [C] } },
    ],
    [
      'where the new primary is in [backend_defaults]',
      {
        conf: `[backend_defaults]\n${PURE}${B}[arrayA]\n${TO_C}`,
        copies: [makeCopy(`[backend_defaults]\n${PURE}${A}[arrayA]\n${TO_B}`)],
      },
    ],
    [
      'where the entry refers to other options',
      {
        conf: `[DEFAULT]\nmy_ip = ip-B\n${OLD.replace('san_ip:ip-B', 'san_ip:$my_ip')}`,
        config: { options: { san_ip: 'ip-B', pure_api_token: 't-B' }, replication_device: [C] },
      },
    ],
    [
      'where the primary refers to other options',
      {
        conf: `[DEFAULT]\nmy_ip = ip-B\n${NEW.replace('san_ip = ip-B', 'san_ip = ${DEFAULT.my_ip}')}`,
        copies: [makeCopy(OLD)],
      },
    ],
    [
      'where the section is in several files',
      {
        conf: { [MAIN]: `[arrayA]\n${PURE}${TO_C}`, [MORE]: `[arrayA]\n${B}` },
        copies: [makeCopy(`[arrayA]\n${TO_B}`)],
      },
    ],
    [
      'where a later file sets it',
      { conf: { [MAIN]: `[arrayA]\n${PURE}${A}`, [MORE]: `[arrayA]\n${B}` }, copies: [makeCopy(OLD)] },
    ],
    [
      'by a copy of the second file',
      {
        conf: { [MAIN]: '[DEFAULT]\nhost = vol1\n', [MORE]: NEW },
        copies: [makeCopy(OLD, 'arrayA', MORE)],
      },
    ],
    ['where cinder.conf has this host', { conf: `[DEFAULT]\nhost = vol1\n${NEW}`, copies: [makeCopy(OLD)] }],
    ['where its entry is there twice, alike', { conf: NEW, copies: [makeCopy(`${OLD}${TO_B}`)] }],
  ])('%s', async (_, site) => {
    expect(await findEvidence(site)).toEqual(MOVED)
  })

  test('with the options that were left to the old primary', async () => {
    const ssl = 'driver_ssl_cert_verify = true\n'
    const conf = `${NEW.replace('t-B', 't-A')}${ssl}`
    expect(await findEvidence({ conf, copies: [makeCopy(`${OLD}${ssl}`)] })).toEqual({
      kind: 'moved',
      left: expect.arrayContaining(['pure_api_token', 'driver_ssl_cert_verify']),
    })
  })

  test('without those that the request sets itself', async () => {
    const config = { promote: 'B', options: { pure_api_token: 't-X' } }
    expect(await findEvidence({ conf: OLD, config })).toEqual(MOVED)
  })
})

describe('the primary is known to be another array', () => {
  const defaults = `[backend_defaults]\n${PURE}${A}${TO_B}`
  test.each<readonly [string, Site]>([
    ['because the array is still a replica', { conf: OLD }],
    ['because it is one of several replicas', { conf: `${OLD}${TO_C}` }],
    ['because it is one again, in spite of the old copy', { conf: `${NEW}${TO_B}`, copies: [makeCopy(OLD)] }],
    ['because it is one in [backend_defaults]', { conf: `${defaults}[arrayA]\nuse_chap = true\n` }],
    [
      'because it is one by a reference',
      { conf: `[arrayA]\n${PURE}${B}other = B\n${TO_B.replace('id:B', 'id:$other')}` },
    ],
    ['because a later file has it as one', { conf: { [MAIN]: NEW, [MORE]: `[arrayA]\n${TO_B}` } }],
    ['because the primary is as before', { conf: `[arrayA]\n${PURE}${A}${TO_C}`, copies: [makeCopy(OLD)] }],
    [
      'because [backend_defaults] has the primary as before',
      {
        conf: `[backend_defaults]\n${PURE}${A}[arrayA]\n${TO_C}`,
        copies: [makeCopy(`[backend_defaults]\n${PURE}${A}[arrayA]\n${TO_B}`)],
      },
    ],
    [
      'because a later file has the primary as before',
      { conf: { [MAIN]: NEW, [MORE]: `[arrayA]\n${A}` }, copies: [makeCopy(OLD)] },
    ],
    ['because it is a third one', { conf: NEW.replace('ip-B', 'ip-Z'), copies: [makeCopy(OLD)] }],
    ['because there is none', { conf: `[arrayA]\n${PURE}${TO_C}`, copies: [makeCopy(OLD)] }],
    ['because the request sets a third one', { conf: OLD, config: { promote: 'B', options: { san_ip: 'ip-Z' } } }],
    ['because only the replicas change', { conf: OLD, config: { replication_device: [C] } }],
    [
      'because nothing but the replicas has changed, and the entry names no address',
      {
        conf: `[arrayA]\nvolume_driver = example.Driver\nsan_ip = ip-A\n`,
        copies: [
          makeCopy(
            '[arrayA]\nvolume_driver = example.Driver\nsan_ip = ip-A\nreplication_device = backend_id:B,pool:p\n',
          ),
        ],
      },
    ],
  ])('%s', async (_, site) => {
    expect(await kindOf(site)).toBe('disproven')
  })
})

describe('the primary is unknown', () => {
  test.each<readonly [string, Site]>([
    ['if the row names no array', { conf: NEW, active: null, copies: [makeCopy(OLD)] }],
    ['if the row names an empty one', { conf: NEW, active: '', copies: [makeCopy(OLD)] }],
    ['if the name has no section', { conf: NEW, name: 'vol1' }],
    ['if the section is not here', { conf: NEW.replace('arrayA', 'arrayX'), copies: [makeCopy(OLD)] }],
    ['if no file is here', { conf: {} }],
    ['if the file cannot be read', { conf: `${NEW}odd line\n`, copies: [makeCopy(OLD)] }],
    ['if an entry is no list of key:value', { conf: `${NEW}replication_device = nothing\n`, copies: [makeCopy(OLD)] }],
    ['if nothing shows what the entry was', { conf: NEW }],
    ['if the entry was misspelt', { conf: NEW, copies: [makeCopy(OLD.replace('id:B', 'id:b'))] }],
    ['if the old copy is about another section', { conf: NEW, copies: [makeCopy(OLD, 'arrayB')] }],
    ['if the old copy is of another file', { conf: NEW, copies: [makeCopy(OLD, 'arrayA', MORE)] }],
    ['if the old copy lacks the section', { conf: NEW, copies: [makeCopy(OLD.replace('arrayA', 'arrayX'))] }],
    ['if the old copy cannot be read', { conf: NEW, copies: [makeCopy(`${OLD}odd line\n`)] }],
    ['if cinder.conf is that of another host', { conf: `[DEFAULT]\nhost = vol2\n${NEW}`, copies: [makeCopy(OLD)] }],
    ['if cinder.conf of another host lists the array', { conf: `[DEFAULT]\nhost = vol2\n${OLD}` }],
    ['if backend_host is another one', { conf: `${NEW}backend_host = vol2\n`, copies: [makeCopy(OLD)] }],
    [
      'if the section had entries for it that differ',
      { conf: NEW, copies: [makeCopy(`${OLD}${TO_B.replace('ip-B', 'ip-Z')}`)] },
    ],
    [
      'if the first of two entries that differ is another one',
      { conf: NEW, copies: [makeCopy(`${OLD.replace(TO_B, TO_B.replace('ip-B', 'ip-Z'))}${TO_B}`)] },
    ],
    [
      'if an option of the request disagrees with the entry',
      { conf: OLD, config: { options: { san_ip: 'ip-B', pure_api_token: 't-X' }, replication_device: [C] } },
    ],
    [
      'if the replicas of [backend_defaults] were replaced',
      { conf: `[backend_defaults]\n${PURE}${A}${TO_B}[arrayA]\n${B}`, config: { replication_device: [C] } },
    ],
  ])('%s', async (_, site) => {
    expect(await kindOf(site)).toBe('unknown')
  })

  test('if the rows of a cluster name several arrays', async () => {
    const other = { ...FAILED_OVER, active_backend_id: 'C' }
    const world = makeClusterWorld(FAILED_OVER, FAILED_OVER, other, 'stopped')
    const target = { cluster: 'c9@arrayA' }
    expect(await kindOf({ conf: NEW, copies: [makeCopy(OLD)], world, target })).toBe('split')
    const alike = makeClusterWorld(FAILED_OVER, FAILED_OVER, { ...FAILED_OVER, active_backend_id: '' }, 'stopped')
    expect(await kindOf({ conf: NEW, copies: [makeCopy(OLD)], world: alike, target })).toBe('moved')
  })

  test('if cinder.conf is that of another cluster, and not if it is of another member', async () => {
    const world = makeClusterWorld(FAILED_OVER, FAILED_OVER, FAILED_OVER, 'stopped')
    const site = { copies: [makeCopy(OLD)], world, target: { host: 'vol1@arrayA' } }
    const head = (host: string, cluster: string) => `[DEFAULT]\nhost = ${host}\ncluster = ${cluster}\n`
    expect(await kindOf({ ...site, conf: `${head('vol2', 'c9')}${NEW}` })).toBe('moved')
    expect(await kindOf({ ...site, conf: `${head('vol1', 'c8')}${NEW}` })).toBe('unknown')
    expect(await kindOf({ ...site, conf: `${head('vol7', 'c9')}${NEW}` })).toBe('unknown')
  })
})

describe('by the driver', () => {
  const makeSite = (driver: string, before: string, after: string, entry: string): Site => {
    const head = `[arrayA]\nvolume_driver = cinder.volume.drivers.${driver}\n`
    return {
      conf: `${head}${after}`,
      copies: [makeCopy(`${head}${before}replication_device = backend_id:B${entry}\n`)],
    }
  }
  const rbd = (before: string, after: string, entry = '') => makeSite('rbd.RBDDriver', before, after, entry)
  const hpe = (after: string, entry: string) =>
    makeSite('hpe.hpe_3par_fc.HPE3PARFCDriver', 'hpe3par_api_url = https://A\nsan_ip = ip-A\n', after, entry)
  const ibm = (after: string) =>
    makeSite(
      'ibm.storwize_svc.storwize_svc_fc.StorwizeSVCFCDriver',
      'san_ip = ip-A\nstorwize_san_secondary_ip = ip-A2\n',
      after,
      ',san_ip:ip-B,pool_name:p',
    )
  const pool = 'storwize_svc_volpool_name = p\n'
  const BOTH = ',hpe3par_api_url:https://B,san_ip:ip-B'
  const xiv = (after: string) =>
    makeSite(
      'ibm.ibm_storage.ibm_storage.IBMStorageDriver',
      'san_ip = ip-A\nmanagement_ips = ip-A2\n',
      after,
      ',san_ip:ip-B',
    )
  const hitachi = (address: string, serial: string) =>
    makeSite(
      'hitachi.hbsd_fc.HBSDFCDriver',
      'san_ip = ip-A\nhitachi_storage_id = 1\n',
      `san_ip = ${address}\nhitachi_storage_id = ${serial}\n`,
      ',san_ip:ip-B,storage_id:2',
    )
  const solidfire = (after: string) => makeSite('solidfire.SolidFireDriver', 'san_ip = ip-A\n', after, ',mvip:ip-B')

  test.each<readonly [string, Site, Evidence['kind']]>([
    ['RBD: the file of the entry', rbd('rbd_ceph_conf = /a\n', 'rbd_ceph_conf = /b\n', ',conf:/b'), 'moved'],
    ['RBD: the default file', rbd('rbd_ceph_conf = /a\n', 'rbd_ceph_conf = /etc/ceph/B.conf\n'), 'moved'],
    [
      'RBD: the default file of another array',
      rbd('rbd_ceph_conf = /a\n', 'rbd_ceph_conf = /etc/ceph/C.conf\n'),
      'unknown',
    ],
    [
      'RBD: another path to what may be the same',
      rbd('rbd_ceph_conf = /a\n', 'rbd_ceph_conf = /x/b\n', ',conf:/b'),
      'unknown',
    ],
    ['RBD: the old file', rbd('rbd_ceph_conf = /a\n', 'rbd_ceph_conf = /a\n', ',conf:/b'), 'disproven'],
    ['RBD: no file', rbd('rbd_ceph_conf = /a\n', '', ',conf:/b'), 'disproven'],
    ['RBD: no file, as before', rbd('', '', ',conf:/b'), 'disproven'],
    ['3PAR: both addresses', hpe('hpe3par_api_url = https://B\nsan_ip = ip-B\n', BOTH), 'moved'],
    ['3PAR: the API alone', hpe('hpe3par_api_url = https://B\nsan_ip = ip-A\n', BOTH), 'disproven'],
    ['3PAR: the SSH address alone', hpe('hpe3par_api_url = https://A\nsan_ip = ip-B\n', BOTH), 'disproven'],
    ['3PAR: the API, and a third address', hpe('hpe3par_api_url = https://B\nsan_ip = ip-Z\n', BOTH), 'disproven'],
    [
      '3PAR: the API, where the entry has no SSH address',
      hpe('hpe3par_api_url = https://B\nsan_ip = ip-A\n', ',hpe3par_api_url:https://B'),
      'unknown',
    ],
    [
      '3PAR: the API, where the entry has no SSH address, and the old one is gone',
      hpe('hpe3par_api_url = https://B\nsan_ip = ip-B\n', ',hpe3par_api_url:https://B'),
      'moved',
    ],
    ['Storwize: without the second address', ibm(`san_ip = ip-B\n${pool}`), 'moved'],
    [
      'Storwize: with the old second address',
      ibm(`san_ip = ip-B\n${pool}storwize_san_secondary_ip = ip-A2\n`),
      'disproven',
    ],
    [
      'Storwize: with the old second address in [backend_defaults]',
      {
        ...ibm(''),
        conf: `${ibm(`san_ip = ip-B\n${pool}`).conf}[backend_defaults]\nstorwize_san_secondary_ip = ip-A2\n`,
      },
      'disproven',
    ],
    ['SolidFire: by the name that the entry has for it', solidfire('san_ip = ip-B\n'), 'moved'],
    ['SolidFire: the old address', solidfire('san_ip = ip-A\n'), 'disproven'],
    ['XIV: the old list of addresses beside the new one', xiv('san_ip = ip-B\nmanagement_ips = ip-A2\n'), 'unknown'],
    ['XIV: without the list', xiv('san_ip = ip-B\n'), 'moved'],
    ['Hitachi: the address and the number', hitachi('ip-B', '2'), 'moved'],
    ['Hitachi: the new address and the old number', hitachi('ip-B', '1'), 'disproven'],
    [
      'Kaminario: the address is the name',
      makeSite('kaminario.KaminarioISCSIDriver', 'san_ip = A\n', 'san_ip = B\n', ''),
      'moved',
    ],
    [
      'Kaminario: another address',
      makeSite('kaminario.KaminarioISCSIDriver', 'san_ip = A\n', 'san_ip = C\n', ''),
      'disproven',
    ],
  ])('%s', async (_, site, kind) => {
    expect(await kindOf(site)).toBe(kind)
  })

  test('3PAR: the old SSH address may stay if the request says so', async () => {
    const head = '[arrayA]\nvolume_driver = cinder.volume.drivers.hpe.hpe_3par_fc.HPE3PARFCDriver\n'
    const conf = `${head}hpe3par_api_url = https://A\nsan_ip = ip-A\nreplication_device = backend_id:B,hpe3par_api_url:https://B\n`
    expect(await kindOf({ conf, config: { promote: 'B' } })).toBe('unknown')
    expect(await kindOf({ conf, config: { promote: 'B', options: { san_ip: 'ip-A' } } })).toBe('moved')
  })
})

describe('the copies of a backend', () => {
  const listCopies = async (site: Site, host = 'vol1@arrayA') => {
    const world = makeHostWorld(FAILED_OVER, 'stopped')
    world.rows = world.rows.map((row) => ({ ...row, name: host }))
    const request = ask({ host })
    const [backend] = (await observeWorld(world, request)).backends
    if (backend === undefined) throw new Error('a world without a backend')
    return (await planFor(site)).plan.listOldCopies(backend)
  }
  const own = makeCopy(OLD)
  const others = [makeCopy(OLD, 'arrayB'), makeCopy(OLD, 'DEFAULT')]

  test('are those of its section', async () => {
    expect(await listCopies({ conf: NEW, copies: [own, ...others] })).toEqual([own])
    expect(await listCopies({ conf: NEW, copies: [own, ...others] }, 'vol1@ARRAYA')).toEqual([own])
    expect(await listCopies({ conf: NEW, copies: [own] }, 'vol1')).toEqual([])
  })

  test('are not those beside the cinder.conf of another host', async () => {
    expect(await listCopies({ conf: `[DEFAULT]\nhost = vol2\n${NEW}`, copies: [own] })).toEqual([])
    expect(await listCopies({ conf: `[DEFAULT]\nhost = vol1\n${NEW}`, copies: [own] })).toEqual([own])
  })

  test('are left alone if cinder.conf cannot be read', async () => {
    expect(await listCopies({ conf: `[DEFAULT]\nreport_interval = often\n${NEW}`, copies: [own] })).toEqual([])
  })
})
