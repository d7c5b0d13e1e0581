import type { Backend, BackendState, Desired, RowChange } from '../model/backend.js'
import { keyOf, rowsOf, sameState } from '../model/backend.js'
import { reset } from '../model/failover.js'
import { freeze, thaw } from '../model/freeze.js'
import type { ServiceView } from '../model/observation.js'
import type { Action, BackendPlan, ConfigPlan, Stages } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { type IsUp, refusals } from './guards.js'
import { restored } from './restore.js'
import { resets, stagesOf } from './stages.js'

/** What a plan is made from, beside the rows. */
export interface Circumstances {
  /** Seconds. */
  readonly serviceDownTime: number
  readonly restore: Request['restore']
  readonly config: ConfigPlan | undefined
  readonly service: ServiceView | undefined
  readonly isUp: IsUp
}

/** All that must be done so that the backend is as desired, and what forbids it. */
export function planBackend(backend: Backend, circumstances: Circumstances): BackendPlan {
  const { config, service } = circumstances
  const stages = stagesOf(backend, service)
  const before = planRows(backend, stages.before)
  const between = circumstances.restore
    ? restored(backend, circumstances.restore)
    : planRows(withStates(backend, before.rows), stages.between)
  const after = planRows(withStates(backend, between.rows), stages.after)
  const actions = new Set([...before.actions, ...between.actions, ...after.actions])
  if (config !== undefined && config.options.length > 0) actions.add('update_config')
  const restarts = between.actions.size > 0 || actions.has('update_config')
  for (const action of control(service, restarts)) actions.add(action)
  // The driver will have it enabled at its start, whatever the row says before.
  if (actions.has('start_service') && stages.after.replication === 'disabled' && service?.replicates)
    actions.add('disable_replication')
  const ordered = ORDER.filter((action) => actions.has(action))
  const last = withStates(backend, after.rows)
  const whole = {
    backend,
    actions: ordered,
    rows: rowsOf(backend).map((row, index) => ({
      ...between.rows[index],
      row,
      after: rowsOf(last)[index]?.state ?? row.state,
    })),
  }
  return { ...whole, refusals: refusals(whole, backend.target.desired, circumstances), restarts, config, service }
}

/** One writing of the tables, on the way to what the whole plan wants. */
export function planStage(backend: Backend, stage: keyof Stages, circumstances: Circumstances): BackendPlan {
  const desired = stagesOf(backend, circumstances.service)[stage]
  const { restore } = circumstances
  const { actions, rows } =
    restore !== undefined && stage === 'between' ? restored(backend, restore) : planRows(backend, desired)
  const ordered = ORDER.filter((action) => actions.has(action))
  const { config, service } = circumstances
  const whole = { backend, actions: ordered, rows }
  return { ...whole, refusals: refusals(whole, desired, circumstances), restarts: false, config, service }
}

/** The order in which a promotion takes its steps. */
export const ORDER: readonly Action[] = [
  'freeze',
  'stop_service',
  'update_config',
  'reset_active_backend',
  'enable_replication',
  'set_active_backend_id',
  'set_replication_status',
  'restore',
  'start_service',
  'disable_replication',
  'thaw',
]

/** The service is stopped where that is asked for, or where something is to be done that it must not run through. */
function control(service: ServiceView | undefined, restarts: boolean): Action[] {
  if (service === undefined) return []
  const { wanted, state } = service
  const stops = state !== 'stopped' && (wanted === 'stopped' || restarts)
  const starts = wanted === 'started' && (state !== 'started' || stops)
  return [...(stops ? (['stop_service'] as const) : []), ...(starts ? (['start_service'] as const) : [])]
}

interface Planned {
  readonly actions: ReadonlySet<Action>
  readonly rows: readonly RowChange[]
}

/** Every row taken through reset, then replication, then frozen, then what is set as it is. */
function planRows(backend: Backend, desired: Desired): Planned {
  const actions = new Set<Action>()
  const toReset = resets(backend, desired)
  const rows = rowsOf(backend).map((row) => {
    const { after, steps } = planRow(row.state, desired, toReset)
    for (const step of steps) actions.add(step)
    return { row, after }
  })
  return { actions, rows }
}

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
  const { active_backend_id, replication_status } = desired
  if (active_backend_id !== undefined && (after.active_backend_id || null) !== active_backend_id)
    after = step('set_active_backend_id', after, { ...after, active_backend_id })
  if (replication_status !== undefined) after = step('set_replication_status', after, { ...after, replication_status })
  return { after, steps }
}

function withStates(backend: Backend, changes: readonly RowChange[]): Backend {
  const states = new Map(changes.map(({ row, after }) => [keyOf(row), after]))
  const changed = <T extends Backend['cluster']>(row: T): T =>
    row === undefined ? row : { ...row, state: states.get(keyOf(row)) ?? row.state }
  return { ...backend, cluster: changed(backend.cluster), services: backend.services.map((row) => changed(row)) }
}
