import type { Observation } from '../model/observation.js'
import type { ConfigEdit, Plan } from '../model/plan.js'
import type { Request } from '../model/request.js'
import type { Objection } from './guards.js'

/** What the request's `config` needs. */
export interface ConfigPlan {
  /** undefined: the section is as wanted. */
  readonly edit: ConfigEdit | undefined
  /** Whether the section names a replica once the edit is made; known only if the request is about the service. */
  readonly replicates: boolean
  readonly section: Plan['section']
  readonly warnings: readonly string[]
  readonly refusal: Objection | undefined
}

/** Plans the edit of cinder.conf (config.ts). It is a parameter of the planner, so that runs that do not need it do not load it. */
export type PlanConfig = (request: Request, observation: Observation) => ConfigPlan

export const NO_CONFIG: ConfigPlan = {
  edit: undefined,
  replicates: false,
  section: undefined,
  warnings: [],
  refusal: undefined,
}
