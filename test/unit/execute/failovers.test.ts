import { describe, expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import { makeResult } from '../../../src/report/result.js'
import { makeConf, readPrimary, runInWorld, type World } from '../../support/world.js'
import { ask, codeOf, FAILED_OVER, HEALTHY, makeHostWorld } from '../../support/worlds.js'

// Failovers and fail-backs that come while the agent works.

const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const TO_C = [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }]
const WHOLE = {
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  service: { manager: 'systemd', state: 'started' },
}
const BY_NAME = { ...WHOLE, config: { promote: 'B', replication_device: TO_C } }
const BY_OPTIONS = {
  ...WHOLE,
  config: { options: { san_ip: 'ip-B', pure_api_token: 't-B' }, replication_device: TO_C },
}
const ROADS = [
  ['by name', BY_NAME],
  ['by its options', BY_OPTIONS],
] as const

const setRows = (world: World, change: (state: BackendState) => Partial<BackendState>) => {
  world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, ...change(row.state) } }))
}
/** cinder/volume/manager.py, failover, to another array. */
const failOverTo = (world: World, array: string) =>
  setRows(world, () => ({ ...FAILED_OVER, active_backend_id: array, frozen: true }))
/** cinder/volume/manager.py, failover to "default". */
const failBack = (world: World) =>
  setRows(world, ({ frozen }) => ({
    ...HEALTHY,
    frozen,
    disabled: frozen,
    disabled_reason: frozen ? 'frozen' : '',
    active_backend_id: '',
  }))

/** The run, with something that happens in the world after its Nth effect. */
async function runDisturbed(world: World, document: object, at: number, happen: (world: World) => void) {
  const run = await runInWorld(world, ask(document), {
    afterEffect: (count) => {
      if (count === at) happen(world)
    },
  })
  return { ...run, code: codeOf(run), result: makeResult(run.journal, { audience: 'request' }) }
}

const BEFORE_THE_EDIT = [
  ['the freeze', 1, 'started'],
  ['the stop', 2, 'stopped'],
] as const

describe.each(BEFORE_THE_EDIT)('after %s', (_, at, service) => {
  test.each(ROADS)('a fail-back ends a promotion %s before the edit', async (_road, document) => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, document, at, failBack)
    expect(result).toMatchObject({ changed: true, failed: true })
    expect(['conflict', 'not_failed_over']).toContain(result.error?.code)
    expect(readPrimary(world.file)).toBe('A')
    expect(world.service).toBe(service)
    expect(world.rows[0]?.state).toMatchObject({ active_backend_id: '', replication_status: 'enabled' })
  })

  test('a fail-back is told, with what is to be put back, and without an undo that nothing would take', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, BY_OPTIONS, at, failBack)
    expect(result.error?.code).toBe('conflict')
    expect(result.msg).toContain('failed back')
    expect(result.msg).toContain('failed over to B')
    expect(result.msg).toContain('thaw')
    if (service === 'stopped') expect(result.msg).toContain('start cinder-volume')
    expect(result).not.toHaveProperty('undo')
    expect(result.backends).toMatchObject([{ before: UNFROZEN, after: { active_backend_id: '' } }])
  })

  test.each(ROADS)('a failover to another array ends a promotion %s before the edit', async (_road, document) => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const { result } = await runDisturbed(world, document, at, (each) => failOverTo(each, 'Z'))
    expect(['conflict', 'not_failed_over']).toContain(result.error?.code)
    expect(result.msg).toContain('failed over to Z')
    expect(result).not.toHaveProperty('undo')
    expect(result.backends).toMatchObject([{ before: UNFROZEN, after: { active_backend_id: 'Z' } }])
    expect(readPrimary(world.file)).toBe('A')
    expect(world.service).toBe(service)
  })
})

test('an undo of rows that nobody has changed since is given after a failure too', async () => {
  const world = makeHostWorld(UNFROZEN, 'started')
  const { result } = await runDisturbed(world, BY_NAME, 2, (each) => {
    each.service = 'started'
  })
  expect(result).toMatchObject({ failed: true, undo: { restore: [{ to: UNFROZEN }] } })
})

test('a fail-back of a backend that only needs a reset leaves nothing to do', async () => {
  const world = makeHostWorld(FAILED_OVER, 'stopped', { file: makeConf('B', ['C']) })
  const run = await runInWorld(world, ask({ active_backend: 'reset', replication: 'enabled', promoted: 'B' }), {
    onCall: (name) => {
      if (name === 'lock') failBack(world)
    },
  })
  expect(codeOf(run)).toBeUndefined()
  expect(run.effects).toEqual([])
})

describe('between the reset and the start, or in it', () => {
  const RESUMED = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }

  test.each([
    ['before the start', 'readState'],
    ['in the start', 'start'],
  ])('a failover to another array %s is told as that, though the driver overwrites its status', async (_, call) => {
    for (const document of [BY_NAME, BY_OPTIONS]) {
      const world = makeHostWorld(UNFROZEN, 'started')
      let isReset = false
      const run = await runInWorld(world, ask(document), {
        afterEffect: () => {
          isReset = world.rows[0]?.state.active_backend_id === null
        },
        onCall: (name) => {
          if (name === call && isReset) {
            isReset = false
            setRows(world, () => ({ active_backend_id: 'C', replication_status: 'disabled', disabled: true }))
          }
        },
      })
      expect(codeOf(run)).toBe('failed_over')
      expect(makeResult(run.journal, { audience: 'request' }).msg).toContain('"C"')
      expect(world.rows[0]?.state).toMatchObject({ frozen: true, disabled: true, active_backend_id: 'C' })
    }
  })

  test('a failover that is seen while the heartbeat is waited for is told as that, also if its row is overwritten then', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    let looks = 0
    const run = await runInWorld(world, ask(BY_NAME), {
      onCall: (name) => {
        if (name !== 'readRows' || world.service !== 'started') return
        if (world.rows[0]?.state.active_backend_id !== null) return
        looks++
        if (looks === 2) setRows(world, () => ({ replication_status: 'failing-over' }))
        if (looks === 3) setRows(world, () => ({ replication_status: 'disabled' }))
      },
    })
    expect(codeOf(run)).toBe('failed_over')
  })

  test('in a run that goes on after another, a failover is not told as a driver that does not replicate', async () => {
    const world = makeHostWorld(RESUMED, 'stopped')
    const run = await runInWorld(world, ask(WHOLE), {
      onCall: (name) => {
        if (name === 'start')
          setRows(world, () => ({ active_backend_id: 'C', replication_status: 'disabled', disabled: true }))
      },
    })
    expect(codeOf(run)).toBe('conflict')
    expect(makeResult(run.journal, { audience: 'request' }).msg).toContain('failed over to C')
  })
})
