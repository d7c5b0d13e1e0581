import type { BackendState } from './backend.js'

/** As `cinder freeze-host` leaves a backend, but a reason that an admin gave before stays. */
export function freeze(state: BackendState): BackendState {
  if (state.frozen && state.disabled) return state
  return { ...state, frozen: true, disabled: true, disabled_reason: state.disabled ? state.disabled_reason : 'frozen' }
}

/** As `cinder thaw-host` leaves a backend. One that is not frozen, and disabled for another reason, is left alone. */
export function thaw(state: BackendState): BackendState {
  const disabledByFreeze = state.disabled && state.disabled_reason === 'frozen'
  if (!state.frozen && !disabledByFreeze) return state
  return { ...state, frozen: false, disabled: false, disabled_reason: null }
}
