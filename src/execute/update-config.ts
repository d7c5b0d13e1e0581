import { AgentError } from '../model/errors.js'
import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import { withEdit } from '../plan/config.js'
import type { StepResult, StepTools } from './step.js'

type UpdateConfig = Extract<Step, { readonly kind: 'update_config' }>

/**
 * Replaces the files. This comes before the reset: a cinder-volume that is started between the two by somebody else must not find the old array
 * with a row that says that all is well. Errors: config_write_failed, conflict.
 */
export async function updateConfig(
  step: UpdateConfig,
  observation: Observation,
  { onProgress, replaceFile }: StepTools,
): Promise<StepResult> {
  let config = observation.config
  let backup: string | undefined
  for (const edit of step.edits) {
    onProgress(`changing ${edit.file}`)
    try {
      backup = (await replaceFile(edit)) ?? backup
    } catch (error) {
      const isInPlace = error instanceof AgentError && error.details.unconfirmed === true
      if (!isInPlace) throw error
      return { done: step, observation: { ...observation, config: config && withEdit(config, edit) }, error }
    }
    config = config && withEdit(config, edit)
  }
  return { done: step, observation: { ...observation, config }, backup }
}
