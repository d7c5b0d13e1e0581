import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ResultDocument } from '../../src/model/contract.generated.js'
import { agent } from '../support/agent.js'
import { ansible } from '../support/ansible.js'
import { startShell } from '../support/command.js'
import { sqliteByCinder, type TestDatabase, titled } from '../support/databases.js'
import { service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

// Requests that would lead cinder-volume back to the array that burned, by every road. A service beats; what its driver would be given at a start is
// read by oslo.config (support/peers/beating_service.py).

const { folder, missing } = inject('peers')
const NODE_PATH = new URL('../../node_modules', import.meta.url).pathname

const A = 'san_ip = 192.0.2.1\npure_api_token = token-of-A\n'
const B = 'san_ip = 192.0.2.2\npure_api_token = token-of-B\n'
const REPLICA_B = 'replication_device = backend_id:arrayB,san_ip:192.0.2.2,api_token:token-of-B\n'
const REPLICA_C = 'replication_device = backend_id:arrayC,san_ip:192.0.2.3,api_token:token-of-C\n'
const PURE = 'volume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n'
const NETAPP = `volume_driver = cinder.volume.drivers.netapp.common.NetAppDriver
netapp_server_hostname = 192.0.2.1
netapp_vserver = svmA
san_ip = 192.0.2.1
replication_device = backend_id:arrayB
[arrayB]
netapp_server_hostname = 192.0.2.2
netapp_vserver = svmB
`
const OPTIONS_B = { san_ip: '192.0.2.2', pure_api_token: 'token-of-B' }
const C = { backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 'token-of-C' }
const REPLICAS = '--replica backend_id=arrayC san_ip=192.0.2.3'

interface Case {
  readonly name: string
  /** The section; a backend of Pure Storage with A as the primary and B as the replica. */
  readonly section?: string
  readonly active?: 'arrayC'
  readonly isStopped?: true
  /** Beside the reset. The service of the site, if `service` is true. */
  readonly request: Readonly<Record<string, unknown>>
  readonly code?: string
  readonly commands?: readonly (readonly [line: string, code?: string])[]
  /** What is to be said instead, and the address that it leads to. */
  readonly right?: Readonly<Record<string, unknown>>
  readonly address?: string
}

const WHOLE = { frozen: false, service: true }
const RIGHT = { ...WHOLE, config: { promote: 'arrayB', replication_device: [C] } }
const WRITTEN = { ...WHOLE, config: { options: OPTIONS_B, replication_device: [C] }, promoted: 'arrayB' }

const CASES: readonly Case[] = [
  {
    name: '1: the whole request without config',
    request: WHOLE,
    commands: [['reset-active-backend vol1@arrayA'], ['reset-active-backend vol1@arrayA --promoted arrayB']],
    right: RIGHT,
  },
  {
    name: '2: the options of the first promotion after a second failover',
    section: PURE + B + REPLICA_C,
    active: 'arrayC',
    request: { ...WHOLE, config: { options: OPTIONS_B, replication_device: [C] } },
    commands: [
      [`promote vol1@arrayA --to arrayB ${REPLICAS}`, 'not_failed_over'],
      ['reset-active-backend vol1@arrayA --promoted arrayB'],
    ],
    right: { ...WHOLE, replication: 'disabled', config: { promote: 'arrayC', replication_device: [] } },
    address: '192.0.2.3',
  },
  {
    name: '3: a replica whose name is misspelt in the section',
    section: PURE + A + REPLICA_B.replace('arrayB', 'arrayb'),
    request: RIGHT,
    commands: [[`promote vol1@arrayA --to arrayB ${REPLICAS}`]],
    right: WRITTEN,
  },
  {
    name: '4: a deployment tool has put the new replica into the section, and nothing else',
    section: PURE + A + REPLICA_C,
    request: RIGHT,
    commands: [[`promote vol1@arrayA --to arrayB ${REPLICAS}`]],
    right: WRITTEN,
  },
  {
    name: '5: the new replica alone',
    request: { ...WHOLE, config: { replication_device: [C] } },
    right: RIGHT,
  },
  {
    name: '5: the new replica with an option that is about something else',
    request: { ...WHOLE, config: { replication_device: [C], options: { use_chap_auth: true } } },
  },
  {
    name: '6: a policy between the stop and the edit',
    isStopped: true,
    request: {},
    commands: [['reset-active-backend vol1@arrayA --wait']],
    right: RIGHT,
  },
  {
    name: '7: a replica that neither the row nor the section knows',
    request: { config: { promote: 'nosuch' } },
    code: 'not_failed_over',
    commands: [[`promote vol1@arrayA --to nosuch ${REPLICAS}`, 'not_failed_over']],
  },
  {
    name: '8: replication without a replica',
    section: PURE + B,
    request: { ...WHOLE, promoted: 'arrayB' },
    code: 'replication_not_enabled',
    right: { ...WHOLE, promoted: 'arrayB', config: { replication_device: [C] } },
  },
  {
    name: '9: a thaw of a backend that was never frozen',
    section: PURE + A,
    request: { frozen: false },
    right: WRITTEN,
  },
  {
    name: '10: a part of the settings',
    section: NETAPP,
    request: {
      ...WHOLE,
      config: {
        options: { netapp_server_hostname: '192.0.2.2' },
        replication_device: [{ backend_id: 'arrayC' }],
      },
    },
    right: {
      ...WHOLE,
      config: {
        options: { netapp_server_hostname: '192.0.2.2', netapp_vserver: 'svmB', san_ip: '192.0.2.2' },
        replication_device: [{ backend_id: 'arrayC' }],
      },
    },
  },
]

interface Site extends Case {
  readonly database: TestDatabase
  readonly volume: ReturnType<typeof cinderVolume>
}

async function makeSite(each: Case): Promise<Site> {
  const database = await sqliteByCinder.create()
  const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
  const [head = ''] = readFileSync(volume.conf, 'utf8').split('[arrayA]')
  writeFileSync(volume.conf, `${head}[arrayA]\n${each.section ?? PURE + A + REPLICA_B}`)
  await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
  volume.start()
  await beating(database)
  await database.execute(FAIL_OVER.replace('arrayB', each.active ?? 'arrayB'))
  if (each.isStopped) volume.stop()
  return { ...each, database, volume }
}

const makeRequest = ({ volume }: Site, request: Case['request']) => ({
  host: 'vol1@arrayA',
  config_file: [volume.conf],
  active_backend: 'reset',
  replication: 'enabled',
  ...request,
  ...(request['service'] === true && { service: volume.service }),
})

/** All but the heartbeat. */
async function look({ database, volume }: Site) {
  const [{ report_count, updated_at, ...row } = {}] = await database.rows('services')
  const names = readdirSync(volume.folder).filter((name) => name.includes('cinder.conf'))
  return { row, names, conf: readFileSync(volume.conf, 'utf8'), runs: volume.runs(), starts: volume.starts().length }
}

/** Refused, and nothing was touched. */
async function refuses(site: Site, work: () => Promise<ResultDocument>, code = 'not_promoted') {
  const before = await look(site)
  const result = await work()
  expect(result, result.msg).toMatchObject({ changed: false, failed: true, error: { code } })
  expect(await look(site)).toEqual(before)
}

const reason = sqliteByCinder.missing
describe.skipIf(reason !== null)(titled({ name: 'never onto the wrong array', missing: reason }), () => {
  let sites: readonly Site[] = []
  beforeAll(async () => {
    sites = await Promise.all(CASES.map(makeSite))
  })
  afterAll(async () => {
    for (const { volume, database } of sites) {
      volume.stop()
      await database.close()
    }
  })
  const find = ({ name }: Case): Site => {
    const site = sites.find((each) => each.name === name)
    if (site === undefined) throw new Error(`There is no ${name}`)
    return site
  }

  test.concurrent.for(CASES)('$name: by a request, in check mode and for real', async (each) => {
    const site = find(each)
    for (const args of [['--check'], []])
      await refuses(site, async () => (await agent(makeRequest(site, each.request), { args })).result, each.code)
  })

  test.concurrent.for(CASES.filter(({ commands }) => commands))('$name: by commands', async (each) => {
    const site = find(each)
    const file = join(mkdtempSync(join(folder, 'apply-')), 'request.json')
    writeFileSync(file, JSON.stringify(makeRequest(site, each.request)))
    for (const [line, code] of [...(each.commands ?? []), [`apply ${file}`, each.code] as const])
      await refuses(site, () => runCommand(site, line), code)
  })

  test.skipIf(missing.ansible !== null)(
    titled({ name: 'each of them by Ansible', missing: missing.ansible }),
    async () => {
      const before = await Promise.all(sites.map(look))
      const home = mkdtempSync(join(folder, 'playbook-'))
      const tasks = sites.map((site, index) => ({
        cinder_backend: makeRequest(site, site.request),
        register: `result${index}`,
        ignore_errors: true,
      }))
      const results = sites.map((_, index) => `result${index}`).join(', ')
      const write = { copy: { content: `{{ [${results}] | to_json }}`, dest: join(home, 'results.json') } }
      writeFileSync(
        join(home, 'playbook.yml'),
        JSON.stringify([{ hosts: 'localhost', gather_facts: false, tasks: [...tasks, write] }]),
      )
      const args = ['-i', 'localhost,', '-c', 'local', join(home, 'playbook.yml')]
      const { output } = ansible('ansible-playbook', args, { NODE_PATH })
      expect(output).toContain(`ignored=${sites.length}`)
      const told: readonly ResultDocument[] = JSON.parse(readFileSync(join(home, 'results.json'), 'utf8'))
      expect(told.map(({ changed, error }) => [changed, error?.code])).toEqual(
        sites.map(({ code = 'not_promoted' }) => [false, code]),
      )
      expect(await Promise.all(sites.map(look))).toEqual(before)
    },
  )

  test('an undo that marks a failed-over backend as normal', async () => {
    const site = await makeSite({ name: 'undo', request: {} })
    try {
      await site.database.execute(
        "UPDATE services SET active_backend_id = NULL, disabled = 0, replication_status = 'enabled'",
      )
      site.volume.stop()
      const set = { host: 'vol1@arrayA', config_file: [site.volume.conf], active_backend_id: 'arrayB', force: true }
      const { result } = await agent(set)
      const file = join(mkdtempSync(join(folder, 'undo-')), 'result.json')
      writeFileSync(file, JSON.stringify(result))
      await refuses(site, () => runCommand(site, `undo ${file}`))
      await refuses(site, () => runCommand(site, `undo ${file} --promoted arrayB`))
      await refuses(site, async () => (await agent({ ...result.undo, config_file: [site.volume.conf] })).result)
    } finally {
      site.volume.stop()
      await site.database.close()
    }
  })

  // Last, for they change the sites.
  describe('what is to be said instead leads to the array that the backend was failed over to', () => {
    test.concurrent.for(CASES.filter(({ right }) => right))('$name', async (each) => {
      const site = find(each)
      const { result } = await agent(makeRequest(site, each.right ?? {}))
      expect(result, result.msg).toMatchObject({ changed: true, failed: false })
      const [, start, ...more] = site.volume.starts()
      expect(start).toMatchObject({ active_backend_id: null, san_ip: each.address ?? '192.0.2.2' })
      expect(more).toEqual([])
      expect((await look(site)).names.filter((name) => name.startsWith('.'))).toEqual([])
    })
  })
})

async function runCommand({ volume, database }: Site, line: string): Promise<ResultDocument> {
  const { stdout } = await startShell(`cinder-backend ${line} --yes --json --config-file ${volume.conf}`, database)
  return JSON.parse(stdout)
}
