import { describe, expect, test } from 'vitest'
import { requireSamePlan } from '../../../src/frontends/cli/same-plan.js'
import type { BackendState, Desired, Row } from '../../../src/model/backend.js'
import type { Plan } from '../../../src/model/plan.js'
import { NO_CONFIG } from '../../../src/plan/config-plan.js'
import { makePlan } from '../../../src/plan/plan.js'
import { toRequest } from '../../../src/request/request.js'

const HEALTHY: BackendState = {
  disabled: false,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: false,
}
const FAILED_OVER: BackendState = {
  disabled: true,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: 'arrayB',
  frozen: true,
}

/** The plan for one host whose row is in this state. */
function planFor(state: BackendState, desired: Desired): Plan {
  const request = toRequest({ host: 'vol1@arrayA', ...desired }, { check: false, diff: false })
  const row: Row = {
    table: 'services',
    id: 1,
    name: 'vol1@arrayA',
    clusterName: null,
    state,
    stored: { ...state, disabled: Number(state.disabled), frozen: Number(state.frozen) },
    heartbeatAge: 3600,
    modifiedAt: null,
    readAt: '2026-01-01 00:00:00',
    reportCount: 7,
  }
  const target = { kind: 'host' as const, name: 'vol1@arrayA', desired }
  const observation = {
    at: 0,
    backends: [{ target, cluster: undefined, services: [row] }],
    heartbeats: new Map(),
    config: undefined,
    service: undefined,
    serviceDownTime: 60,
    waitIsOver: false,
  }
  return makePlan(request, observation, () => NO_CONFIG)
}

const planFreeze = (state: BackendState) => planFor(state, { frozen: true })

const conflict = expect.objectContaining({ code: 'conflict' })

describe('a plan that was shown', () => {
  test('is approved again, also if nothing is left to do', () => {
    const approve = requireSamePlan()
    approve(planFreeze(HEALTHY), [])
    approve(planFreeze(HEALTHY), [])
    approve(planFreeze({ ...HEALTHY, frozen: true, disabled: true }), [])
  })

  test('is refused if a row has changed, also one of the rows under lock', () => {
    const approve = requireSamePlan()
    approve(planFreeze(HEALTHY), [])
    const changed = { ...HEALTHY, disabled: true, disabled_reason: 'disk swap' }
    expect(() => approve(planFreeze(changed), [])).toThrow(conflict)
  })

  test('is refused if it would write more, also after its first step', () => {
    const approve = requireSamePlan()
    const shown = planFreeze(HEALTHY)
    approve(shown, [])
    const reset = planFor(FAILED_OVER, { active_backend: 'reset', frozen: true })
    expect(() => approve(reset, shown.steps)).toThrow(conflict)
  })
})
