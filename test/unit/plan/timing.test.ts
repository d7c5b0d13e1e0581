import { describe, expect, test } from 'vitest'
import type { Row } from '../../../src/model/backend.js'
import {
  getHeartbeatTimeout,
  type HeartbeatHistory,
  hasHeartbeatStopped,
  isUp,
  measureClockLag,
  updateHistory,
} from '../../../src/model/heartbeat.js'
import type { Observation, ServiceFacts } from '../../../src/model/observation.js'
import { hasFreshHeartbeat, hasProvenHeartbeat, isShownUp, judgeLiveness } from '../../../src/plan/timing.js'
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

const still = (sinceMs: number, risenAt?: number): HeartbeatHistory =>
  new Map([[1, { count: 7, since: 100_000 - sinceMs, seenAt: 100_000, risenAt, risenAfter: risenAt && risenAt - 500 }]])

describe('whether a service that must be down is', () => {
  test.each([
    ['young, and it runs', 1, 'started', 0, 'up'],
    ['just younger than service_down_time', 9.9, 'started', 0, 'up'],
    ['from the future', -300, 'started', 0, 'up'],
    ['from the future, and standing still', -300, 'started', 60_000, 'up'],
    ['as old as service_down_time, and not seen to stand still', 10, 'started', 0, 'unproven'],
    ['that old, and seen to stand still for less than the timeout', 10, 'started', 2400, 'unproven'],
    ['that old, and seen to stand still', 10, 'started', 2500, 'down'],
    ['just younger than ten minutes', 599, 'started', 0, 'unproven'],
    ['ten minutes old', 600, 'started', 0, 'down'],
    ['it never sent one', undefined, 'started', 0, 'down'],
    ['stopped, and not seen to stand still', 1, 'stopped', 0, 'unproven'],
    ['stopped, and old by the clock alone', 5, 'stopped', 0, 'unproven'],
    ['stopped, and seen to stand still', 1, 'stopped', 2500, 'down'],
    ['stopped, from the future, and seen to stand still', -300, 'stopped', 2500, 'down'],
    ['stopped, and seen to stand still for less', 1, 'stopped', 2400, 'unproven'],
    ['standing still while its manager says that it runs', 1, 'started', 2500, 'up'],
    ['standing still while its manager cannot tell', 1, 'changing', 2500, 'up'],
  ] as const)('%s', async (_, age, state, sinceMs, expected) => {
    const { row, observation } = await look({ age, state, heartbeats: still(sinceMs) })
    expect(judgeLiveness(row, observation)).toBe(expected)
  })

  test.each([
    ['old', 300, 'started', 0, 'up'],
    ['older than ten minutes', 3600, 'started', 0, 'up'],
    ['old, and standing still since', 300, 'started', 2500, 'down'],
    ['older than ten minutes, and standing still since', 3600, 'started', 2500, 'down'],
    ['young, and standing still since', 5, 'started', 2500, 'up'],
    ['of a service that was stopped', 300, 'stopped', 0, 'unproven'],
  ] as const)(
    'a report_count that rises is up, whatever the age says: %s',
    async (_, age, state, sinceMs, expected) => {
      const { row, observation } = await look({ age, state, heartbeats: still(sinceMs, 100_000 - sinceMs) })
      expect(judgeLiveness(row, observation)).toBe(expected)
    },
  )

  test('ten times service_down_time is believed if that is more than ten minutes', async () => {
    for (const [age, expected] of [
      [999, 'unproven'],
      [1000, 'down'],
    ] as const) {
      const { row, observation } = await look({ age, state: 'started' })
      expect(judgeLiveness(row, { ...observation, serviceDownTime: 100 })).toBe(expected)
    }
  })

  test('a service_down_time of nothing does not make it down', async () => {
    for (const serviceDownTime of [0, 1]) {
      const { row, observation } = await look({ age: 1, state: 'started' })
      expect(judgeLiveness(row, { ...observation, serviceDownTime })).toBe('unproven')
    }
  })

  test('without a service the report_interval of the request counts', async () => {
    for (const [reportInterval, expected] of [
      [2, 'down'],
      [10, 'unproven'],
    ] as const) {
      const { row, observation } = await look({ age: 60, state: 'started', heartbeats: still(5000) })
      expect(judgeLiveness(row, { ...observation, service: undefined, reportInterval })).toBe(expected)
    }
  })

  test('another member is not believed to be down because the unit here is', async () => {
    const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped')
    world.rows = world.rows.map((row) => ({ ...row, beatAtMs: row.table === 'services' ? 0 : undefined }))
    const seen = await observeWorld(world, ask(started))
    const stands = { count: 7, since: -60_000, seenAt: 0, risenAt: undefined, risenAfter: undefined }
    const heartbeats = new Map([1, 2].map((id) => [id, stands]))
    const services = seen.backends[0]?.services ?? []
    expect(services.map((row) => judgeLiveness(row, { ...seen, heartbeats }))).toEqual(['down', 'up'])
  })
})

describe('a clock', () => {
  test.each([
    ['that agrees', 1, 0],
    ['that agrees, after a heartbeat in the middle of a long gap', 4, 0],
    ['behind', 305, 300],
    ['ahead', -100, -101],
  ])('%s', async (_, age, expected) => {
    const { row, observation } = await look({ age, state: 'started' })
    // The count rose between 95 s and 99 s, and the row was read at 100 s.
    const heartbeats = new Map([[1, { count: 8, since: 99_000, seenAt: 100_000, risenAt: 99_000, risenAfter: 95_000 }]])
    expect(measureClockLag(row, heartbeats, observation.at)).toBeCloseTo(expected)
  })

  test('of a service that was not seen to beat is not known', async () => {
    const { row, observation } = await look({ age: 300, state: 'started' })
    expect(measureClockLag(row, observation.heartbeats, observation.at)).toBeUndefined()
  })
})

test('a service whose heartbeat was seen to come is shown as up, whatever its age, until it stands still', async () => {
  for (const [age, heartbeats, expected] of [
    [300, undefined, false],
    [300, still(0, 100_000), true],
    [300, still(2500, 97_500), false],
    [5, undefined, true],
  ] as const) {
    const { row, observation } = await look({ age, state: 'started', ...(heartbeats && { heartbeats }) })
    expect(isShownUp(row, observation)).toBe(expected)
  }
})

test('a heartbeat is fresh within report_interval and a little', async () => {
  for (const [age, expected] of [
    [2.4, true],
    [2.6, false],
    [-2.4, true],
    [-300, false],
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
  const heartbeats = new Map([[1, { count: 8, since: 99_000, seenAt: 100_000, risenAt, risenAfter: 98_500 }]])
  const { observation, service } = await look({ age: 0, state: 'started', heartbeats, ...(startedAt && { startedAt }) })
  expect(hasProvenHeartbeat(observation, service)).toBe(expected)
})

describe('what was seen of a heartbeat', () => {
  const row = async (reportCount: number | null) => ({ ...(await look({ age: 0, state: 'started' })).row, reportCount })

  test('the first look proves nothing, a risen count proves it, and begins the still stand again', async () => {
    const first = updateHistory(new Map(), [await row(7)], 1000)
    expect(first.get(1)).toEqual({ count: 7, since: 1000, seenAt: 1000, risenAt: undefined, risenAfter: undefined })
    const same = updateHistory(first, [await row(7)], 2000)
    expect(same.get(1)).toEqual({ ...first.get(1), seenAt: 2000 })
    const risen = updateHistory(same, [await row(8)], 3000)
    expect(risen.get(1)).toEqual({ count: 8, since: 3000, seenAt: 3000, risenAt: 3000, risenAfter: 2000 })
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
