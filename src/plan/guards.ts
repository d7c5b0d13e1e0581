import type { Backend, BackendState, Desired, Row } from '../model/backend.js'
import { rowsOf } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { isFailedOver } from '../model/failover.js'
import type { Action, BackendPlan, ConfigPlan, Plan, Refusal } from '../model/plan.js'

/** Whether a service must be taken for running. */
export type IsUp = (row: Row) => boolean

export interface Judged {
  /** Seconds. */
  readonly serviceDownTime: number
  readonly isUp: IsUp
  readonly config: ConfigPlan | undefined
}

/** Why these actions must not be done without `force`, the reason to report first at the front. A guard speaks only where something would change. */
export function refusals(
  { backend, actions, rows }: Pick<BackendPlan, 'backend' | 'actions' | 'rows'>,
  desired: Desired,
  { serviceDownTime, isUp, config }: Judged,
): readonly Refusal[] {
  if (actions.length === 0) return []
  const resets = actions.includes('reset_active_backend')
  return [
    ...failoverInProgress(backend),
    ...(config?.refusal ? [config.refusal] : []),
    ...failedOver(backend, actions, desired),
    ...(resets ? notFrozen(backend, desired) : []),
    ...(asksForDown({ actions, rows }) ? serviceUp(backend, isUp, serviceDownTime) : []),
  ]
}

/** Whether it must not be done under a service that runs: another array must not become the one that it is said to run on. */
export function asksForDown({ actions, rows }: Pick<BackendPlan, 'actions' | 'rows'>): boolean {
  return (
    actions.includes('reset_active_backend') ||
    rows.some(({ row, after }) => (row.state.active_backend_id || null) !== (after.active_backend_id || null))
  )
}

/** Throws what the first guard that refuses has to say. */
export function guard(plan: Plan): void {
  const refused = plan.find((each) => each.refusals.length > 0)
  const [refusal] = refused?.refusals ?? []
  if (refused === undefined || refusal === undefined) return
  const { kind, name } = refused.backend.target
  throw new AgentError(refusal.code, refusal.problem, { hint: refusal.hint, [kind]: name })
}

function failoverInProgress(backend: Backend): Refusal[] {
  if (!rowsOf(backend).some((row) => row.state.replication_status === 'failing-over')) return []
  return [
    {
      code: 'failover_in_progress',
      problem: `${backend.target.name} is failing over at this moment (replication_status is failing-over).`,
      hint: {
        request: 'Wait until cinder-volume has finished; where it died in the middle of it, say force: true.',
        command: 'Wait until cinder-volume has finished; where it died in the middle of it, give --force.',
      },
    },
  ]
}

function failedOver(backend: Backend, actions: readonly Action[], desired: Desired): Refusal[] {
  const touchy = actions.some((action) => /^(enable|disable)_replication$|^thaw$/.test(action))
  const { target } = backend
  const failed = rowsOf(backend).find((row) => isFailedOver(row.state))
  if (!touchy || failed === undefined || desired.active_backend === 'reset') return []
  if (target.desired.active_backend === 'reset') return [failedOverAgain(target.name, failed.state)]
  const what = actions.includes('thaw') ? 'thawing it' : 'a change of its replication'
  return [
    {
      code: 'failed_over',
      problem: `${target.name} is failed over (${describe(failed.state)}), and ${what} would hide that.`,
      hint: {
        request:
          'Say active_backend: reset in the same request once its cinder.conf names the new primary, or fail it back in Cinder.',
        command:
          'Use promote, or reset-active-backend once its cinder.conf names the new primary, or fail it back in Cinder.',
      },
    },
  ]
}

/** What is written last of a promotion finds a backend that was reset a moment ago. */
function failedOverAgain(name: string, state: BackendState): Refusal {
  return {
    code: 'failed_over',
    problem: `${name} was failed over again after its reset (${describe(state)}).`,
    hint: 'See who did that, and why; to run this again would reset it once more.',
  }
}

function notFrozen(backend: Backend, desired: Desired): Refusal[] {
  const { target } = backend
  const [main] = rowsOf(backend)
  if (main?.state.frozen || desired.frozen !== undefined) return []
  return [
    {
      code: 'not_frozen',
      problem: `${target.name} is not frozen, so volumes could be created on it in the middle of the reset.`,
      hint: {
        request: 'Freeze it first, or say in the same request how it shall end: frozen: true or false.',
        command: 'Freeze it first.',
      },
    },
  ]
}

function serviceUp({ services }: Backend, isUp: IsUp, serviceDownTime: number): Refusal[] {
  const beating = services.filter(isUp)
  const [first] = beating
  if (first === undefined) return []
  const age = Math.max(0, Math.floor(first.heartbeatAge ?? 0))
  const others = beating.length > 1 ? ` (and ${beating.length - 1} more)` : ''
  return [
    {
      code: 'service_up',
      problem: `cinder-volume on ${first.name}${others} is up: its last heartbeat is ${age} s old, and it counts as down from ${serviceDownTime} s on.`,
      hint: {
        request: 'Stop it and wait until its heartbeat is older than that, or say wait: true.',
        command: 'Stop it and wait until its heartbeat is older than that, or give --wait.',
      },
    },
  ]
}

function describe({ active_backend_id, replication_status }: BackendState): string {
  return `active_backend_id ${JSON.stringify(active_backend_id)}, replication_status ${JSON.stringify(replication_status)}`
}
