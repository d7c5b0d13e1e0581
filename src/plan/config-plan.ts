import type { ConfigEdit, Plan } from '../model/plan.js'
import type { Objection } from './guards.js'

/** What the request's `config` needs. */
export interface ConfigPlan {
  /** undefined: the section is as wanted. */
  readonly edit: ConfigEdit | undefined
  readonly section: Plan['section']
  readonly warnings: readonly string[]
  readonly refusal: Objection | undefined
}
