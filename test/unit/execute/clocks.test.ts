import { describe, expect, test } from 'vitest'
import { isFailedOver } from '../../../src/model/failover.js'
import { makeResult } from '../../../src/report/result.js'
import { cloneWorld, describeWorld, makeConf, runInWorld, type World } from '../../support/world.js'
import { ask, codeOf, FAILED_OVER, makeClusterWorld, makeHostWorld } from '../../support/worlds.js'

// In these worlds report_interval is 2 s, so a look takes 2.5 s to 3.5 s, and service_down_time is 10 s.

const LAGS_S = [-3600, -300, -5, 0, 5, 300, 3600]
const RESET = { active_backend: 'reset', promoted: 'B' }
const STARTED = { service: { manager: 'systemd', state: 'started' } }
const STOPPED = { service: { manager: 'systemd', state: 'stopped' } }
const CLUSTER = { cluster: 'c9@arrayA' }
const FILE = makeConf('B', ['C'])

/** A host whose last heartbeat was so many seconds ago, by the clock of the database. */
function makeOld(age: number, options: Partial<World> = {}): World {
  const world = makeHostWorld(FAILED_OVER, 'stopped', { file: FILE, ...options })
  return { ...world, rows: world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - age * 1000 })) }
}

/** The same, but a process that no manager knows still sends heartbeats. */
function makeBeating(lag: number): World {
  const world = makeOld(0, { timeMs: 100_000 })
  return { ...world, rows: world.rows.map((row) => ({ ...row, beatsByItself: true, lagMs: lag * 1000 })) }
}

/** A cluster whose member here was stopped long ago, and whose other member beats. */
function makeBeatingCluster(lag: number, service: World['service'] = 'stopped'): World {
  const world = makeClusterWorld(FAILED_OVER, FAILED_OVER, FAILED_OVER, service)
  const rows = world.rows.map((row) =>
    row.name === 'vol2@arrayA' ? { ...row, beatAtMs: 99_500, beatsByItself: true, lagMs: lag * 1000 } : row,
  )
  return { ...world, rows, file: FILE, timeMs: 100_000 }
}

const resets = (world: World) => world.rows.every(({ state }) => !isFailedOver(state))

describe('without wait', () => {
  test.each([10, 60, 590])(
    'a heartbeat that is %s s old is seen to stand still first, in check mode too',
    async (age) => {
      for (const check of [true, false]) {
        const world = makeOld(age)
        const run = await runInWorld(world, ask(RESET, check))
        expect(codeOf(run)).toBeUndefined()
        expect(world.timeMs).toBeGreaterThanOrEqual(3000)
        expect(world.timeMs).toBeLessThanOrEqual(4500)
        expect(resets(world)).toBe(!check)
        expect(makeResult(run.journal, { audience: 'request' })).toMatchObject({
          changed: true,
          backends: [{ actions: ['reset_active_backend'], before: FAILED_OVER, state: 'down' }],
        })
      }
    },
  )

  test('a heartbeat that is very old, or never was, is believed at once', async () => {
    for (const age of [600, 86_400, undefined]) {
      const world = makeOld(age ?? 0)
      if (age === undefined) world.rows = world.rows.map((row) => ({ ...row, beatAtMs: undefined }))
      const calls: string[] = []
      await runInWorld(world, ask(RESET), { onCall: (name) => calls.push(name) })
      expect(resets(world)).toBe(true)
      expect(world.timeMs).toBe(500)
      expect(calls.filter((name) => /read(Rows|Locked)|lock|update/.test(name))).toEqual([
        'readRows',
        'lock',
        'readLocked',
        'update',
      ])
    }
  })

  test.each([
    [300, true],
    [-300, false],
    [0, false],
  ])('a service that beats is refused, with a clock that is %s s behind', async (lag, isLooked) => {
    for (const check of [true, false])
      for (const world of [makeBeating(lag), makeBeatingCluster(lag)]) {
        const before = describeWorld(world)
        const target = world.rows.length > 1 ? CLUSTER : {}
        const run = await runInWorld(world, ask({ ...target, ...RESET, ...(check && STARTED), wait: false }, check))
        expect(codeOf(run)).toBe('service_up')
        expect(describeWorld(world)).toBe(before)
        expect(run.effects).toEqual([])
        expect(world.timeMs > 100_000).toBe(isLooked)
        const { warnings, backends } = makeResult(run.journal, { audience: 'request' })
        expect(warnings.join().includes('about 300 s behind')).toBe(isLooked)
        expect(backends).toMatchObject([{ state: 'up' }])
      }
  })

  test('what names the clock of a service that is up is the refusal too', async () => {
    const refuse = async (lag: number) => {
      const run = await runInWorld(makeBeating(lag), ask(RESET))
      return makeResult(run.journal, { audience: 'request' })
    }
    expect((await refuse(300)).msg).toMatch(/report_count rises .*its clock is about 300 s behind/)
    expect((await refuse(-300)).msg).toMatch(/last heartbeat 300 s ahead/)
    expect((await refuse(3)).msg).not.toMatch(/clock/)
  })

  test('with a service, a member that beats is refused before anything is done', async () => {
    for (const wanted of [STARTED, STOPPED]) {
      const world = makeBeatingCluster(300)
      const run = await runInWorld(world, ask({ ...CLUSTER, ...RESET, ...wanted, frozen: true, wait: false }))
      expect(codeOf(run)).toBe('service_up')
      expect(run.effects).toEqual([])
    }
  })

  test('a service_down_time of nothing is not a way around', async () => {
    const request = { ...RESET, service_down_time: 0 }
    for (const lag of [0, 5, 300]) {
      const world = makeBeating(lag)
      const run = await runInWorld(world, ask(request))
      expect(codeOf(run)).toBe('service_up')
      expect(resets(world)).toBe(false)
    }
  })

  test('several backends are looked at together', async () => {
    const world = makeOld(60)
    const [row] = world.rows
    if (row === undefined) throw new Error('a world without rows')
    world.rows = [1, 2, 3].map((id) => ({ ...row, id, name: `vol${id}@arrayA` }))
    const backends = world.rows.map(({ name }) => ({ host: name }))
    expect(codeOf(await runInWorld(world, ask({ backends, ...RESET })))).toBeUndefined()
    expect(resets(world)).toBe(true)
    expect(world.timeMs).toBeLessThanOrEqual(4500)
  })

  test('with force nothing is looked at, and the guard is named', async () => {
    const world = makeBeating(300)
    const run = await runInWorld(world, ask({ ...RESET, force: true }))
    expect(run.journal.passed.map(({ code }) => code)).toEqual(['service_up'])
    expect(resets(world)).toBe(true)
    expect(world.timeMs).toBe(100_000)
  })

  test('a heartbeat between the last look and the lock is not written over', async () => {
    for (const age of [60, 3600]) {
      const world = makeOld(age)
      const run = await runInWorld(world, ask(RESET), {
        onCall: (name) => {
          if (name === 'lock') world.rows = world.rows.map((row) => ({ ...row, reportCount: row.reportCount + 1 }))
        },
      })
      expect(codeOf(run)).toBe('service_up')
      expect(run.effects).toEqual([])
    }
  })

  test('the service that was stopped for an edit must stand still too', async () => {
    const edit = { ...STARTED, config: { options: { san_ip: 'ip-X' } }, wait: false }
    const kindsOf = async (world: World) => (await runInWorld(world, ask(edit))).journal.steps.map(({ kind }) => kind)
    const world = makeHostWorld({ ...FAILED_OVER, active_backend_id: null, replication_status: 'disabled' }, 'started')
    expect(await kindsOf(cloneWorld(world))).toEqual(['stop_service', 'await_down', 'update_config', 'start_service'])
    const foreign = { ...world, rows: world.rows.map((row) => ({ ...row, beatsByItself: true })) }
    const run = await runInWorld(foreign, ask(edit))
    expect(codeOf(run)).toBe('timeout')
    expect(run.effects.map(({ kind }) => kind)).toEqual(['stop'])
  })
})

describe('with wait', () => {
  test('a service that stops is down when it stands still, whatever its clock says', async () => {
    for (const lag of [0, 5, 300, 3600]) {
      const world = makeHostWorld(FAILED_OVER, 'started', { file: FILE })
      world.rows = world.rows.map((row) => ({ ...row, lagMs: lag * 1000 }))
      const run = await runInWorld(world, ask({ ...RESET, ...STARTED, frozen: true }))
      expect(codeOf(run)).toBeUndefined()
      expect(world.service).toBe('started')
      expect(resets(world)).toBe(true)
      const { warnings, backends } = makeResult(run.journal, { audience: 'request' })
      expect(warnings.join().includes('behind that of the database')).toBe(lag >= 300)
      expect(backends).toMatchObject([{ state: 'up' }])
    }
  })

  test('a wait is never shorter than a look', async () => {
    const world = makeOld(60)
    expect(codeOf(await runInWorld(world, ask({ ...RESET, wait: true, wait_timeout: 1 })))).toBeUndefined()
    expect(resets(world)).toBe(true)
  })

  test('a clock that is far ahead does not make it wait for ever', async () => {
    const world = makeHostWorld(FAILED_OVER, 'started', { file: FILE })
    world.rows = world.rows.map((row) => ({ ...row, lagMs: -3_600_000 }))
    const run = await runInWorld(world, ask({ ...RESET, ...STARTED, wait_timeout: 20 }))
    expect(codeOf(run)).toBe('timeout')
    expect(world.timeMs).toBeLessThan(30_000)
    expect(makeResult(run.journal, { audience: 'request' }).msg).toMatch(/ahead of the clock of the database/)
  })
})

test('whatever clocks say, no run resets a backend whose service beats', async () => {
  let runs = 0
  for (const lag of LAGS_S)
    for (const wanted of [{}, STARTED, STOPPED])
      for (const wait of [true, false])
        for (const make of [
          () => makeBeating(lag),
          () => makeBeatingCluster(lag, 'stopped'),
          () => makeBeatingCluster(lag, 'started'),
        ]) {
          const world = make()
          const target = world.rows.length > 1 ? CLUSTER : {}
          // A heartbeat that is older than ten minutes is believed, unless it is seen to rise.
          if (lag >= 600 && !(wait && world.service === 'started')) continue
          const run = await runInWorld(world, ask({ ...target, ...RESET, ...wanted, wait, wait_timeout: 20 }))
          runs++
          expect([lag, wait, codeOf(run)]).toEqual([lag, wait, expect.stringMatching(/^(service_up|timeout)$/)])
          expect(world.rows.every(({ state }) => isFailedOver(state))).toBe(true)
        }
  expect(runs).toBeGreaterThan(90)
})
