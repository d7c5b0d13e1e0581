import fc from 'fast-check'
import { expect, test } from 'vitest'
import { execute } from '../../../src/execute/execute.js'
import type { BackendState } from '../../../src/model/backend.js'
import { cloneWorld, makeConf, OLD_COPY_PATH, openWorld, runInWorld, type World } from '../../support/world.js'
import {
  ask,
  codeOf,
  FAILED_OVER,
  HEALTHY,
  makeClusterWorld,
  makeHostWorld,
  PROMOTED,
  STATES,
} from '../../support/worlds.js'

// A run ends, whatever the world does.

/** More calls of ports than any run may need, and more time in seconds: two waits and a start of 20 s each, with what a heartbeat needs to grow old. */
const MOST_CALLS = 3000
const MOST_SECONDS = 600

const SERVICE = { service: { manager: 'systemd', state: 'started' } }
const RESET = { active_backend: 'reset', replication: 'enabled', promoted: 'B' }
const PROMOTION = {
  active_backend: 'reset',
  replication: 'enabled',
  config: { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] },
}
const DOCUMENTS: readonly object[] = [
  RESET,
  { ...RESET, ...SERVICE, frozen: false },
  { ...PROMOTION, ...SERVICE, frozen: false },
  { ...PROMOTION, frozen: true },
  { replication: 'enabled' },
  { ...SERVICE, replication: 'disabled', frozen: false },
  { service: { manager: 'systemd', state: 'stopped' }, frozen: true },
]

const beat = (world: World, ageMs: number) => {
  world.rows = world.rows.map((row) => ({
    ...row,
    reportCount: row.reportCount + 1,
    beatAtMs: world.timeMs - ageMs,
  }))
}

/** A heartbeat whose age does not grow, though it does not come. */
const touch = (world: World, ageMs: number) => {
  world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs - ageMs }))
}

const setRows = (world: World, state: BackendState) => {
  world.rows = world.rows.map((row) => ({ ...row, state }))
}

const age = fc.constantFrom(0, 5000, 15_000, 300_000)
const disturbance = fc.oneof(
  fc.record({ do: fc.constant('beat' as const), age }),
  fc.record({ do: fc.constant('touch' as const), age }),
  fc.record({ do: fc.constant('service' as const), to: fc.constantFrom('started', 'stopped', 'changing') }),
  fc.record({ do: fc.constant('rows' as const), to: fc.constantFrom(HEALTHY, FAILED_OVER, ...STATES) }),
  fc.record({
    do: fc.constant('status' as const),
    to: fc.constantFrom('enabled', 'disabled', 'failing-over'),
  }),
  fc.record({ do: fc.constant('file' as const), to: fc.constantFrom(makeConf('A', ['B']), PROMOTED) }),
)
type Disturbance = typeof disturbance extends fc.Arbitrary<infer T> ? T : never

function happen(world: World, each: Disturbance): void {
  switch (each.do) {
    case 'beat':
      beat(world, each.age)
      return
    case 'touch':
      touch(world, each.age)
      return
    case 'service':
      world.service = each.to
      return
    case 'rows':
      setRows(world, each.to)
      return
    case 'status':
      world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, replication_status: each.to } }))
      return
    case 'file':
      world.file = each.to
      return
  }
}

/** The run, which ends in an error of the test if it makes too many calls. */
async function runToEnd(world: World, document: object, onCall: (name: string, count: number) => void) {
  let count = 0
  const beganAt = world.timeMs
  const run = await runInWorld(world, ask(document), {
    onCall: (name) => {
      count++
      if (count > MOST_CALLS) throw new Error(`The run does not end: ${count} calls.`)
      onCall(name, count)
    },
  })
  expect((world.timeMs - beganAt) / 1000).toBeLessThan(MOST_SECONDS)
  return run
}

const worlds = (service: 'started' | 'stopped'): readonly World[] => [
  makeHostWorld(FAILED_OVER, service),
  makeHostWorld({ ...FAILED_OVER, frozen: false }, service, { file: PROMOTED }),
  makeHostWorld(HEALTHY, service),
  makeClusterWorld(FAILED_OVER, FAILED_OVER, FAILED_OVER, service),
]

test('whatever happens between its looks', async () => {
  const all = [...worlds('started'), ...worlds('stopped')]
  const outcomes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...all),
      fc.constantFrom(...DOCUMENTS),
      fc.boolean(),
      fc.boolean(),
      fc.array(disturbance, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (start, document, wait, force, disturbances, every, keepsCopies) => {
        const world: World = { ...cloneWorld(start), keepsCopies }
        const [first] = world.rows
        const target = first?.table === 'clusters' ? { cluster: first.name } : {}
        const request = { ...target, ...document, wait, wait_timeout: 20, force, timeout: 1 }
        const run = await runToEnd(world, request, (_, count) => {
          const each = disturbances[Math.floor(count / every) % disturbances.length]
          if (count % every === 0 && each !== undefined) happen(world, each)
        })
        outcomes.add(codeOf(run) ?? 'done')
      },
    ),
    { numRuns: 600 },
  )
  for (const outcome of ['done', 'timeout', 'conflict', 'service_up']) expect([...outcomes]).toContain(outcome)
})

test('if a service on another host starts again after each wait', async () => {
  for (const force of [false, true]) {
    const world = makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED })
    beat(world, 0)
    const run = await runToEnd(world, { ...RESET, wait: true, force }, (name) => {
      if (name === 'lock') beat(world, 0)
    })
    expect(codeOf(run)).toBe('timeout')
    expect(run.effects).toEqual([])
  }
})

test('if the age of a heartbeat that stands still does not grow', async () => {
  const world = makeHostWorld(FAILED_OVER, 'started', { file: PROMOTED })
  const run = await runToEnd(world, { ...RESET, ...SERVICE, frozen: false, wait_timeout: 20 }, (name) => {
    if (name === 'readRows' && world.service === 'stopped') touch(world, 5000)
  })
  expect(codeOf(run)).toBe('timeout')
  expect(run.effects.map(({ kind }) => kind)).toEqual(['stop'])
})

test('if the old copy cannot be removed, which is tried once and told', async () => {
  for (const service of [{}, SERVICE]) {
    const world: World = { ...makeHostWorld(FAILED_OVER, 'stopped'), keepsCopies: true }
    const { options } = openWorld(world, ask({ ...PROMOTION, ...service, frozen: false }))
    let removals = 0
    const removeOldCopy: typeof options.removeOldCopy = (copy) => {
      removals++
      return options.removeOldCopy(copy)
    }
    const journal = await execute({ ...options, removeOldCopy })
    expect(journal.error).toBeUndefined()
    expect(removals).toBe(1)
    expect(journal.warnings.join()).toContain(OLD_COPY_PATH)
    expect(world.rows[0]?.state.active_backend_id).toBeNull()
    expect(world.service).toBe('service' in service ? 'started' : 'stopped')
  }
})
