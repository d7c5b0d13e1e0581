import type { Action, Backend, BackendPlan, BackendState, ConfigPlan, Desired } from '../types.js'
import { rowsOf, sameState } from './backend.js'
import { isFailedOver, reset } from './failover.js'
import { freeze, thaw } from './freeze.js'
import { refusals } from './guards.js'

/**
 * What must change so that the backend is as desired: every row taken through reset, then replication, then frozen.
 * Whether it is failed over is asked of all its rows together, so that a cluster whose rows disagree comes out whole.
 * `serviceDownTime` in seconds.
 */
export function planBackend(backend: Backend, serviceDownTime: number, config?: ConfigPlan): BackendPlan {
  const { desired } = backend.target
  const rows = rowsOf(backend)
  const toReset = desired.active_backend === 'reset' && rows.some((row) => isFailedOver(row.state))
  const actions = new Set<Action>()
  const changes = rows.map((row) => {
    const { after, steps } = planRow(row.state, desired, toReset)
    for (const step of steps) actions.add(step)
    return { row, after }
  })
  if (config !== undefined && config.options.length > 0) actions.add('update_config')
  const ordered = ORDER.filter((action) => actions.has(action))
  return {
    backend,
    actions: ordered,
    rows: changes,
    refusals: refusals(backend, ordered, serviceDownTime, config),
    config,
  }
}

/** The order in which a promotion takes its steps. */
const ORDER: readonly Action[] = [
  'freeze',
  'update_config',
  'reset_active_backend',
  'enable_replication',
  'disable_replication',
  'thaw',
]

function planRow(before: BackendState, desired: Desired, toReset: boolean) {
  const steps: Action[] = []
  const step = (action: Action, from: BackendState, to: BackendState): BackendState => {
    if (!sameState(from, to)) steps.push(action)
    return to
  }
  let after = before
  if (toReset) after = step('reset_active_backend', after, reset(after))
  const { replication, frozen } = desired
  if (replication !== undefined) {
    after = step(replication === 'enabled' ? 'enable_replication' : 'disable_replication', after, {
      ...after,
      replication_status: replication,
    })
  }
  if (frozen === true) {
    // A backend that was frozen before the reset has stayed so: only one that was not is frozen by this run.
    if (!sameState(before, freeze(before))) steps.push('freeze')
    after = freeze(after)
  }
  if (frozen === false) after = step('thaw', after, thaw(after))
  return { after, steps }
}
