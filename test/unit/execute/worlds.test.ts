import { describe, expect, test } from 'vitest'
import { makeResult } from '../../../src/report/result.js'
import { toRequest } from '../../../src/request/request.js'
import { cloneWorld, describeWorld, runInWorld, type World } from '../../support/world.js'
import {
  assertAll,
  type Case,
  CLUSTER,
  codeOf,
  DESIRED,
  FAILED_OVER,
  FEW_STATES,
  HEALTHY,
  HOST,
  listHostCases,
  makeClusterWorld,
  makeHostWorld,
  makeRequest,
  makeRow,
  makeWorld,
  PROMOTED,
  SERVICES,
  STATES,
} from '../../support/worlds.js'

describe('check mode foretells the run, the second run is empty, and a killed run is finished by the next', () => {
  test('on one host, if nothing is waited for', async () => {
    const { outcomes } = await assertAll(listHostCases(FEW_STATES, { promote: 'B', wait: false }))
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
                    world: { ...makeClusterWorld(cluster, one, other, 'started'), file: PROMOTED },
                    request: makeRequest({ desired, service, targets: [CLUSTER], promoted: 'B' }),
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
                world: makeWorld([makeRow('vol1@arrayA', one), makeRow('vol2@arrayA', other)], { file: PROMOTED }),
                request: makeRequest({
                  desired,
                  targets: [HOST, { kind: 'host', name: 'vol2@arrayA' }],
                  promoted: 'B',
                }),
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
        world: makeHostWorld({ ...FAILED_OVER, frozen }, running, promote === undefined ? { file: PROMOTED } : {}),
        request: makeRequest({
          desired: { active_backend: 'reset', replication: 'enabled', frozen: false },
          service: 'started',
          promote,
          promoted: promote === undefined ? 'B' : undefined,
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
        world.rows = world.rows.map((row) => ({ ...row, modifiedAt: '2025-12-31 23:59:59' }))
        const before = describeWorld(world)
        const { journal } = await runInWorld(world, makeRequest({ desired }))
        const { undo } = makeResult(journal, { audience: 'request' })
        expect(undo !== undefined).toBe(describeWorld(world) !== before)
        if (undo === undefined) continue
        const back = toRequest({ ...undo, force: true }, { check: false, diff: false })
        expect(codeOf(await runInWorld(world, back))).toBeUndefined()
        expect(describeWorld(world)).toBe(before)
        expect(world.rows[0]?.modifiedAt).toBe('2025-12-31 23:59:59')
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
