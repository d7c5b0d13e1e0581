import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Backend, BackendState, Desired, Row } from '../../../src/model/backend.js'
import type { ServiceState, ServiceView } from '../../../src/model/observation.js'
import type { Action, ConfigPlan } from '../../../src/model/plan.js'
import { planBackend, planStage } from '../../../src/plan/plan.js'

interface World {
  readonly backend: Backend
  readonly state: ServiceState
  readonly edited: boolean
}

const anyState: fc.Arbitrary<BackendState> = fc.record({
  disabled: fc.constantFrom(true, false, null),
  disabled_reason: fc.constantFrom('frozen', 'failed-over', 'disk swap', null),
  replication_status: fc.constantFrom('enabled', 'disabled', 'failed-over', 'error', 'not-capable', null),
  active_backend_id: fc.constantFrom('arrayB', '', null),
  frozen: fc.constantFrom(true, false, null),
})

const anyDesired: fc.Arbitrary<Desired> = fc.record({
  active_backend: fc.constantFrom('reset' as const, undefined),
  replication: fc.constantFrom('enabled' as const, 'disabled' as const, undefined),
  frozen: fc.constantFrom(true, false, undefined),
})

const anyWorld = fc
  .record({
    states: fc.array(anyState, { minLength: 1, maxLength: 3 }),
    desired: anyDesired,
    state: fc.constantFrom('started' as const, 'stopped' as const, 'changing' as const),
    edited: fc.boolean(),
    wanted: fc.constantFrom('started' as const, 'stopped' as const),
    driver: fc.boolean(),
  })
  // A driver that contradicts what is asked for makes the run fail, and is another story.
  .filter(({ driver, desired }) => driver || desired.replication !== 'enabled')

function backendOf(states: readonly BackendState[], desired: Desired): Backend {
  const rows = states.map((state, index): Row => {
    const cluster = index === 0 && states.length > 1
    return {
      table: cluster ? 'clusters' : 'services',
      id: index,
      name: cluster ? 'c1@arrayA' : `vol${index}@arrayA`,
      clusterName: cluster || states.length === 1 ? null : 'c1@arrayA',
      state,
      stored: { ...state, disabled: Number(state.disabled), frozen: Number(state.frozen) },
      heartbeatAge: cluster ? null : 3,
      modifiedAt: null,
      reportCount: cluster ? null : 7,
    }
  })
  const target = { kind: 'cluster' as const, name: 'c1@arrayA', desired }
  return states.length === 1
    ? { target, cluster: undefined, services: rows }
    : { target, cluster: rows[0], services: rows.slice(1) }
}

const EDIT: ConfigPlan = {
  file: '/etc/cinder/cinder.conf',
  section: 'arrayA',
  backup: false,
  before: Buffer.from('old'),
  after: Buffer.from('new'),
  options: ['san_ip'],
  warnings: [],
  refusal: undefined,
}

function circumstances({ state, edited }: World, wanted: ServiceView['wanted']) {
  const service: ServiceView = {
    manager: 'systemd',
    name: 'cinder-volume',
    state,
    wanted,
    waits: true,
    host: 'vol0@arrayA',
    otherHost: undefined,
    reportInterval: 10,
    replicates: false,
    others: [],
  }
  const config = { ...EDIT, options: edited ? [] : EDIT.options }
  return { serviceDownTime: 60, isUp: () => false, restore: undefined, service, config }
}

/** The worlds that a run goes through, one a step; a start lets the driver say whether it replicates. */
function history(start: World, wanted: ServiceView['wanted'], driver: boolean): readonly World[] {
  const worlds = [start]
  const now = () => worlds.at(-1) ?? start
  const { actions } = planBackend(start.backend, circumstances(start, wanted))
  const does = (action: Action, next: (world: World) => World) => {
    if (actions.includes(action)) worlds.push(next(now()))
  }
  const writes = (stage: 'before' | 'between' | 'after') => {
    const world = now()
    const { rows } = planStage(world.backend, stage, circumstances(world, wanted))
    worlds.push({
      ...world,
      backend: backendOf(
        rows.map(({ after }) => after),
        world.backend.target.desired,
      ),
    })
  }
  writes('before')
  does('stop_service', (world) => ({ ...world, state: 'stopped' }))
  does('update_config', (world) => ({ ...world, edited: true }))
  writes('between')
  does('start_service', (world) => ({ ...world, state: 'started', backend: started(world.backend, driver) }))
  writes('after')
  return worlds
}

function started(backend: Backend, driver: boolean): Backend {
  const { cluster, services, target } = backend
  const states = [...(cluster ? [cluster] : []), ...services].map(({ state }) =>
    state.replication_status === 'failed-over'
      ? state
      : { ...state, replication_status: driver ? 'enabled' : 'disabled' },
  )
  return backendOf(states, target.desired)
}

const statesOf = ({ backend: { cluster, services } }: World) =>
  [...(cluster ? [cluster] : []), ...services].map(({ state }) => state)

const last = <T>(items: readonly T[]): T => {
  const item = items.at(-1)
  if (item === undefined) throw new Error('nothing there')
  return item
}

describe('a promotion with a service', () => {
  test('settles, whatever was there and whatever is asked', () => {
    fc.assert(
      fc.property(anyWorld, ({ states, desired, state, edited, wanted, driver }) => {
        const end = last(history({ backend: backendOf(states, desired), state, edited }, wanted, driver))
        expect(planBackend(end.backend, circumstances(end, wanted)).actions).toEqual([])
        expect(end).toMatchObject({ state: wanted, edited: true })
      }),
      { numRuns: 2000 },
    )
  })

  test('interrupted after any step, it comes to the same end', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(10), ({ states, desired, state, edited, wanted, driver }, steps) => {
        const start = { backend: backendOf(states, desired), state, edited }
        const whole = history(start, wanted, driver)
        const broken = whole[Math.min(steps, whole.length - 1)] ?? start
        const end = last(history(broken, wanted, driver))
        expect(statesOf(end)).toEqual(statesOf(last(whole)))
        expect(end.state).toBe(last(whole).state)
      }),
      { numRuns: 2000 },
    )
  })

  test('stays frozen and disabled from the reset to the end of the start', () => {
    fc.assert(
      fc.property(anyWorld, ({ states, desired, state, edited, driver }) => {
        const start = {
          backend: backendOf(states, { ...desired, active_backend: 'reset', frozen: false }),
          state,
          edited,
        }
        const worlds = history(start, 'started', driver)
        if (!planBackend(start.backend, circumstances(start, 'started')).actions.includes('reset_active_backend'))
          return
        for (const world of worlds.slice(1, -1)) {
          for (const row of statesOf(world)) expect(row).toMatchObject({ frozen: true, disabled: true })
        }
      }),
    )
  })

  test('stops the service only for what it must not run through', () => {
    fc.assert(
      fc.property(anyWorld, ({ states, desired, state }) => {
        const world = { backend: backendOf(states, desired), state, edited: true }
        const { actions } = planBackend(world.backend, circumstances(world, 'started'))
        const between = ['reset_active_backend', 'enable_replication']
        expect(actions.includes('stop_service')).toBe(
          state !== 'stopped' && actions.some((action) => between.includes(action)),
        )
      }),
    )
  })
})
