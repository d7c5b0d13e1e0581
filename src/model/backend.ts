/**
 * model/ holds the types that all rooms share, and the rules that need no other room: what failed over means, freeze and thaw, heartbeats, the
 * order of actions. It imports nothing but itself.
 *
 * Promised: all data is readonly; functions take values and return values; a type says what a step, a plan, an observation and a journal can be,
 * so that a forgotten case does not compile.
 * Not promised: that values are valid. They are checked where they come in (request/, store/, oslo/).
 */
import type { BackendState } from './contract.generated.js'

export type { BackendState }

/** The state wanted for one backend. What is undefined is left as it is. */
export interface Desired {
  readonly active_backend?: 'reset' | undefined
  readonly replication?: 'enabled' | 'disabled' | undefined
  readonly frozen?: boolean | undefined
  /** The columns themselves, with `force` alone; null for no active_backend_id. */
  readonly active_backend_id?: string | null | undefined
  readonly replication_status?: string | undefined
}

/** A backend by the name of a service's host or of its cluster. */
export interface BackendName {
  readonly kind: 'host' | 'cluster'
  readonly name: string
}

/** A backend as the request names it. */
export interface Target extends BackendName {
  readonly desired: Desired
  /** The replica whose settings the backend's section has already, by the caller's word. */
  readonly promoted?: string
}

/** What a run is about; all: every volume backend, for a report. */
export type Scope = readonly Target[] | 'all'

/** One row that is to be put back to what it was. */
export interface Restoration {
  readonly from: BackendState
  readonly to: BackendState
  /** undefined: set to now if `disabled` changes. */
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
  /** Seconds since the last heartbeat, by the database's clock; null for clusters, and if there never was one. */
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
  /** undefined: set to now if `disabled` changes. */
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

export function isSameState(one: BackendState, other: BackendState): boolean {
  return COLUMNS.every((column) => one[column] === other[column])
}

/** The rows of a backend, the cluster's first. */
export function listRows({ cluster, services }: Backend): readonly Row[] {
  return cluster === undefined ? services : [cluster, ...services]
}

/** Identifies a row among those of both tables. */
export function makeRowKey({ table, id }: Pick<Row, 'table' | 'id'>): string {
  return `${table} ${id}`
}

/** Identifies a row by the name that the request and the result have for it. */
export function makeRowName({ table, name }: Pick<Row, 'table' | 'name'>): string {
  return `${table} ${name}`
}

/** Identifies a backend among those of a request. */
export function makeTargetKey({ kind, name }: BackendName): string {
  return `${kind} ${name}`
}

/** The section of a backend: the part of its host or cluster behind the last @, for a host may have one itself (cinder/cmd/volume.py); undefined if there is none. */
export function getSectionName(name: string): string | undefined {
  const at = name.lastIndexOf('@')
  return at < 0 ? undefined : name.slice(at + 1)
}

/** Section names ignore case, except DEFAULT (oslo_config/cfg.py, _normalize_group_name). */
export function normalizeSection(section: string): string {
  return section === 'DEFAULT' ? section : section.toLowerCase()
}

export function isChange({ row, after }: RowChange): boolean {
  return !isSameState(row.state, after)
}

/** The array that the backend is failed over to; undefined if no row names one. */
export function getActiveBackendId(backend: Backend): string | undefined {
  return listActiveBackendIds(backend)[0]
}

/** The arrays that the rows name, each once: those of a cluster may disagree. Fail-back leaves `''`, which is none. */
export function listActiveBackendIds(backend: Backend): readonly string[] {
  return [...new Set(listRows(backend).flatMap(({ state }) => state.active_backend_id || []))]
}

/** The backend with other states in its rows, by makeRowKey. */
export function withStates(backend: Backend, states: ReadonlyMap<string, BackendState>): Backend {
  if (states.size === 0) return backend
  const change = (row: Row): Row => ({ ...row, state: states.get(makeRowKey(row)) ?? row.state })
  const { cluster, services } = backend
  return { ...backend, cluster: cluster && change(cluster), services: services.map(change) }
}
