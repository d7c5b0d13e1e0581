import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import {
  type BackendState,
  type Desired,
  isSameState,
  type RowChange,
  type Target,
} from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import { isFailedOver } from '../../../src/model/failover.js'
import type { Request } from '../../../src/model/request.js'
import { makeResult } from '../../../src/report/result.js'
import { toRequest } from '../../../src/request/request.js'
import {
  cloneWorld,
  describeWorld,
  type Effect,
  Killed,
  makeConf,
  readPrimary,
  runInWorld,
  type World,
  type WorldRow,
  type WorldRun,
} from '../../support/world.js'

// Every small world there is, each run by the real loop on ports in memory: no database, no file, no clock but the world's own.

const STATES: readonly BackendState[] = [false, true].flatMap((disabled) =>
  (disabled ? [null, 'frozen', 'disk swap'] : [null]).flatMap((disabled_reason) =>
    ['enabled', 'disabled', 'failed-over', 'failing-over'].flatMap((replication_status) =>
      [null, 'B', 'Z'].flatMap((active_backend_id) =>
        [true, false].map((frozen) => ({ disabled, disabled_reason, replication_status, active_backend_id, frozen })),
      ),
    ),
  ),
)

const FAILED_OVER: BackendState = {
  disabled: true,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: 'B',
  frozen: true,
}
const HEALTHY: BackendState = {
  disabled: false,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: false,
}

const DESIRED: readonly Desired[] = [undefined, 'reset' as const].flatMap((active_backend) =>
  [undefined, 'enabled' as const, 'disabled' as const].flatMap((replication) =>
    [undefined, true, false].map((frozen) => ({ active_backend, replication, frozen })),
  ),
)
const SERVICES = [undefined, 'started', 'stopped'] as const
const PROMOTES = [undefined, 'B'] as const

/** One of each kind. */
const FEW_STATES: readonly BackendState[] = [
  HEALTHY,
  FAILED_OVER,
  { ...FAILED_OVER, frozen: false },
  { ...HEALTHY, frozen: true, disabled: true, disabled_reason: 'frozen' },
  { ...HEALTHY, disabled: true, disabled_reason: 'disk swap', replication_status: 'disabled' },
]

const HOST = { kind: 'host', name: 'vol1@arrayA' } as const
const CLUSTER = { kind: 'cluster', name: 'c9@arrayA' } as const

function makeRequest(options: {
  readonly desired: Desired
  readonly service?: 'started' | 'stopped' | undefined
  readonly promote?: string | undefined
  readonly targets?: readonly Omit<Target, 'desired'>[]
  readonly force?: boolean
  readonly wait?: boolean
}): Request {
  const { desired, service, promote, targets = [HOST], force = false, wait = service !== undefined } = options
  return {
    targets: targets.map(({ kind, name }) => ({ kind, name, desired })),
    restore: undefined,
    source: {},
    config:
      promote === undefined
        ? undefined
        : {
            file: undefined,
            section: undefined,
            options: new Map(),
            devices: [
              new Map([
                ['backend_id', 'C'],
                ['san_ip', 'ip-C'],
                ['api_token', 't-C'],
              ]),
            ],
            promote,
            backup: false,
          },
    service:
      service === undefined
        ? undefined
        : { manager: 'systemd', name: undefined, state: service, timeout: 60, start: [], stop: [], status: [] },
    wait,
    waitTimeout: 20,
    checkMode: false,
    diff: false,
    force,
    serviceDownTime: undefined,
    timeout: 30,
  }
}

const LONG_AGO_MS = -3_600_000

function makeRow(name: string, state: BackendState, more: Partial<WorldRow> = {}): WorldRow {
  const id = Number(/\d+/.exec(name)?.[0])
  return {
    table: 'services',
    id,
    name,
    clusterName: null,
    state,
    beatAtMs: LONG_AGO_MS,
    reportCount: 7,
    ...more,
  }
}

function makeWorld(rows: readonly WorldRow[], options: Partial<World> = {}): World {
  return {
    rows,
    file: makeConf('A', ['B']),
    service: 'stopped',
    serviceHost: 'vol1@arrayA',
    driverReplicates: true,
    timeMs: 500,
    ...options,
  }
}

/** A host whose cinder-volume runs, or was stopped long ago. */
function makeHostWorld(state: BackendState, service: World['service'], options: Partial<World> = {}): World {
  const beatAtMs = service === 'started' ? 0 : LONG_AGO_MS
  return makeWorld([makeRow('vol1@arrayA', state, { beatAtMs })], { service, ...options })
}

function makeClusterWorld(
  cluster: BackendState,
  one: BackendState,
  other: BackendState,
  service: World['service'],
): World {
  const clusterName = 'c9@arrayA'
  return makeWorld(
    [
      makeRow(clusterName, cluster, { table: 'clusters', beatAtMs: undefined }),
      makeRow('vol1@arrayA', one, { clusterName, beatAtMs: service === 'started' ? 0 : LONG_AGO_MS }),
      makeRow('vol2@arrayA', other, { clusterName }),
    ],
    { service },
  )
}

const GUARDS = ['failover_in_progress', 'not_failed_over', 'failed_over', 'not_frozen', 'service_up']

function codeOf({ journal }: WorldRun): string | undefined {
  if (journal.error === undefined) return undefined
  if (journal.error instanceof AgentError) return journal.error.code
  throw journal.error
}

const actionsOf = ({ journal }: WorldRun) => journal.steps.flatMap(({ actions }) => [...actions])

/** What must hold of every effect of a run without force, judged without the planner. node:assert is quick enough for a million checks. */
function assertSafe(effects: readonly Effect[], before: World, request: Request): void {
  let file = before.file
  let running = before.service === 'started'
  const held = new Map<number, BackendState>()
  for (const effect of effects) {
    if (effect.kind === 'stop') running = false
    if (effect.kind === 'start') running = true
    if (effect.kind === 'file') {
      const primary = readPrimary(effect.text)
      const states = before.rows.map((row) => held.get(row.id) ?? row.state)
      if (primary !== readPrimary(file)) for (const state of states) assert.equal(state.active_backend_id, primary)
      assert.ok(!(running && request.service !== undefined))
      file = effect.text
    }
    if (effect.kind !== 'rows') continue
    for (const { row, after } of effect.changes) {
      held.set(row.id, after)
      assert.notEqual(row.state.replication_status, 'failing-over')
      assert.ok(!isSameState(row.state, after))
      assertSafeChange({ row, after }, request, running)
    }
  }
}

function assertSafeChange({ row, after }: RowChange, request: Request, running: boolean): void {
  const target = request.targets === 'all' ? undefined : request.targets[0]
  const resets = isFailedOver(row.state) && !isFailedOver(after)
  if (resets) {
    assert.equal(target?.desired.active_backend, 'reset')
    assert.ok(!running || request.service === undefined)
    if (request.service?.state === 'started' && mustStayFrozen(row.state, target?.desired))
      assert.ok(after.frozen && after.disabled)
    return
  }
  const thaws = row.state.frozen === true && after.frozen === false
  if (thaws) assert.ok(!isFailedOver(row.state))
}

/** Until the start is proven a backend that is frozen, or whose freeze the request speaks of, stays frozen. */
function mustStayFrozen(state: BackendState, desired: Desired | undefined): boolean {
  return desired?.frozen !== undefined || state.frozen === true
}

interface Case {
  readonly world: World
  readonly request: Request
}

/** The run, a check before it, a second run after it, and a kill after each of its effects with the next run. */
async function assertCase({ world, request }: Case): Promise<{ code: string | undefined; kills: number }> {
  const planned = cloneWorld(world)
  const check = await runInWorld(planned, { ...request, checkMode: true })
  assert.equal(describeWorld(planned), describeWorld(world))

  const after = cloneWorld(world)
  const run = await runInWorld(after, request)
  const code = codeOf(run)
  if (!request.force) assertSafe(run.effects, world, request)
  if (code !== undefined) {
    assert.ok(GUARDS.includes(code) && !request.force, code)
    assert.equal(codeOf(check), code)
    assert.equal(describeWorld(after), describeWorld(world))
    return { code, kills: 0 }
  }
  assert.equal(actionsOf(check).join(), actionsOf(run).join())

  const again = await runInWorld(after, request)
  assert.equal(codeOf(again), undefined)
  assert.equal(again.effects.length, 0)

  for (let kill = 1; kill <= run.effects.length; kill++) {
    const killed = cloneWorld(world)
    await runInWorld(killed, request, { afterEffect: (count) => throwAt(count, kill) })
    const next = await runInWorld(killed, request)
    assert.equal(codeOf(next), undefined)
    assert.equal(describeWorld(killed), describeWorld(after))
  }
  return { code, kills: run.effects.length }
}

function throwAt(count: number, kill: number): void {
  if (count === kill) throw new Killed()
}

/** All cases, with a failing one in full, and the codes that they ended in. */
async function assertAll(
  cases: Iterable<Case>,
): Promise<{ count: number; kills: number; outcomes: readonly string[] }> {
  let count = 0
  let kills = 0
  const outcomes = new Set<string>()
  for (const each of cases) {
    try {
      const outcome = await assertCase(each)
      count++
      kills += outcome.kills
      outcomes.add(outcome.code ?? 'done')
    } catch (error) {
      const { targets, config, service, force, wait } = each.request
      const request = JSON.stringify({ targets, promote: config?.promote, service: service?.state, force, wait })
      throw new Error(`${describeWorld(each.world)} ${request}: ${String(error)}`, { cause: error })
    }
  }
  return { count, kills, outcomes: [...outcomes].sort() }
}

describe('check mode foretells the run, the second run is empty, and a killed run is finished by the next', () => {
  test('on one host, with and without a service and a promotion', async () => {
    const { count, kills, outcomes } = await assertAll(
      (function* () {
        for (const state of STATES)
          for (const desired of DESIRED)
            for (const service of SERVICES)
              for (const promote of PROMOTES)
                for (const running of ['started', 'stopped'] as const)
                  yield {
                    world: makeHostWorld(state, running),
                    request: makeRequest({ desired, service, promote }),
                  }
      })(),
    )
    expect(count).toBe(STATES.length * DESIRED.length * 3 * 2 * 2)
    expect(kills).toBeGreaterThan(10_000)
    expect(outcomes).toEqual(['done', ...GUARDS].sort())
  })

  test('on one host, if nothing is waited for', async () => {
    const { outcomes } = await assertAll(
      (function* () {
        for (const state of FEW_STATES)
          for (const desired of DESIRED)
            for (const service of SERVICES)
              for (const running of ['started', 'stopped'] as const)
                yield {
                  world: makeHostWorld(state, running),
                  request: makeRequest({ desired, service, promote: 'B', wait: false }),
                }
      })(),
    )
    expect(outcomes).toContain('service_up')
  })

  test('on a cluster of two, whose rows may disagree', async () => {
    const { outcomes } = await assertAll(
      (function* () {
        for (const cluster of FEW_STATES)
          for (const one of FEW_STATES)
            for (const other of [HEALTHY, FAILED_OVER])
              for (const desired of DESIRED)
                for (const service of SERVICES)
                  yield {
                    world: makeClusterWorld(cluster, one, other, 'started'),
                    request: makeRequest({ desired, service, targets: [CLUSTER] }),
                  }
      })(),
    )
    expect(outcomes).toEqual(expect.arrayContaining(['done', 'failed_over', 'not_frozen', 'service_up']))
  })

  test('on two hosts in one request', async () => {
    const { outcomes } = await assertAll(
      (function* () {
        for (const one of FEW_STATES)
          for (const other of FEW_STATES)
            for (const desired of DESIRED)
              yield {
                world: makeWorld([makeRow('vol1@arrayA', one), makeRow('vol2@arrayA', other)]),
                request: makeRequest({ desired, targets: [HOST, { kind: 'host', name: 'vol2@arrayA' }] }),
              }
      })(),
    )
    expect(outcomes).toContain('not_frozen')
  })

  test('with force, past every guard', async () => {
    const { outcomes } = await assertAll(
      (function* () {
        for (const state of STATES)
          for (const desired of DESIRED)
            for (const service of [undefined, 'started'] as const)
              yield {
                world: makeHostWorld(state, 'started'),
                request: makeRequest({ desired, service, force: true }),
              }
      })(),
    )
    expect(outcomes).toEqual(['done'])
  })
})

describe('while a promotion is under way', () => {
  const promotions: readonly Case[] = [undefined, 'B'].flatMap((promote) =>
    (['started', 'stopped'] as const).flatMap((running) =>
      [true, false].map((frozen) => ({
        world: makeHostWorld({ ...FAILED_OVER, frozen }, running),
        request: makeRequest({
          desired: { active_backend: 'reset', replication: 'enabled', frozen: false },
          service: 'started',
          promote,
        }),
      })),
    ),
  )
  const failOver = (world: World, active_backend_id: string, replication_status: string) => {
    const state = { ...FAILED_OVER, active_backend_id, replication_status }
    world.rows = world.rows.map((row) => ({ ...row, state: { ...state, frozen: row.state.frozen } }))
  }

  test.each([
    ['failed-over', ['not_failed_over', 'conflict', 'failed_over']],
    ['failing-over', ['failover_in_progress', 'failed_over', 'not_failed_over', 'conflict']],
  ])('a failover to another array (%s) after any step ends the run there', async (status, codes) => {
    let failovers = 0
    for (const { world, request } of promotions) {
      const whole = await runInWorld(cloneWorld(world), request)
      for (let at = 1; at < whole.effects.length; at++) {
        const disturbed = cloneWorld(world)
        const run = await runInWorld(disturbed, request, {
          afterEffect: (count) => {
            if (count === at) failOver(disturbed, 'Z', status)
          },
        })
        failovers++
        expect(codes).toContain(codeOf(run))
        // What is done after it may stop the service, and nothing else.
        expect(run.effects.slice(at).filter(({ kind }) => kind !== 'stop')).toEqual([])
        expect(disturbed.rows.map(({ state }) => state.active_backend_id)).toEqual(['Z'])
      }
    }
    expect(failovers).toBeGreaterThan(20)
  })

  test('a failover of a backend that was healthy when the run began is not reset', async () => {
    const world = makeHostWorld(HEALTHY, 'started')
    const request = makeRequest({ desired: { active_backend: 'reset', frozen: true }, service: 'stopped' })
    const run = await runInWorld(world, request, {
      afterEffect: (count) => {
        if (count === 1) failOver(world, 'Z', 'failed-over')
      },
    })
    expect(codeOf(run)).toBe('conflict')
    expect(world.rows[0]?.state.active_backend_id).toBe('Z')
  })

  test('a service that somebody starts again is told, before anything is edited', async () => {
    for (const { world, request } of promotions) {
      if (world.service === 'stopped') continue
      const disturbed = cloneWorld(world)
      const run = await runInWorld(disturbed, request, {
        afterEffect: () => {
          disturbed.service = 'started'
        },
      })
      expect(['service_control_failed', 'timeout']).toContain(codeOf(run))
      expect(run.effects.map(({ kind }) => kind)).not.toContain('file')
      expect(disturbed.rows[0]?.state.active_backend_id).toBe('B')
    }
  })

  test('a driver that does not replicate fails the run, and the backend stays frozen', async () => {
    for (const { world, request } of promotions) {
      const broken = { ...cloneWorld(world), driverReplicates: false }
      const run = await runInWorld(broken, request)
      expect(codeOf(run)).toBe('replication_not_enabled')
      expect(broken.rows[0]?.state).toMatchObject({ frozen: true, disabled: true, replication_status: 'disabled' })
    }
  })

  test('a process that no manager knows keeps the run from an edit and a reset', async () => {
    for (const { world, request } of promotions) {
      const foreign = cloneWorld(world)
      foreign.rows = foreign.rows.map((row) => ({ ...row, beatsByItself: true, beatAtMs: 0 }))
      const run = await runInWorld(foreign, request)
      expect(codeOf(run)).toBe('timeout')
      expect(run.effects.filter(({ kind }) => kind === 'file')).toEqual([])
      expect(foreign.rows[0]?.state.active_backend_id).toBe('B')
    }
  })
})

describe('undo', () => {
  test('puts every row back that a run wrote, and finds nothing the second time', async () => {
    for (const state of STATES) {
      for (const desired of DESIRED) {
        const world = makeHostWorld(state, 'stopped')
        const before = describeWorld(world)
        const { journal } = await runInWorld(world, makeRequest({ desired }))
        const { undo } = makeResult(journal, { audience: 'request' })
        expect(undo !== undefined).toBe(describeWorld(world) !== before)
        if (undo === undefined) continue
        const back = toRequest({ ...undo, force: true }, { check: false, diff: false })
        expect(codeOf(await runInWorld(world, back))).toBeUndefined()
        expect(describeWorld(world)).toBe(before)
        expect((await runInWorld(world, back)).effects).toEqual([])
      }
    }
  })

  test('does not touch a row that somebody changed since', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const { journal } = await runInWorld(world, makeRequest({ desired: { frozen: true } }))
    const { undo } = makeResult(journal, { audience: 'request' })
    world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, disabled_reason: 'disk swap' } }))
    const run = await runInWorld(world, toRequest(undo, { check: false, diff: false }))
    expect(codeOf(run)).toBe('conflict')
    expect(run.effects).toEqual([])
  })
})
