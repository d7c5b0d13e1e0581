import { AgentError } from '../model/errors.js'
import type { Observation } from '../model/observation.js'
import type { ConfigEdit, Step } from '../model/plan.js'
import { withEdit } from '../plan/with-edit.js'
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
  const edits: ConfigEdit[] = []
  for (const edit of step.edits) {
    onProgress(`changing ${edit.file}`)
    const replaced = await replaceEdited(edit, replaceFile)
    if (replaced.isInPlace) {
      edits.push(edit)
      config = config && withEdit(config, edit)
      backup = replaced.backup ?? backup
    }
    if (replaced.error === undefined) continue
    const done = edits.length === 0 ? undefined : { ...step, edits }
    return { done, observation: { ...observation, config }, backup, error: replaced.error }
  }
  return { done: step, observation: { ...observation, config }, backup }
}

interface Replaced {
  /** Whether the file has the new content, also after an error. */
  readonly isInPlace: boolean
  readonly backup?: string | undefined
  readonly error?: unknown
}

async function replaceEdited(edit: ConfigEdit, replaceFile: StepTools['replaceFile']): Promise<Replaced> {
  try {
    return { isInPlace: true, backup: await replaceFile(edit) }
  } catch (error) {
    const isInPlace = error instanceof AgentError && error.details.unconfirmed === true
    return { isInPlace, backup: isInPlace ? error.details.backup : undefined, error }
  }
}
