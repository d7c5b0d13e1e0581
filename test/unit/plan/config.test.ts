import { describe, expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import { planConfig } from '../../../src/plan/config.js'
import type { ConfigPlan } from '../../../src/plan/config-plan.js'
import { withEdit } from '../../../src/plan/with-edit.js'
import { observeWorld } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

const device = (id: string, more = '') =>
  `replication_device = backend_id:${id},san_ip:ip-${id},api_token:t-${id}${more}`
const HEAD =
  '[arrayA]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = ip-A\npure_api_token = t-A\n'
const conf = (...lines: readonly string[]) => `${HEAD}${lines.map((line) => `${line}\n`).join('')}`
const C = { backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }
const B = { backend_id: 'B', san_ip: 'ip-B', api_token: 't-B' }
const PROMOTED = HEAD.replace('ip-A', 'ip-B').replace('t-A', 't-B')
const reset = { active_backend: 'reset', frozen: false }

async function planFor(file: string, state: BackendState, document: object): Promise<ConfigPlan> {
  const request = ask(document)
  return planConfig(request, await observeWorld(makeHostWorld(state, 'stopped', { file }), request))
}

/** The file after the edit; undefined: there is none. */
const edited = ({ edit }: ConfigPlan) => edit?.after.toString()

async function codeOf(plan: Promise<unknown>): Promise<string> {
  const error = await plan.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof AgentError) return error.code
  throw new Error('no error', { cause: error })
}

describe('the edit of a promotion', () => {
  test("has the replica's settings, and leaves the other devices, byte for byte", async () => {
    const odd = 'replication_device=backend_id:C , san_ip : ip-C,api_token:t-C'
    const plan = await planFor(conf(device('B'), odd), FAILED_OVER, { ...reset, config: { promote: 'B' } })
    expect(edited(plan)).toBe(`${PROMOTED}${odd}\n`)
    expect(plan).toMatchObject({ refusal: undefined, edit: { section: 'arrayA', backup: false } })
    expect(plan.edit?.options).toEqual(['san_ip', 'pure_api_token', 'replication_device'])
  })

  test('has the devices that are asked for; one that stays stays as it is written', async () => {
    const odd = 'replication_device = san_ip:ip-C,api_token:t-C,backend_id:C'
    const config = { promote: 'B', replication_device: [C] }
    expect(edited(await planFor(conf(device('B'), odd), FAILED_OVER, { ...reset, config }))).toBe(`${PROMOTED}${odd}\n`)
    const referring = 'replication_device = backend_id:C,san_ip:$driver_ssl_cert_path,api_token:t-C'
    const file = conf('driver_ssl_cert_path = ip-C', device('B'), referring)
    const text = edited(await planFor(file, FAILED_OVER, { ...reset, config }))
    expect(text).toContain(referring)
  })

  test("takes the request's options before the replica's", async () => {
    const config = { promote: true, options: { san_ip: 'ip-X' }, backup: true }
    const plan = await planFor(conf(device('B')), FAILED_OVER, { ...reset, config })
    expect(edited(plan)).toBe(PROMOTED.replace('ip-B', 'ip-X'))
    expect(plan.edit?.backup).toBe(true)
  })

  test('is not needed a second time', async () => {
    for (const promote of ['B', true]) {
      const plan = await planFor(PROMOTED, HEALTHY, { ...reset, config: { promote, options: { san_ip: 'ip-B' } } })
      expect(plan).toMatchObject({ edit: undefined, refusal: undefined, warnings: [], section: { name: 'arrayA' } })
    }
  })

  test.each([['a replica that must stay one', 'B', '', [B], 'invalid_request']])(
    'is refused for %s',
    async (_, promote, more, replication_device, code) => {
      const config = { promote, ...(replication_device && { replication_device }) }
      expect(await codeOf(planFor(conf(device('B', more)), FAILED_OVER, { ...reset, config }))).toBe(code)
    },
  )

  test('is refused for a replica with two entries, and for one of [backend_defaults]', async () => {
    const config = { promote: 'B' }
    const twice = conf(device('B'), device('B', ',type:sync'))
    const inherited = `${conf()}[backend_defaults]\n${device('B')}\n`
    for (const file of [twice, inherited])
      expect(await codeOf(planFor(file, FAILED_OVER, { ...reset, config }))).toBe('config_error')
  })

  test('is refused for a member of a cluster', async () => {
    const request = ask({ ...reset, config: { promote: 'B' } })
    const world = makeClusterWorld(FAILED_OVER, FAILED_OVER, FAILED_OVER, 'stopped')
    const seen = await observeWorld(world, request)
    expect(await codeOf((async () => planConfig(request, seen))())).toBe('invalid_request')
  })
})

describe('a promotion that is not the one of the row', () => {
  test.each<readonly [string, string, BackendState, object]>([
    ['of a healthy backend', conf(device('B')), HEALTHY, { promote: 'B' }],
    ['of another device than the active one', conf(device('B'), device('C')), FAILED_OVER, { promote: 'C' }],
    [
      'of a replica that is not there, which would take the others out',
      conf(device('B')),
      HEALTHY,
      { promote: 'Z', replication_device: [C] },
    ],
    ['of a name that no device has', conf(device('B')), FAILED_OVER, { promote: 'Z' }],
    [
      'of a name that no device has, with an edit',
      conf(device('B')),
      FAILED_OVER,
      { promote: 'Z', options: { san_ip: 'x' } },
    ],
    ['promote: true of a healthy backend', conf(device('B')), HEALTHY, { promote: true, options: { san_ip: 'x' } }],
  ])('is refused: %s', async (_, file, state, config) => {
    expect((await planFor(file, state, { ...reset, config })).refusal).toBeDefined()
  })

  test('is one also where nothing is to be reset and nothing to be edited', async () => {
    const plan = await planFor(PROMOTED, FAILED_OVER, { frozen: true, config: { promote: 'Z' } })
    expect(plan.edit).toBeUndefined()
    expect(plan.refusal).toBeDefined()
  })

  test('promote: true leaves the section of a healthy backend, and says so', async () => {
    const plan = await planFor(conf(device('B')), HEALTHY, { config: { promote: true, options: { san_ip: 'x' } } })
    expect(plan.edit).toBeUndefined()
    expect(plan.warnings).toHaveLength(1)
  })
})

describe('a replica that is not there any more', () => {
  const promote = (file: string, config: object, state = FAILED_OVER, document: object = reset) =>
    planFor(file, state, { ...document, config: { promote: 'B', ...config } })

  test('needs proof, also where nothing is to be edited, and where it is there no more for a failed-over backend', async () => {
    for (const [file, config] of [
      [`${PROMOTED}${device('C')}\n`, { replication_device: [C] }],
      [PROMOTED, {}],
      [PROMOTED, { options: { san_ip: 'ip-X' } }],
      [conf(device('D')), { replication_device: [C] }],
    ] as const) {
      expect(await promote(file, config)).toMatchObject({ refusal: undefined, mustBeProven: true })
      expect(await promote(file, config, FAILED_OVER, {})).toMatchObject({ mustBeProven: true })
    }
    expect(await promote(PROMOTED, {}, HEALTHY)).toMatchObject({ mustBeProven: false })
    expect(await promote(conf(device('B')), {})).toMatchObject({ mustBeProven: false })
  })

  test('counts as promoted before on a healthy backend, with a warning if nothing else tells', async () => {
    expect((await promote(PROMOTED, {}, HEALTHY)).warnings).toHaveLength(1)
    expect((await promote(PROMOTED, { replication_device: [] }, HEALTHY)).warnings).toEqual([])
  })

  test('is no error where nothing is to be reset', async () => {
    const plan = await promote(conf(), { replication_device: [C] }, FAILED_OVER, {})
    expect(edited(plan)).toContain(device('C'))
  })

  test('is no error where the backend is failed over to another array: that is refused', async () => {
    const plan = await promote(conf(), { replication_device: [C] }, { ...FAILED_OVER, active_backend_id: 'Z' })
    expect(plan.refusal).toBeDefined()
  })
})

test('an option that had its value by a reference to what changes gets the value itself', async () => {
  const file = '[arrayA]\nsan_ip = ip-A\nother_ip = $san_ip\n'
  const plan = await planFor(file, HEALTHY, { config: { options: { san_ip: 'ip-X', other_ip: 'ip-A' } } })
  expect(edited(plan)).toBe('[arrayA]\nsan_ip = ip-X\nother_ip = ip-A\n')
})

test('after the edit the files are read with it', async () => {
  const service = { manager: 'systemd', state: 'started' }
  const request = ask({ config: { replication_device: [C] }, service })
  const seen = await observeWorld(makeHostWorld(HEALTHY, 'stopped', { file: conf() }), request)
  const plan = planConfig(request, seen)
  if (seen.config === undefined) throw new Error('a world without its parts')
  const [backend] = seen.backends
  if (backend === undefined) throw new Error('a world without a backend')
  expect(planConfig(ask({ service }), seen).hasReplica(backend)).toBe(false)
  expect(plan.hasReplica(backend)).toBe(true)
  expect(withEdit(seen.config, plan.edit).files).toMatchObject([
    { text: edited(plan), bytes: plan.edit?.after, path: '/etc/cinder/cinder.conf' },
  ])
  expect(planConfig(request, { ...seen, config: withEdit(seen.config, plan.edit) }).edit).toBeUndefined()
})
