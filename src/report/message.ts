import { isUp } from '../model/heartbeat.js'
import type { Action, BackendPlan, Plan } from '../model/plan.js'
import { formatList } from '../text/list.js'
import { quote } from '../text/quote.js'

/** The result in a sentence: what was done, what would be done, or, for a request that wants nothing, how things stand. */
export function message(
  plan: Plan,
  { wants, checkMode, serviceDownTime }: { wants: boolean; checkMode: boolean; serviceDownTime: number },
): string {
  if (plan.length === 0) return 'There are no volume backends.'
  if (!wants) return formatList(plan.map((each) => standing(each, serviceDownTime)))
  const changed = plan.filter(({ actions }) => actions.length > 0)
  const deeds = changed.map(
    (each) => `${named(each)}: ${each.actions.map((action) => deed(action, each, checkMode)).join(', ')}`,
  )
  const unchanged = plan.filter(({ actions }) => actions.length === 0)
  if (deeds.length === 0) return `Nothing to change: ${formatList(unchanged.map(named), ', ')}`
  const rest = unchanged.length === 0 ? '' : `; ${unchanged.length} unchanged`
  return `${checkMode ? 'Would change ' : ''}${formatList(deeds)}${rest}`
}

function deed(action: Action, { rows, config, service }: BackendPlan, checkMode: boolean): string {
  const was = rows.map(({ row }) => row.state.active_backend_id).find(Boolean)
  const to = rows[0]?.after
  const from = was ? ` (${checkMode ? 'is' : 'was'} ${quote(was)})` : ''
  const words: Record<Action, string> = {
    freeze: 'frozen',
    stop_service: `${quote(service?.name ?? '')} stopped`,
    update_config: `${config?.options.join(', ')} changed in ${quote(config?.file ?? '')}`,
    reset_active_backend: `active backend reset${from}`,
    enable_replication: 'replication enabled',
    start_service: `${quote(service?.name ?? '')} started`,
    disable_replication: 'replication disabled',
    thaw: 'thawed',
    set_active_backend_id: `active_backend_id set to ${quote(String(to?.active_backend_id))}`,
    set_replication_status: `replication_status set to ${quote(String(to?.replication_status))}`,
    restore: 'restored',
  }
  return words[action]
}

function standing(each: BackendPlan, serviceDownTime: number): string {
  const { services } = each.backend
  const [main] = each.rows
  const state = main?.row.state
  const up = services.some((row) => isUp(row, serviceDownTime))
  const words = [
    up ? 'up' : 'down',
    state?.disabled ? `disabled${state.disabled_reason ? ` (${quote(state.disabled_reason)})` : ''}` : 'enabled',
    state?.frozen ? 'frozen' : 'not frozen',
    `replication ${quote(state?.replication_status ?? 'never set')}`,
    state?.active_backend_id ? `running on ${quote(state.active_backend_id)}` : 'running on its own array',
  ]
  return `${named(each)}: ${words.join(', ')}`
}

function named({ backend }: BackendPlan): string {
  return quote(backend.cluster?.name ?? backend.target.name)
}
