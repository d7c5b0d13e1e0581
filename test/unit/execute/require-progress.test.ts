import { describe, expect, test } from 'vitest'
import {
  requireEnd,
  requireNothingUndone,
  requireProgress,
  requireSameFailover,
} from '../../../src/execute/require-progress.js'
import type { Backend, BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Journal } from '../../../src/model/journal.js'
import type { Observation } from '../../../src/model/observation.js'
import type { Plan, Step } from '../../../src/model/plan.js'
import { observeWorld } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeHostWorld } from '../../support/worlds.js'

const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const DISABLED: BackendState = { ...HEALTHY, replication_status: 'disabled' }

async function look(state: BackendState): Promise<Observation> {
  const request = ask({ service: { manager: 'systemd', state: 'started' } })
  return observeWorld(makeHostWorld(state, 'started'), request)
}
const seen = await look(HEALTHY)
const { service } = seen
if (service === undefined) throw new Error('a world without its service')

async function backendIn(state: BackendState): Promise<Backend> {
  const { backends } = await look(state)
  if (backends[0] === undefined) throw new Error('a world without a backend')
  return backends[0]
}

async function write(before: BackendState, after: BackendState): Promise<Step> {
  const backend = await backendIn(before)
  const rows = backend.services.map((row) => ({ row, after }))
  return { kind: 'write_rows', actions: [], changes: [{ backend, actions: [], rows }] }
}

const stop: Step = { kind: 'stop_service', actions: ['stop_service'], service }
const start: Step = { kind: 'start_service', actions: ['start_service'], service }
const awaitDown: Step = { kind: 'await_down', actions: [], hosts: ['vol1@arrayA'] }
const awaitHeartbeat: Step = { kind: 'await_heartbeat', actions: [], service }
const edit: Step = {
  kind: 'update_config',
  actions: ['update_config'],
  edits: [
    {
      target: { kind: 'host', name: 'vol1@arrayA' },
      file: '/etc/cinder/cinder.conf',
      section: 'arrayA',
      backup: false,
      keepsOldCopy: false,
      before: Buffer.from('old'),
      after: Buffer.from('new'),
      options: ['san_ip'],
      warnings: [],
    },
  ],
}
const reset = await write(FAILED_OVER, { ...FROZEN, replication_status: 'disabled' })
const enable = await write(DISABLED, HEALTHY)
const disable = await write(HEALTHY, DISABLED)
const hold = await write({ ...FAILED_OVER, frozen: false }, FAILED_OVER)
const freeze = await write(HEALTHY, FROZEN)
const thaw = await write(FROZEN, HEALTHY)
const replicate = await write({ ...FROZEN, replication_status: null }, FROZEN)

const planOf = (...steps: readonly Step[]): Plan => ({
  steps,
  needsRest: false,
  refusals: [],
  obstacle: undefined,
  section: undefined,
  warnings: [],
})
const journalOf = (steps: readonly Step[], first: Observation = seen): Journal => ({
  request: ask({}),
  first,
  last: first,
  steps,
  remaining: [],
  refusal: undefined,
  warnings: [],
  section: undefined,
  passed: [],
  backup: undefined,
  unconfirmed: [],
  mayBeChanged: false,
  error: undefined,
})

/** The error that ends the run; undefined: it goes on. */
function endOf(work: () => void): AgentError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof AgentError) return error
    throw error
  }
}

/** Both rules, in the order of the loop. */
function requireBoth(plan: Plan, observation: Observation, journal: Journal): void {
  requireProgress(plan, observation, journal)
  requireNothingUndone(plan, journal)
}

describe('a step that was done and is planned again', () => {
  test.each<readonly [string, readonly Step[], readonly Step[], string | undefined]>([
    ['nothing was done', [], [stop, edit, reset, start, freeze], undefined],
    ['what was not done yet', [hold, stop], [edit, reset, start, awaitHeartbeat, thaw], undefined],
    ['a reset after a reset', [reset], [reset], 'failed_over'],
    ['a reset after another write', [hold], [reset], undefined],
    ['enabled again after a start', [enable, start], [enable], 'replication_not_enabled'],
    ['enabled for the first time after a start', [start], [replicate], 'replication_not_enabled'],
    ['enabled without a start', [freeze], [enable], undefined],
    ['disabled after a start', [start], [disable], undefined],
    ['stopped again', [stop], [stop], 'service_control_failed'],
    ['started again', [start], [start], 'service_control_failed'],
    ['a start after a stop', [stop], [start], undefined],
    ['a second wait', [awaitDown], [awaitDown, edit], undefined],
    ['a third wait', [awaitDown, awaitDown], [awaitDown, edit], 'timeout'],
    ['something else after two waits', [awaitDown, awaitDown], [edit], undefined],
    ['a second wait for the heartbeat', [awaitHeartbeat], [awaitHeartbeat], undefined],
    ['edited again', [edit], [edit], 'conflict'],
    ['frozen again', [freeze], [freeze], 'conflict'],
    ['frozen again after another step', [freeze], [stop, freeze], undefined],
    ['thawed after a freeze', [freeze], [thaw], undefined],
    ['replication_status alone again', [enable], [enable], undefined],
  ])('%s', (_, done, next, code) => {
    expect(endOf(() => requireBoth(planOf(...next), seen, journalOf(done)))?.code).toBe(code)
  })

  test('names the host', () => {
    for (const [done, next] of [
      [reset, reset],
      [start, enable],
      [stop, stop],
      [start, start],
      [freeze, freeze],
    ] as const)
      expect(endOf(() => requireBoth(planOf(next), seen, journalOf([done])))?.details.host).toBe('vol1@arrayA')
  })

  test('a third wait ends the run also if the request is not about the service, and names the host', () => {
    const bare = { ...seen, service: undefined }
    expect(endOf(() => requireBoth(planOf(awaitDown, reset), bare, journalOf([awaitDown, awaitDown])))).toMatchObject({
      code: 'timeout',
      details: { host: 'vol1@arrayA' },
    })
  })

  test('no kind of step is tried for ever, also if nothing came of the tries', () => {
    for (const step of [stop, start, awaitDown, awaitHeartbeat, edit, freeze]) {
      const others = [stop, start, freeze].filter(({ kind }) => kind !== step.kind).map(({ kind }) => kind)
      const tried = [...others, ...others, ...Array.from({ length: 5 }, () => step.kind)]
      expect(endOf(() => requireEnd(step, tried))).toBeUndefined()
      expect(endOf(() => requireEnd(step, [...tried, step.kind]))?.code).toBe('conflict')
    }
  })

  test('a service that the request is not about cannot be at fault', () => {
    const bare = { ...seen, service: undefined }
    expect(endOf(() => requireBoth(planOf(stop, enable), bare, journalOf([stop, start])))).toBeUndefined()
  })
})

describe('a reset of another failover than the one that was seen first', () => {
  const onZ = { ...FAILED_OVER, active_backend_id: 'Z' }
  const onNone = { ...FAILED_OVER, active_backend_id: null }
  test.each<readonly [string, BackendState, BackendState, string | undefined]>([
    ['the same', FAILED_OVER, FAILED_OVER, undefined],
    [
      'the same by its array, whatever its status',
      FAILED_OVER,
      { ...FAILED_OVER, replication_status: 'error' },
      undefined,
    ],
    ['another array', FAILED_OVER, onZ, 'conflict'],
    ['none before', HEALTHY, FAILED_OVER, 'conflict'],
    ['an unknown array before', onNone, FAILED_OVER, 'conflict'],
    ['an unknown array now', FAILED_OVER, onNone, 'conflict'],
  ])('%s', async (_, before, now, code) => {
    const plan = planOf(await write(now, { ...FROZEN, replication_status: 'disabled' }))
    const journal = journalOf([], await look(before))
    const seenNow = await look(now)
    expect(endOf(() => requireSameFailover(plan, seenNow, journal))?.code).toBe(code)
  })

  test('is no matter where nothing is reset', async () => {
    const plan = planOf(await write(onZ, { ...onZ, frozen: true, disabled_reason: 'other' }))
    const journal = journalOf([], await look(FAILED_OVER))
    const now = await look(onZ)
    expect(endOf(() => requireSameFailover(plan, now, journal))).toBeUndefined()
  })

  test.each<readonly [string, BackendState, BackendState, string | undefined]>([
    ['of another failover ends the run', FAILED_OVER, onZ, 'conflict'],
    ['after a fail-back ends the run', FAILED_OVER, { ...HEALTHY, active_backend_id: '' }, 'conflict'],
    ['after a reset by another member goes on', FAILED_OVER, HEALTHY, undefined],
    ['of a healthy backend goes on', HEALTHY, HEALTHY, undefined],
    ['of a backend that was failed back before goes on', { ...HEALTHY, active_backend_id: '' }, HEALTHY, undefined],
  ])('an edit %s', async (_, before, now, code) => {
    const journal = journalOf([], await look(before))
    const seenNow = await look(now)
    expect(endOf(() => requireSameFailover(planOf(edit, start), seenNow, journal))?.code).toBe(code)
  })
})
