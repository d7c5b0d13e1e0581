import { ACTIONS } from '../model/actions.js'
import type { Action } from '../model/contract.generated.js'
import { getArrayName } from '../model/failover.js'
import { isHalfThawed } from '../model/freeze.js'
import type { Observation } from '../model/observation.js'
import type { BackendSummary } from '../plan/summary.js'
import { isShownUp } from '../plan/timing.js'
import { formatList } from '../text/list.js'
import { quote } from '../text/quote.js'

interface MessageFacts {
  /** Whether the request wants anything, or only a report. */
  readonly wants: boolean
  readonly checkMode: boolean
  readonly observation: Observation
}

/** The result in a sentence: what was done, what would be done, or, for a request that wants nothing, the state of each backend. */
export function makeMessage(summaries: readonly BackendSummary[], facts: MessageFacts): string {
  if (summaries.length === 0) return 'There are no volume backends.'
  if (!facts.wants) return formatList(summaries.map((each) => describeState(each, facts.observation)))
  const changed = summaries.filter(({ actions }) => actions.length > 0)
  const unchanged = summaries.filter(({ actions }) => actions.length === 0)
  if (changed.length === 0) return `Nothing to change: ${formatList(unchanged.map(nameBackend), ', ')}`
  const changes = changed.map(
    (each) => `${nameBackend(each)}: ${each.actions.map((action) => describeAction(action, each, facts)).join(', ')}`,
  )
  const rest = unchanged.length === 0 ? '' : `; ${unchanged.length} unchanged`
  return `${facts.checkMode ? 'Would change ' : ''}${formatList(changes)}${rest}`
}

/** Of a freeze that stays. Cinder's own thaw never writes clusters.disabled. */
export const CLUSTER_FREEZE =
  "thaw it with cinder-backend too: Cinder's own thaw leaves it disabled until cinder cluster-enable"

function describeAction(
  action: Action,
  { backend, rows, edit }: BackendSummary,
  { checkMode, observation: { service } }: MessageFacts,
): string {
  const { done } = ACTIONS[action]
  const after = rows[0]?.after
  switch (action) {
    case 'freeze':
      return backend.cluster !== undefined && after?.frozen ? `${done} (${CLUSTER_FREEZE})` : done
    case 'stop_service':
    case 'start_service':
      return `${quote(service?.name ?? '')} ${done}`
    case 'update_config':
      return `${edit?.options.join(', ')} ${done} in ${quote(edit?.file ?? '')}`
    case 'reset_active_backend': {
      const active = rows.map(({ row }) => row.state.active_backend_id).find(Boolean)
      return active ? `${done} (${checkMode ? 'is' : 'was'} ${quote(active)})` : done
    }
    case 'set_active_backend_id':
      return `${done} to ${quote(String(after?.active_backend_id))}`
    case 'set_replication_status':
      return `${done} to ${quote(String(after?.replication_status))}`
    default:
      return done
  }
}

function describeState(summary: BackendSummary, observation: Observation): string {
  const [main] = summary.rows
  if (main === undefined) return nameBackend(summary)
  const state = main.after
  const words = [
    summary.backend.services.some((row) => isShownUp(row, observation)) ? 'up' : 'down',
    state.disabled ? `disabled${state.disabled_reason ? ` (${quote(state.disabled_reason)})` : ''}` : 'enabled',
    state.frozen ? 'frozen' : isHalfThawed(state) ? 'not frozen, but still disabled by a freeze' : 'not frozen',
    `replication ${quote(state.replication_status ?? 'never set')}`,
    `running on ${quote(getArrayName(state))}`,
  ]
  return `${nameBackend(summary)}: ${words.join(', ')}`
}

function nameBackend({ backend }: BackendSummary): string {
  return quote(backend.cluster?.name ?? backend.target.name)
}
