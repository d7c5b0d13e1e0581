import type { Backend, BackendState, Plan, Row, RowChange } from '../types.js'

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
