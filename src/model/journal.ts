import type { BackendName } from './backend.js'
import type { Observation } from './observation.js'
import type { Plan, Refusal, Step } from './plan.js'
import type { Request } from './request.js'

/** What a run has seen and done, in memory only. The report is made from it. */
export interface Journal {
  readonly request: Request
  /** What was seen before the first step; undefined if the backends were not found. */
  readonly first: Observation | undefined
  readonly last: Observation | undefined
  /** The steps done; in check mode, to be done. */
  readonly steps: readonly Step[]
  /** What the same request would do now, if the run failed. */
  readonly remaining: readonly Step[]
  /** Why the same request would do nothing now: a guard refuses it. */
  readonly refusal: Refusal | undefined
  readonly warnings: readonly string[]
  /** The section of cinder.conf that the request is about. */
  readonly section: Plan['section']
  /** The guards that were passed over with `force`. */
  readonly passed: readonly Refusal[]
  /** The copy of cinder.conf that was left beside it. */
  readonly backup: string | undefined
  /** Backends that this run may have changed, or another run: the answer to a commit was lost. */
  readonly unconfirmed: readonly BackendName[]
  /** Whether a step that failed may have been done. */
  readonly mayBeChanged: boolean
  readonly error: unknown
}
