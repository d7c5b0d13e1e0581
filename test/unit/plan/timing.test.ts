import { describe, expect, test } from 'vitest'
import type { Row } from '../../../src/model/backend.js'
import {
  getHeartbeatTimeout,
  type HeartbeatHistory,
  hasHeartbeatStopped,
  isUp,
  updateHistory,
} from '../../../src/model/heartbeat.js'
import type { Observation, ServiceFacts } from '../../../src/model/observation.js'
import { countsAsUp, hasFreshHeartbeat, hasProvenHeartbeat } from '../../../src/plan/timing.js'
import { observeWorld } from '../../support/world.js'
import { ask, HEALTHY, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

// In these worlds report_interval is 2 s, so a heartbeat may be 2.5 s late, and service_down_time is 10 s.

const started = { service: { manager: 'systemd', state: 'started' } }

/** A look at a host, with its last heartbeat so many seconds ago. */
async function look(options: {
  readonly age: number | undefined
  readonly state: 'started' | 'stopped' | 'changing'
  readonly heartbeats?: HeartbeatHistory
  readonly startedAt?: number
}): Promise<{ row: Row; observation: Observation; service: ServiceFacts }> {
  const { age, state, heartbeats, startedAt } = options
  const world = makeHostWorld(HEALTHY, state, { timeMs: 100_000 })
  const beatAtMs = age === undefined ? undefined : 100_000 - age * 1000
  world.rows = world.rows.map((row) => ({ ...row, beatAtMs }))
  const seen = await observeWorld(world, ask(started))
  const row = seen.backends[0]?.services[0]
  if (row === undefined || seen.service === undefined) throw new Error('a world without its row')
  const service = { ...seen.service, startedAt }
  return { row, service, observation: { ...seen, service, heartbeats: heartbeats ?? seen.heartbeats } }
}

const still = (sinceMs: number): HeartbeatHistory =>
  new Map([[1, { count: 7, since: 100_000 - sinceMs, risenAt: undefined }]])

describe('whether a service counts as up', () => {
  test.each([
    ['young, and it runs', 1, 'started', 0, true],
    ['older than service_down_time', 10, 'started', 0, false],
    ['just younger than that', 9.9, 'started', 0, true],
    ['it never sent one', undefined, 'started', 0, false],
    ['stopped, and not seen to stand still', 1, 'stopped', 0, true],
    ['stopped, and old by the clock alone', 5, 'stopped', 0, true],
    ['stopped, and seen to stand still', 1, 'stopped', 2500, false],
    ['stopped, and seen to stand still for less', 1, 'stopped', 2400, true],
    ['standing still while its manager says that it runs', 1, 'started', 2500, true],
    ['standing still while its manager cannot tell', 1, 'changing', 2500, true],
  ] as const)('%s', async (_, age, state, sinceMs, expected) => {
    const { row, observation } = await look({ age, state, heartbeats: still(sinceMs) })
    expect(countsAsUp(row, ask(started), observation)).toBe(expected)
  })

  test('where nothing is waited for, the age of the heartbeat of a stopped unit is believed', async () => {
    const request = ask({ ...started, wait: false })
    for (const [age, expected] of [
      [2, true],
      [3, false],
    ] as const) {
      const { row, observation } = await look({ age, state: 'stopped' })
      expect(countsAsUp(row, request, observation)).toBe(expected)
    }
  })

  test('another member is not believed to be down because the unit here is', async () => {
    const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped')
    world.rows = world.rows.map((row) => ({ ...row, beatAtMs: row.table === 'services' ? 0 : undefined }))
    const request = ask(started)
    const seen = await observeWorld(world, request)
    const heartbeats = new Map([1, 2].map((id) => [id, { count: 7, since: -60_000, risenAt: undefined }]))
    const services = seen.backends[0]?.services ?? []
    expect(services.map((row) => countsAsUp(row, request, { ...seen, heartbeats }))).toEqual([false, true])
  })
})

test('a heartbeat is fresh within report_interval and a little', async () => {
  for (const [age, expected] of [
    [2.4, true],
    [2.6, false],
    [undefined, false],
  ] as const) {
    const { observation, service } = await look({ age, state: 'started' })
    expect(hasFreshHeartbeat(observation, service)).toBe(expected)
  }
})

test.each([
  ['was not seen to rise', undefined, undefined, false],
  ['was seen to rise', 99_000, undefined, true],
  ['rose before the start', 99_000, 99_500, false],
  ['rose after the start', 99_700, 99_500, true],
])('a heartbeat that %s', async (_, risenAt, startedAt, expected) => {
  const heartbeats = new Map([[1, { count: 8, since: 99_000, risenAt }]])
  const { observation, service } = await look({ age: 0, state: 'started', heartbeats, ...(startedAt && { startedAt }) })
  expect(hasProvenHeartbeat(observation, service)).toBe(expected)
})

describe('what was seen of a heartbeat', () => {
  const row = async (reportCount: number | null) => ({ ...(await look({ age: 0, state: 'started' })).row, reportCount })

  test('the first look proves nothing, a risen count proves it, and begins the still stand again', async () => {
    const first = updateHistory(new Map(), [await row(7)], 1000)
    expect(first.get(1)).toEqual({ count: 7, since: 1000, risenAt: undefined })
    const same = updateHistory(first, [await row(7)], 2000)
    expect(same.get(1)).toEqual({ count: 7, since: 1000, risenAt: undefined })
    const risen = updateHistory(same, [await row(8)], 3000)
    expect(risen.get(1)).toEqual({ count: 8, since: 3000, risenAt: 3000 })
    expect(hasHeartbeatStopped(await row(8), risen, 2, 5400)).toBe(false)
    expect(hasHeartbeatStopped(await row(8), risen, 2, 5500)).toBe(true)
  })

  test('a service that was not seen is not known to stand still', async () => {
    expect(hasHeartbeatStopped(await row(7), new Map(), 2, 1_000_000)).toBe(false)
  })

  test('a service is up while its heartbeat is younger than service_down_time', async () => {
    const one = await row(7)
    const at = (heartbeatAge: number | null) => isUp({ ...one, heartbeatAge }, 60)
    expect([at(0), at(-5), at(59.9), at(60), at(null)]).toEqual([true, true, true, false, false])
  })

  test('a heartbeat may be late by a fifth of report_interval, within half a second and two', () => {
    expect([1, 5, 10, 100].map(getHeartbeatTimeout)).toEqual([1.5, 6, 12, 102])
  })
})
