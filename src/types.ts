import type { Action, BackendState, RequestDocument, ServiceDocument, ServiceResult } from './contract.generated.js'
import type { Hint } from './errors.js'

export type { Action, BackendState }

/** The state wanted for one backend; what is undefined is left as it is. */
export interface Desired {
  readonly active_backend?: 'reset' | undefined
  readonly replication?: 'enabled' | 'disabled' | undefined
  readonly frozen?: boolean | undefined
  /** The columns themselves, with `force` alone; null for no active_backend_id. */
  readonly active_backend_id?: string | null | undefined
  readonly replication_status?: string | undefined
}

/** A backend as the request names it, by a service's host or by its cluster. */
export interface Target {
  readonly kind: 'host' | 'cluster'
  readonly name: string
  readonly desired: Desired
}

/** What a run is about; all: every volume backend, for a report. */
export type Scope = readonly Target[] | 'all'

/** One row that is to be put back to what it was. */
export interface Restoration {
  readonly from: BackendState
  readonly to: BackendState
  /** undefined: as it goes with a change of `disabled`. */
  readonly modifiedAt: string | null | undefined
}

/** Where the database's URL comes from. */
type ConnectionSource = Pick<RequestDocument, 'connection' | 'config_file' | 'config_dir'>

/** What shall stand in the backend's section of cinder.conf. */
export interface WantedConfig {
  readonly file: string | undefined
  readonly section: string | undefined
  /** Values as Cinder shall read them; null takes an option out. */
  readonly options: ReadonlyMap<string, string | number | boolean | null>
  /** All `replication_device` entries; undefined leaves them. */
  readonly devices: readonly ReadonlyMap<string, string>[] | undefined
  /** The replication target that becomes the primary; true: the one that the backend is failed over to. */
  readonly promote: string | true | undefined
  readonly backup: boolean
}

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

/** The cinder-volume on this host, and whether it shall run in the end. */
export interface WantedService {
  readonly manager: NonNullable<ServiceDocument['manager']>
  /** undefined: the manager's usual name for it. */
  readonly name: string | undefined
  readonly state: 'started' | 'stopped'
  /** Seconds for one start or stop. */
  readonly timeout: number
  /** For the manager `command`: programs with their arguments. */
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly status: readonly string[]
}

/** changing: neither for good, such as a unit that is started again and again. */
export type ServiceState = ServiceResult['state']

/** What stops and starts cinder-volume on this host. Errors: service_control_failed, interrupted. */
export interface ServiceManager {
  readonly manager: string
  readonly name: string
  state(): Promise<ServiceState>
  /** Done when its manager says so. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** The service as a plan looks at it. */
export interface ServiceView extends ServiceResult {
  readonly wanted: WantedService['state']
  /** Whether its heartbeat is waited for. */
  readonly waits: boolean
  /** `services.host` of the row whose heartbeat is its. */
  readonly host: string
  /** Seconds between two heartbeats (`report_interval`). */
  readonly reportInterval: number
  /** Whether its section names a replication target, after the edit that is asked for. */
  readonly replicates: boolean
  /** What cinder.conf here makes the row's host, where that is another one. */
  readonly otherHost: string | undefined
  /** Other backends that the same process serves (`enabled_backends`). */
  readonly others: readonly string[]
}

export interface Request {
  readonly targets: Scope
  /** By `nameOf` the row; undefined where nothing is to be restored. */
  readonly restore: ReadonlyMap<string, Restoration> | undefined
  readonly source: ConnectionSource
  readonly config: WantedConfig | undefined
  readonly service: WantedService | undefined
  /** Whether heartbeats are waited for, and for how many seconds at most. */
  readonly wait: boolean
  readonly waitTimeout: number
  readonly checkMode: boolean
  readonly diff: boolean
  readonly force: boolean
  /** Seconds; undefined: as cinder.conf says. */
  readonly serviceDownTime: number | undefined
  /** Seconds, for connecting and for each statement. */
  readonly timeout: number
}

export type Table = 'services' | 'clusters'

/** The five columns as the database stores them; booleans are numbers there. */
export type StoredState = { readonly [column in keyof BackendState]: string | number | null }

export interface Row {
  readonly table: Table
  readonly id: number
  /** `services.host` or `clusters.name`. */
  readonly name: string
  /** `services.cluster_name`; null for clusters. */
  readonly clusterName: string | null
  readonly state: BackendState
  readonly stored: StoredState
  /** Seconds since the last heartbeat, by the database's clock; null for clusters, and where there never was one. */
  readonly heartbeatAge: number | null
  /** As the database has it, in UTC; null for clusters, which have no such column. */
  readonly modifiedAt: string | null
  /** How many heartbeats there were (`report_count`); null for clusters. */
  readonly reportCount: number | null
}

/** What the tables hold of one target: a service's row, or a cluster's row with those of its members. */
export interface Backend {
  readonly target: Target
  readonly cluster: Row | undefined
  readonly services: readonly Row[]
}

export interface RowChange {
  readonly row: Row
  readonly after: BackendState
  /** undefined: as it goes with a change of `disabled`. */
  readonly modifiedAt?: string | null | undefined
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

/** One transaction. It is committed when the work given to `Store.change` returns, and rolled back when that throws. */
export interface Transaction {
  /** Locks these rows, by primary key, until the transaction ends. */
  lock(rows: readonly Row[]): Promise<void>
  read(targets: Scope): Promise<readonly Row[]>
  /** Writes the columns that differ; false when the row no longer holds what the change was planned from. */
  update(change: RowChange): Promise<boolean>
}

/** Cinder's tables. Every method throws an AgentError; a transient one may be tried again. */
export interface Store {
  /** The rows that the targets name, with their clusters and all members of those: one statement, no locks. */
  read(targets: Scope): Promise<readonly Row[]>
  /** The names of all volume backends, to offer similar ones. */
  names(table: Table): Promise<readonly string[]>
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}
