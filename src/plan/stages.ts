import type { Backend, Desired } from '../model/backend.js'
import { rowsOf } from '../model/backend.js'
import { isFailedOver } from '../model/failover.js'
import type { ServiceView } from '../model/observation.js'
import type { Stages } from '../model/plan.js'

/** Whether what is asked resets the backend: it is asked of all its rows together, so that a cluster whose rows disagree comes out whole. */
export function resets(backend: Backend, desired: Desired): boolean {
  return desired.active_backend === 'reset' && rowsOf(backend).some((row) => isFailedOver(row.state))
}

/**
 * What is written when. From the reset until the start was seen to succeed the backend stays frozen and disabled, so that nothing is scheduled
 * onto it; one that the request leaves as it is stays so. The driver says at its start whether it replicates: so that is asked for before
 * it, and the opposite is written after it.
 */
export function stagesOf(backend: Backend, service: ServiceView | undefined): Stages {
  const { desired } = backend.target
  const { active_backend, replication, frozen, active_backend_id, replication_status } = desired
  if (service === undefined) return { before: {}, between: desired, after: {} }
  const [main] = rowsOf(backend)
  const mayFreeze = frozen !== undefined || main?.state.frozen === true
  const holds = frozen === true || (service.wanted === 'started' && mayFreeze && resets(backend, desired))
  const held = holds ? ({ frozen: true } as const) : {}
  if (service.wanted === 'stopped') return { before: held, between: desired, after: {} }
  return {
    before: held,
    between: {
      active_backend,
      active_backend_id,
      replication_status,
      ...(replication === 'enabled' && { replication }),
      ...held,
    },
    after: { frozen, ...(replication === 'disabled' && { replication }) },
  }
}
