import type { Backend } from '../model/backend.js'
import { isBackendFailedOver, isFailedBack } from '../model/failover.js'
import type { WantedConfig } from '../model/request.js'
import type { ConfigSection } from '../oslo/section.js'
import { quote } from '../text/quote.js'
import { type ConfigPlan, NO_CONFIG } from './config-plan.js'
import type { Objection } from './guards.js'
import type { Replica } from './replica.js'

/**
 * With promote: true a backend that is not failed over keeps its section: a healthy backend must not lose its primary to a playbook that runs once
 * too often. If anything else is to be done, as after a reset whose section is still to be corrected, that is refused.
 */
export function skipPromotion(backend: Backend, section: ConfigSection, options: readonly string[]): ConfigPlan {
  const { name } = backend.target
  const place = { file: section.file.path, name: section.name }
  if (isBackendFailedOver(backend))
    return { ...NO_CONFIG, section: place, refusal: objectToUnknownArray(backend, 'the replica') }
  const differing = options.map((each) => quote(each)).join(', ')
  const problem = `${quote(name)} is not failed over, so promote: true leaves cinder.conf as it is, but its section [${quote(section.name)}] differs from the request in ${differing}.`
  const hint =
    "If it was promoted before, name the replica instead of true, or remove {promote} and set the new primary's settings in {options}."
  return {
    ...NO_CONFIG,
    section: place,
    warnings: [`${problem} ${hint}`],
    refusal: { problem, hint },
  }
}

/** An earlier run may have promoted the replica, or it was never there. */
export function warnOfAssumedPromotion({ name }: ConfigSection, id: string | undefined): string {
  return `[${quote(name)}] has no replica ${quote(id ?? '')}, so it counts as promoted before. Check that the section has its settings.`
}

/** A request must not pass for the promotion of another array than the one that the backend runs on, such as one that is misspelt. */
export function objectToWrongReplica(
  { promote }: WantedConfig,
  backend: Backend,
  { id, active }: Pick<Replica, 'id' | 'active'>,
): Objection | undefined {
  const isWrong = typeof promote === 'string' && active !== undefined && active !== id
  return isWrong ? objectToPromotion(backend, promote, active) : undefined
}

/** A promotion that comes too late: its settings would make the section that of an array that the backend has left. */
export function objectToFailedBack(backend: Backend): Objection | undefined {
  if (backend.target.desired.active_backend !== 'reset' || !isFailedBack(backend)) return undefined
  return {
    problem: `${quote(backend.target.name)} was failed back to its primary, so there is nothing to promote, and its section must stay as it is.`,
    hint: 'Do not run this again. For an edit that is no promotion, leave active_backend out.',
  }
}

export function objectToPromotion(backend: Backend, id: string, active: string | undefined): Objection {
  if (active === undefined && isBackendFailedOver(backend)) return objectToUnknownArray(backend, id)
  const { name } = backend.target
  const is = active === undefined ? 'not failed over' : `failed over to ${quote(active)}, not to ${quote(id)}`
  const problem = `${quote(name)} is ${is}, so ${quote(id)} must not become its primary.`
  if (active !== undefined) return { problem, hint: `Set {promote} to ${quote(active)} if you mean that array.` }
  return {
    problem,
    hint: "If the backend is healthy, there is nothing to do. If its row was reset before cinder.conf was edited, do not start cinder-volume: set the new primary's settings in {options_alone}.",
  }
}

/** cinder/volume/manager.py, finish_failover: a failover that ends in an error leaves active_backend_id as it was. */
function objectToUnknownArray({ target: { name } }: Backend, id: string): Objection {
  return {
    problem: `The failover of ${quote(name)} ended in an error and its row names no array, so ${quote(id)} must not become its primary.`,
    hint: 'Check on the arrays which one has the volumes. If it is the replica, set its settings in {options_alone}.',
  }
}
