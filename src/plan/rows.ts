import {
  type Backend,
  type BackendState,
  type Desired,
  isSameState,
  listRows,
  makeRowKey,
  makeRowName,
  type Restoration,
  type RowChange,
  withStates,
} from '../model/backend.js'
import type { Action } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { isBackendFailedOver, resetState } from '../model/failover.js'
import { freezeState, thawState } from '../model/freeze.js'
import type { BackendChange } from '../model/plan.js'
import { describeDifference } from './words.js'

/** Whether the request resets the backend. A backend that is not failed over is left alone. */
export function needsReset(backend: Backend, desired: Desired): boolean {
  return desired.active_backend === 'reset' && isBackendFailedOver(backend)
}

/** What must be written so that each row is as desired: taken through the reset, then replication, then frozen, then columns that are set directly. */
export function planRows(backend: Backend, desired: Desired): BackendChange {
  const resets = needsReset(backend, desired)
  const actions = new Set<Action>()
  const rows = listRows(backend).map((row): RowChange => {
    const planned = planRow(row.state, desired, resets)
    for (const action of planned.actions) actions.add(action)
    return { row, after: planned.after }
  })
  return { backend, actions: [...actions], rows: rows.filter(({ row, after }) => !isSameState(row.state, after)) }
}

function planRow(before: BackendState, desired: Desired, resets: boolean): { after: BackendState; actions: Action[] } {
  const { replication, frozen, active_backend_id, replication_status } = desired
  const actions: Action[] = []
  let state = before
  const move = (action: Action, to: BackendState) => {
    if (!isSameState(state, to)) actions.push(action)
    state = to
  }
  if (resets) move('reset_active_backend', resetState(state))
  if (replication === 'enabled') move('enable_replication', { ...state, replication_status: 'enabled' })
  if (replication === 'disabled') move('disable_replication', { ...state, replication_status: 'disabled' })
  if (frozen === true) {
    // The reset clears the freeze; a backend that was frozen before only stays frozen.
    if (!isSameState(before, freezeState(before))) actions.push('freeze')
    state = freezeState(state)
  }
  if (frozen === false) move('thaw', thawState(state))
  if (active_backend_id !== undefined && (state.active_backend_id || null) !== active_backend_id)
    move('set_active_backend_id', { ...state, active_backend_id })
  if (replication_status !== undefined) move('set_replication_status', { ...state, replication_status })
  return { after: state, actions }
}

/** The rows put back to what they were, if they still hold what the run left. Errors: conflict, naming what differs. */
export function restoreRows(backend: Backend, restorations: ReadonlyMap<string, Restoration>): BackendChange {
  const rows = listRows(backend).flatMap((row): RowChange[] => {
    const wanted = restorations.get(makeRowName(row))
    if (wanted === undefined || isSameState(row.state, wanted.to)) return []
    if (!isSameState(row.state, wanted.from)) {
      throw new AgentError('conflict', describeDifference(row, wanted.from), {
        hint: 'Set the wanted state with {desired_state} instead of undoing the older change.',
        [row.table === 'services' ? 'host' : 'cluster']: row.name,
      })
    }
    return [{ row, after: wanted.to, modifiedAt: wanted.modifiedAt }]
  })
  return { backend, actions: rows.length > 0 ? ['restore'] : [], rows }
}

/** The backend as it will be once the change is written. */
export function applyChange(backend: Backend, { rows }: BackendChange): Backend {
  return withStates(backend, new Map(rows.map(({ row, after }) => [makeRowKey(row), after])))
}
