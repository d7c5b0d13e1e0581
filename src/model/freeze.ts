import type { BackendState } from './backend.js'

/** As `cinder freeze-host` leaves a backend, but a reason that an admin gave before stays. */
export function freezeState(state: BackendState): BackendState {
  if (state.frozen && state.disabled) return state
  return { ...state, frozen: true, disabled: true, disabled_reason: state.disabled ? state.disabled_reason : 'frozen' }
}

/** As `cinder thaw-host` leaves a backend. A backend that is not frozen, and disabled for another reason, is left alone. */
export function thawState(state: BackendState): BackendState {
  const isDisabledByFreeze = state.disabled && state.disabled_reason === 'frozen'
  if (!state.frozen && !isDisabledByFreeze) return state
  return { ...state, frozen: false, disabled: false, disabled_reason: null }
}
