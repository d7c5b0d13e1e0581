import { describe, expect, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import type { Observation, ServiceState } from '../../../src/model/observation.js'
import { groupRows } from '../../../src/observe/backends.js'
import { type Need, observeAgain, observeAll, type Sources } from '../../../src/observe/observe.js'
import { makeConf, observeWorld, openWorld, type World } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeClusterWorld, makeHostWorld, makeRow, makeWorld } from '../../support/worlds.js'

const started = { service: { manager: 'systemd', state: 'started' } }

function open(world: World, document: object): { sources: Sources; calls: string[]; looks: Observation[] } {
  const calls: string[] = []
  const looks: Observation[] = []
  const { options } = openWorld(world, ask(document), { onCall: (name) => calls.push(name) })
  return { sources: { ...options, onRows: (look) => looks.push(look) }, calls, looks }
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof AgentError) return error.code
    throw error
  }
  return 'none'
}

describe('the first look', () => {
  test.each<readonly [string, object, readonly string[]]>([
    ['rows alone', { frozen: true }, ['readRows']],
    ['an edit', { config: { options: { san_ip: 'x' } } }, ['readConfig', 'readRows']],
    ['a service', started, ['readConfig', 'readState', 'readRows']],
    ['a reset', { active_backend: 'reset' }, ['readRows', 'readConfig']],
    ['replication', { replication: 'enabled' }, ['readRows', 'readConfig']],
    ['no replication', { replication: 'disabled' }, ['readRows']],
  ])('at %s reads what it needs', async (_, document, expected) => {
    const { sources, calls } = open(makeHostWorld(FAILED_OVER, 'stopped'), document)
    await observeAll(sources)
    expect(calls).toEqual(expected)
  })

  test('tells the rows also where the manager does not answer', async () => {
    const { sources, looks } = open(makeHostWorld(FAILED_OVER, 'stopped'), started)
    const { manager } = sources
    if (manager === undefined) throw new Error('a request without a service')
    const readState = async (): Promise<ServiceState> => {
      throw new AgentError('service_control_failed', 'No answer.')
    }
    await expect(observeAll({ ...sources, manager: { ...manager, readState } })).rejects.toMatchObject({
      code: 'service_control_failed',
      details: { host: 'vol1@arrayA' },
    })
    expect(looks).toMatchObject([{ backends: [{ services: [{ state: FAILED_OVER }] }] }])
  })
})

describe('a new look', () => {
  test.each<readonly [Need]>([['rows'], ['config'], ['service']])('at the %s changes nothing else', async (need) => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const { sources, calls } = open(world, started)
    const first = await observeAll(sources)
    calls.length = 0
    world.rows = world.rows.map((row) => ({ ...row, state: FAILED_OVER, reportCount: 9 }))
    world.file = makeConf('X', [])
    world.service = 'started'
    world.timeMs += 700
    const again = await observeAgain([need], first, sources)
    expect(calls).toEqual([{ rows: 'readRows', config: 'readConfig', service: 'readState' }[need]])
    expect(again.backends[0]?.services[0]?.state).toEqual(need === 'rows' ? FAILED_OVER : HEALTHY)
    expect(again.config?.files[0]?.text).toBe(need === 'config' ? makeConf('X', []) : makeConf('A', ['B']))
    expect(again.service?.state).toBe(need === 'service' ? 'started' : 'stopped')
    expect(again.heartbeats.get(1)?.risenAt).toBe(need === 'rows' ? 1200 : undefined)
    expect(again.at).toBe(need === 'rows' ? 1200 : 500)
    expect(first.service?.state).toBe('stopped')
  })

  test('at the service keeps the time of its start', async () => {
    const { sources } = open(makeHostWorld(HEALTHY, 'started'), started)
    const first = await observeAll(sources)
    const service = first.service && { ...first.service, startedAt: 300 }
    expect((await observeAgain(['service'], { ...first, service }, sources)).service?.startedAt).toBe(300)
  })

  test('at cinder.conf is none where the request is not about it', async () => {
    const { sources, calls } = open(makeHostWorld(HEALTHY, 'started'), {})
    await observeAgain(['config', 'service'], await observeAll(sources), sources)
    expect(calls).toEqual(['readRows'])
  })
})

describe('the service of a backend', () => {
  const cluster = (host: string) => ({
    ...makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'started'),
    file: makeConf('A', ['B']).replace('host = vol1', `host = ${host}`),
  })
  const hostOf = async (world: World, document: object) => (await observeWorld(world, ask(document))).service

  test('is the member that the request names, else the one of cinder.conf', async () => {
    expect(await hostOf(cluster('vol1'), { host: 'vol2@arrayA', ...started })).toMatchObject({ host: 'vol2@arrayA' })
    for (const host of ['vol1', 'vol2'])
      expect(await hostOf(cluster(host), { cluster: 'c9@arrayA', ...started })).toMatchObject({
        host: `${host}@arrayA`,
      })
    expect(await codeOf(() => hostOf(cluster('vol7'), { cluster: 'c9@arrayA', ...started }))).toBe('config_error')
    const unnamed = { ...cluster('x'), file: makeConf('A', ['B']).replace('host = vol1\n', '') }
    expect(await codeOf(() => hostOf(unnamed, { cluster: 'c9@arrayA', ...started }))).toBe('invalid_request')
  })

  test('has the other backends that it serves', async () => {
    const world = makeHostWorld(HEALTHY, 'started')
    world.file = world.file.replace('enabled_backends = arrayA', 'enabled_backends = arrayA, arrayQ')
    expect((await hostOf(world, started))?.others).toEqual(['arrayQ'])
  })
})

describe('the rows of a request', () => {
  const member = (name: string) => makeRow(name, HEALTHY, { clusterName: 'c9@arrayA' })
  const clusterRow = makeRow('c9@arrayA', HEALTHY, { table: 'clusters', beatAtMs: undefined })
  const look = (rows: World['rows'], document: object) => observeWorld(makeWorld(rows), ask(document))

  test.each<readonly [string, World['rows'], object, string]>([
    ['no row', [], {}, 'service_not_found'],
    ['no cluster', [], { cluster: 'c9@arrayA' }, 'service_not_found'],
    ['a member whose cluster has no row', [member('vol1@arrayA')], {}, 'service_not_found'],
    ['another case', [makeRow('vol1@arraya', HEALTHY)], {}, 'service_not_found'],
    [
      'two services of one host',
      [makeRow('vol1@arrayA', HEALTHY), makeRow('vol1@arrayA', HEALTHY, { id: 5 })],
      {},
      'ambiguous_service',
    ],
    [
      'two clusters of one name',
      [clusterRow, { ...clusterRow, id: 8 }, member('vol1@arrayA')],
      {},
      'ambiguous_service',
    ],
    [
      'a member with two rows',
      [clusterRow, member('vol1@arrayA'), member('vol2@arrayA'), { ...member('vol2@arrayA'), id: 5 }],
      {},
      'ambiguous_service',
    ],
    [
      'two wishes for one cluster',
      [clusterRow, member('vol1@arrayA'), member('vol2@arrayA')],
      {
        backends: [
          { host: 'vol1@arrayA', frozen: true },
          { host: 'vol2@arrayA', frozen: false },
        ],
      },
      'invalid_request',
    ],
  ])('%s', async (_, rows, document, code) => {
    expect(await codeOf(() => look(rows, document))).toBe(code)
  })

  test('members in one order, and two that want the same are one backend', async () => {
    const rows = [member('vol2@arrayA'), member('vol1@arrayA'), clusterRow]
    const { backends } = await look(rows, {
      backends: [{ host: 'vol2@arrayA' }, { host: 'vol1@arrayA' }],
      frozen: true,
    })
    expect(backends.map(({ services }) => services.map(({ id }) => id))).toEqual([[1, 2]])
  })

  test('of a report are all, clusters with their members', () => {
    expect(groupRows('all', [])).toEqual([])
  })
})
