import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import type { StepResult, StepTools } from './step.js'

/** Does one step. Only what is needed for its kind is loaded. */
export async function performStep(step: Step, observation: Observation, tools: StepTools): Promise<StepResult> {
  switch (step.kind) {
    case 'write_rows':
      return (await import('./write-rows.js')).writeRows(step, observation, tools)
    case 'update_config':
      return (await import('./update-config.js')).updateConfig(step, observation, tools)
    case 'remove_old_copy':
      return (await import('./remove-old-copy.js')).removeOldCopy(step, observation, tools)
    case 'stop_service':
    case 'start_service':
      return (await import('./control-service.js')).controlService(step, observation, tools)
    case 'await_down':
      return (await import('./await-heartbeat.js')).awaitDown(step, observation, tools)
    case 'await_heartbeat':
      return (await import('./await-heartbeat.js')).awaitHeartbeat(step, observation, tools)
  }
}
