import type { BackendState } from './backend.js'

const FAILED_OVER: ReadonlySet<string | null> = new Set(['failed-over', 'failover-error', 'failing-over', 'error'])

/**
 * Whether Cinder treats a row as running on a replication target, or as on the way there.
 * A fail-back leaves `''` as active_backend_id, which counts as none (cinder/volume/manager.py, failover).
 */
export function isFailedOver(state: BackendState): boolean {
  return Boolean(state.active_backend_id) || FAILED_OVER.has(state.replication_status)
}

/** The state after a promotion, as the SQL of Cinder's Cheesecake specification writes it. */
export function reset(state: BackendState): BackendState {
  return { ...state, disabled: false, disabled_reason: null, replication_status: 'disabled', active_backend_id: null }
}
