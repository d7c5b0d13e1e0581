import type { Observation } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import { throwWithTarget, withServiceState } from '../observe/observe.js'
import type { ServiceManager } from '../service/manager.js'
import type { StepResult, StepTools } from './step.js'

type ControlService = Extract<Step, { readonly kind: 'stop_service' | 'start_service' }>

/** Stops or starts the service. If that fails it may have been done all the same, so its manager is asked once more. */
export async function controlService(
  step: ControlService,
  observation: Observation,
  { request, manager, onProgress, clock }: StepTools,
): Promise<StepResult> {
  if (manager === undefined) throw new Error('a step for a service without a manager')
  const starts = step.kind === 'start_service'
  onProgress(`${starts ? 'starting' : 'stopping'} ${manager.name} (${manager.manager})`)
  const before = starts ? withStart(observation, clock.now()) : observation
  try {
    await (starts ? manager.start() : manager.stop()).catch(throwWithTarget(request))
    return { done: step, observation: withServiceState(before, starts ? 'started' : 'stopped') }
  } catch (error) {
    return { ...(await checkState(step, before, manager)), error }
  }
}

async function checkState(
  step: ControlService,
  observation: Observation,
  manager: ServiceManager,
): Promise<Pick<StepResult, 'done' | 'observation' | 'mayBeDone'>> {
  const aim = step.kind === 'start_service' ? 'started' : 'stopped'
  try {
    const state = await manager.readState()
    const now = withServiceState(observation, state)
    if (state === aim) return { done: step, observation: now }
    return { done: undefined, observation: now, mayBeDone: state !== step.service.state }
  } catch {
    return { done: undefined, observation, mayBeDone: true } // the first error is the one to report
  }
}

function withStart(observation: Observation, startedAt: number): Observation {
  const { service } = observation
  return service === undefined ? observation : { ...observation, service: { ...service, startedAt } }
}
