import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import type { StepResult, StepTools } from './step.js'

type RemoveOldCopy = Extract<Step, { readonly kind: 'remove_old_copy' }>

/** Removes what was kept as proof for the reset. A copy that cannot be removed does no harm. */
export async function removeOldCopy(
  step: RemoveOldCopy,
  observation: Observation,
  { removeOldCopy: remove }: StepTools,
): Promise<StepResult> {
  for (const copy of step.copies) await remove(copy)
  const { config } = observation
  const oldCopies = config?.oldCopies.filter((copy) => !step.copies.includes(copy)) ?? []
  return { done: step, observation: { ...observation, config: config && { ...config, oldCopies } } }
}
