import type { BackendName } from '../model/backend.js'
import type { Observation, OldCopy } from '../model/observation.js'
import type { ConfigEdit, Plan, Step } from '../model/plan.js'
import type { Sources } from '../observe/observe.js'
import type { Store } from '../store/store.js'

/** What came of one step. */
export interface StepResult {
  /** The step as it was done; undefined if it was not needed any more, or not done. */
  readonly done: Step | undefined
  /** What is known after it. */
  readonly observation: Observation
  /** Whether nothing is left to do, or to look at. */
  readonly isFinal?: boolean
  readonly error?: unknown
  /** Whether the step may have been done although it failed. */
  readonly mayBeDone?: boolean
  readonly backup?: string | undefined
  readonly unconfirmed?: readonly BackendName[]
  readonly warnings?: readonly string[]
}

/** What steps work with. */
export interface StepTools extends Sources {
  readonly store: Pick<Store, 'change' | 'read'>
  /** Puts the edited file in place of the old one, and returns the path of the backup. Errors: config_write_failed, conflict. */
  readonly replaceFile: (edit: ConfigEdit) => Promise<string | undefined>
  /** Returns the path of a copy that cannot be removed. */
  readonly removeOldCopy: (copy: OldCopy) => Promise<string | undefined>
  readonly signal: AbortSignal
  /** Tells a person who watches what is being done. */
  readonly onProgress: (text: string) => void
  /** The plan for new facts. Errors: those of the planner and the guards. */
  readonly judge: (observation: Observation) => Plan
}
