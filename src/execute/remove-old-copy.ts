import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import { quote } from '../text/quote.js'
import type { StepResult, StepTools } from './step.js'

type RemoveOldCopy = Extract<Step, { readonly kind: 'remove_old_copy' }>

/** Removes what was kept as proof, which is the last step of a promotion. Nothing is read after it, so each copy is tried once. */
export async function removeOldCopy(
  step: RemoveOldCopy,
  observation: Observation,
  { removeOldCopy: remove }: StepTools,
): Promise<StepResult> {
  const warnings: string[] = []
  for (const copy of step.copies) {
    const left = await remove(copy)
    if (left !== undefined)
      warnings.push(
        `${quote(left, 400)} is not needed any more, but cannot be removed. It has the passwords of the old cinder.conf: remove it.`,
      )
  }
  const { config } = observation
  const oldCopies = config?.oldCopies.filter((copy) => !step.copies.includes(copy)) ?? []
  return { done: step, observation: { ...observation, config: config && { ...config, oldCopies } }, warnings }
}
