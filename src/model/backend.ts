import type { BackendState } from './contract.generated.js'
import type { Plan } from './plan.js'

export type { BackendState }

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
  /** The database's own UTC time at the read, in the format of `modified_at`. */
  readonly readAt: string
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

/** The columns that the agent looks after, in the order in which they are shown. */
export const COLUMNS = [
  'disabled',
  'disabled_reason',
  'replication_status',
  'active_backend_id',
  'frozen',
] as const satisfies readonly (keyof BackendState)[]

export function sameState(one: BackendState, other: BackendState): boolean {
  return COLUMNS.every((column) => one[column] === other[column])
}

/** The rows of a backend, the cluster's first. */
export function rowsOf({ cluster, services }: Backend): readonly Row[] {
  return cluster === undefined ? services : [cluster, ...services]
}

/** One row among those of both tables. */
export function keyOf({ table, id }: Row): string {
  return `${table} ${id}`
}

/** A row by what it is called in the request and the result. */
export function nameOf({ table, name }: Pick<Row, 'table' | 'name'>): string {
  return `${table} ${name}`
}

/** The section of a backend: the part of its host or cluster behind the @ (cinder/cmd/volume.py); undefined where there is none. */
export function sectionOf(name: string): string | undefined {
  return name.split('@')[1]
}

/** What a plan writes: its rows, without those that stay as they are. */
export function changesOf(plan: Plan): readonly RowChange[] {
  return plan.flatMap(({ rows }) => rows.filter(differs))
}

export function differs({ row, after }: RowChange): boolean {
  return !sameState(row.state, after)
}
