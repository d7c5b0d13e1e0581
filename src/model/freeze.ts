import type { BackendState } from './backend.js'

/** As `cinder freeze-host` leaves a backend, but a reason that an admin gave before stays. */
export function freezeState(state: BackendState): BackendState {
  if (state.frozen && state.disabled) return state
  return { ...state, frozen: true, disabled: true, disabled_reason: state.disabled ? state.disabled_reason : 'frozen' }
}

/**
 * Whether a freeze has ended in part: the row is still disabled by it. Cinder's own thaw leaves the rows of a cluster so, which its scheduler then
 * passes over (cinder/volume/api.py, thaw_host, writes `frozen`, and asks one member to enable itself).
 */
export function isHalfThawed({ disabled, disabled_reason, frozen }: BackendState): boolean {
  return disabled === true && disabled_reason === 'frozen' && !frozen
}

/** As `cinder thaw-host` leaves a backend. A backend that is not frozen, and disabled for another reason, is left alone. */
export function thawState(state: BackendState): BackendState {
  if (!state.frozen && !isHalfThawed(state)) return state
  return { ...state, frozen: false, disabled: false, disabled_reason: null }
}
