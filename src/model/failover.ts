import { type Backend, type BackendState, listRows, type RowChange } from './backend.js'

const FAILED_OVER: ReadonlySet<string | null> = new Set(['failed-over', 'failover-error', 'failing-over', 'error'])

/**
 * Whether Cinder treats a row as running on a replica, or on the way there.
 * Fail-back leaves `''` as active_backend_id, which counts as none (cinder/volume/manager.py, failover).
 */
export function isFailedOver(state: BackendState): boolean {
  return Boolean(state.active_backend_id) || FAILED_OVER.has(state.replication_status)
}

/** Whether the backend is failed over: a cluster is if any of its rows is, so that a reset leaves all of them alike. */
export function isBackendFailedOver(backend: Backend): boolean {
  return listRows(backend).some((row) => isFailedOver(row.state))
}

/**
 * Whether Cinder has failed the backend back: that leaves `''` (cinder/volume/manager.py, failover), and a reset leaves NULL. Of a cluster its own
 * row tells, because its members' rows follow later.
 */
export function isFailedBack(backend: Backend): boolean {
  const [main] = listRows(backend)
  return main?.state.active_backend_id === '' && !isFailedOver(main.state)
}

/** Whether the row is not failed over any more once it is written. */
export function clearsFailover({ row, after }: RowChange): boolean {
  return isFailedOver(row.state) && !isFailedOver(after)
}

/** The state after a promotion, as the SQL of Cinder's Cheesecake specification writes it. */
export function resetState(state: BackendState): BackendState {
  return { ...state, disabled: false, disabled_reason: null, replication_status: 'disabled', active_backend_id: null }
}

/** The array that Cinder runs on. A failover that is under way or has failed may name none: the volumes can be on either array. */
export function getArrayName(state: BackendState): string {
  return state.active_backend_id || (isFailedOver(state) ? 'unknown' : 'primary')
}
