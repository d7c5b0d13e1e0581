import type { Backend, Desired, RowChange } from './backend.js'
import type { Action } from './contract.generated.js'
import type { Hint } from './errors.js'
import type { ServiceView } from './observation.js'

export type { Action }

/** The edit of cinder.conf; `before` and `after` are the same where nothing is to be edited. */
export interface ConfigPlan {
  readonly file: string
  readonly section: string
  readonly backup: boolean
  readonly before: Buffer
  readonly after: Buffer
  /** The names of the options that change. */
  readonly options: readonly string[]
  readonly warnings: readonly string[]
  readonly refusal: Refusal | undefined
}

/** A guard of section "Guards" of the README, with the sentence that it would refuse with. */
export interface Refusal {
  readonly code: 'failover_in_progress' | 'not_failed_over' | 'failed_over' | 'not_frozen' | 'service_up'
  readonly problem: string
  readonly hint: Hint
}

/**
 * A promotion writes the tables up to three times: before the service is stopped, while it is stopped, and when its start was seen. Without a
 * service all is written in `between`.
 */
export interface Stages {
  readonly before: Desired
  readonly between: Desired
  readonly after: Desired
}

export interface BackendPlan {
  readonly backend: Backend
  readonly actions: readonly Action[]
  /** One entry for each row, the cluster's first, also where nothing changes. */
  readonly rows: readonly RowChange[]
  readonly refusals: readonly Refusal[]
  /** Whether something is to be done that a service must not run through. */
  readonly restarts: boolean
  /** Where the request is about cinder.conf too. */
  readonly config?: ConfigPlan | undefined
  /** Where it is about the service too. */
  readonly service?: ServiceView | undefined
}

export type Plan = readonly BackendPlan[]
