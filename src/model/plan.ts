import type { Backend, BackendName, RowChange } from './backend.js'
import type { Action, ErrorCode } from './contract.generated.js'
import type { AgentError } from './errors.js'
import type { OldCopy, ServiceFacts } from './observation.js'

export type GuardCode = Extract<
  ErrorCode,
  'failover_in_progress' | 'not_failed_over' | 'not_promoted' | 'failed_over' | 'not_frozen' | 'service_up'
>

/** Why a plan must not be carried out without `force`. */
export interface Refusal {
  readonly code: GuardCode
  readonly target: BackendName
  readonly problem: string
  readonly hint: string
}

/** The edit of one section of one file. */
export interface ConfigEdit {
  readonly target: BackendName
  readonly file: string
  readonly section: string
  readonly backup: boolean
  /** Whether the edit takes out the entry of the active array, so that the old content must be kept until the row is reset. */
  readonly keepsOldCopy: boolean
  /** What the file must still hold. */
  readonly before: Buffer
  readonly after: Buffer
  /** The names of the options that change. */
  readonly options: readonly string[]
  readonly warnings: readonly string[]
}

/** What is written into the rows of one backend. */
export interface BackendChange {
  readonly backend: Backend
  readonly actions: readonly Action[]
  /** Only rows that change. */
  readonly rows: readonly RowChange[]
}

/** One thing to do, with all that it needs. `actions` are labels for the report alone; nothing decides by them. */
export type Step =
  | { readonly kind: 'write_rows'; readonly actions: readonly Action[]; readonly changes: readonly BackendChange[] }
  | { readonly kind: 'stop_service'; readonly actions: readonly ['stop_service']; readonly service: ServiceFacts }
  | { readonly kind: 'start_service'; readonly actions: readonly ['start_service']; readonly service: ServiceFacts }
  | {
      readonly kind: 'update_config'
      readonly actions: readonly ['update_config']
      readonly edits: readonly ConfigEdit[]
    }
  | { readonly kind: 'remove_old_copy'; readonly actions: readonly []; readonly copies: readonly OldCopy[] }
  | { readonly kind: 'await_down'; readonly actions: readonly []; readonly hosts: readonly string[] }
  | { readonly kind: 'await_heartbeat'; readonly actions: readonly []; readonly service: ServiceFacts }

export interface Plan {
  readonly steps: readonly Step[]
  /** Whether cinder-volume must be stopped for one of the steps, and stay so. */
  readonly needsRest: boolean
  /** In the order of the guards. */
  readonly refusals: readonly Refusal[]
  /** Why the steps cannot be carried out, not even with `force`. */
  readonly obstacle: AgentError | undefined
  /** The section of cinder.conf that the request is about, also if it is as wanted. */
  readonly section: { readonly file: string; readonly name: string } | undefined
  /** What the plan says about the request itself. Warnings about steps are made from the steps (plan/warnings.ts). */
  readonly warnings: readonly string[]
}
