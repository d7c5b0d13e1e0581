import { isFailedOver } from '../model/failover.js'
import type { BackendPlan, ConfigPlan, Plan } from '../model/plan.js'
import { quote } from '../text/quote.js'

/** The edits of cinder.conf that a plan does. */
export function editsIn(plan: Plan): readonly ConfigPlan[] {
  return plan.flatMap(({ actions, config }) => (config && actions.includes('update_config') ? [config] : []))
}

/** What an operator should know of a plan, beside what it does. */
export function warningsOf(plan: Plan): readonly string[] {
  const ofService = plan.flatMap((each) =>
    [stopsOthers, startsFailedOver, unseen, servesAnother, setByHand, enablesToo, eitherArray, thawsUnseen].flatMap(
      (look) => look(each),
    ),
  )
  return [...ofService, ...plan.flatMap(({ config }) => config?.warnings ?? []), ...forced(plan)]
}

/** A service that starts on what was edited, while its row still tells of the failover. */
function startsFailedOver({ actions, rows, backend }: BackendPlan): readonly string[] {
  const failedOver = rows.some(({ after }) => isFailedOver(after))
  if (!failedOver || !actions.includes('update_config') || !actions.includes('start_service')) return []
  return [
    `cinder-volume starts on an edited section while ${quote(backend.target.name)} is still failed over: some drivers refuse that. Say active_backend: reset with it.`,
  ]
}

/** Without a look at it nobody knows what the driver has made of the column at its start. */
function unseen({ actions, service, backend }: BackendPlan): readonly string[] {
  if (service === undefined || service.waits || !actions.includes('start_service')) return []
  if (backend.target.desired.replication === undefined) return []
  return ['With wait: false nobody looks at replication_status after the start, where the driver sets it.']
}

function servesAnother({ actions, service, backend }: BackendPlan): readonly string[] {
  if (service?.otherHost === undefined || !actions.some((action) => /_service$/.test(action))) return []
  return [
    `cinder.conf here is that of ${quote(service.otherHost)}, not of ${quote(backend.target.name)}: is this the right machine?`,
  ]
}

function stopsOthers({ actions, service }: BackendPlan): readonly string[] {
  if (service === undefined || service.others.length === 0 || !actions.includes('stop_service')) return []
  return [`Stopping ${service.name} stops the other backends that it serves too: ${service.others.join(', ')}.`]
}

/** Thawing enables, also what an admin had disabled before somebody froze it. */
function enablesToo({ actions, rows }: BackendPlan): readonly string[] {
  if (!actions.includes('thaw')) return []
  return rows
    .filter(({ row, after }) => row.state.disabled && !after.disabled)
    .filter(({ row }) => !['frozen', 'failed-over'].includes(row.state.disabled_reason ?? ''))
    .map(({ row }) => {
      const reason = quote(row.state.disabled_reason || 'none was given')
      return `Thawing ${quote(row.name)} enables it, though it was disabled for another reason: ${reason}`
    })
}

/** cinder/volume/manager.py, finish_failover: an error in the middle of a failover. */
function eitherArray({ actions, rows, backend }: BackendPlan): readonly string[] {
  const isUnsettled = rows.some(({ row }) => row.state.replication_status === 'failover-error')
  if (!isUnsettled || !actions.includes('reset_active_backend')) return []
  return [
    `The failover of ${quote(backend.target.name)} ended in an error: its volumes may be on either array. Find out on the arrays before it starts.`,
  ]
}

/** Without a service nobody sees it start on the section that was edited. */
function thawsUnseen({ actions, service, backend }: BackendPlan): readonly string[] {
  const promotes = actions.includes('update_config') && actions.includes('reset_active_backend')
  if (service !== undefined || !promotes || !actions.includes('thaw')) return []
  return [
    `${quote(backend.target.name)} is thawed before anybody has seen cinder-volume start on the edited section: give service, or thaw it afterwards.`,
  ]
}

function setByHand({ actions, backend }: BackendPlan): readonly string[] {
  const columns = actions.filter((action) => action.startsWith('set_')).map((action) => action.slice('set_'.length))
  if (columns.length === 0) return []
  return [
    `Set past all guards on ${quote(backend.target.name)}: ${columns.join(', ')}. cinder-volume takes that for true at its next start.`,
  ]
}

/** The guards that were passed over: with one that was not, there would be no success. */
function forced(plan: Plan): readonly string[] {
  return plan.flatMap(({ refusals }) => refusals.map(({ code, problem }) => `Forced past ${code}: ${problem}`))
}
