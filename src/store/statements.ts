import type { BackendState, RowChange, Scope, StoredState, Table, Target } from '../model/backend.js'
import { COLUMNS } from '../model/backend.js'

/** Where the engines' SQL differs. */
export interface Dialect {
  /** Microseconds since `updated_at`, by the database's own clock. */
  readonly age: string
  readonly utcNow: string
  /** A time as text. */
  readonly text: (column: string) => string
  /** Equality that holds for NULL and NULL too. */
  readonly same: string
  /** Whether a column of text holds one of the names in a list that is bound as one value. */
  readonly isIn: (column: string) => string
}

export type Value = string | number | null | readonly string[]

export interface Statement {
  readonly sql: string
  readonly values: readonly Value[]
}

/** A row as both engines return it from `readStatement`. */
export interface ReadRow extends StoredState {
  readonly source: Table
  readonly id: number
  readonly name: string
  readonly cluster_name: string | null
  readonly heartbeat_age: number | null
  readonly modified_at: string | null
  readonly report_count: number | null
}

// What Cinder itself sees of the two tables (cinder/db/sqlalchemy/api.py, model_query): a NULL in deleted is not seen.
const LIVE = "deleted = 0 AND `binary` = 'cinder-volume'"
const STATE = COLUMNS.map((column) => `t.${column}`).join(', ')

/**
 * One statement for all that a request is about: the services named, the clusters named or that those services are in,
 * and all members of those clusters. The join is with a derived table, for neither host nor cluster_name has an index.
 */
export function readStatement({ age, text, isIn }: Dialect, targets: Scope): Statement {
  const columns = `t.id, t.host AS name, t.cluster_name, ${STATE}, ${age} AS heartbeat_age, ${text('t.modified_at')} AS modified_at, t.report_count`
  const empty = `t.id, t.name, NULL, ${STATE}, NULL, NULL, NULL`
  const live = `t.${LIVE.replace('`binary`', 't.`binary`')}`
  if (targets === 'all') {
    const sql = `SELECT 'services' AS source, ${columns} FROM services t WHERE ${live} UNION ALL SELECT 'clusters', ${empty} FROM clusters t WHERE ${live}`
    return { sql, values: [] }
  }
  const names = (kind: Target['kind']) => targets.filter((target) => target.kind === kind).map(({ name }) => name)
  const hosts = names('host')
  const clusters = names('cluster')
  const named = `(SELECT DISTINCT cluster_name FROM services WHERE ${LIVE} AND cluster_name IS NOT NULL AND ${isIn('host')})`
  return {
    sql:
      `SELECT 'services' AS source, ${columns}` +
      ` FROM services t LEFT JOIN ${named} n ON n.cluster_name = t.cluster_name` +
      ` WHERE ${live} AND (${isIn('t.host')} OR ${isIn('t.cluster_name')} OR n.cluster_name IS NOT NULL)` +
      ` UNION ALL SELECT 'clusters', ${empty}` +
      ` FROM clusters t LEFT JOIN ${named} n ON n.cluster_name = t.name` +
      ` WHERE ${live} AND (${isIn('t.name')} OR n.cluster_name IS NOT NULL)`,
    values: [hosts, hosts, clusters, hosts, clusters],
  }
}

export function namesStatement(table: Table): Statement {
  const name = table === 'services' ? 'host' : 'name'
  return { sql: `SELECT DISTINCT ${name} AS name FROM ${table} WHERE ${LIVE}`, values: [] }
}

/**
 * Writes the columns that differ, by primary key, and only onto the row that the plan was made from. `modified_at` goes with
 * `disabled`, as Cinder's own service_update does it; `updated_at` is the heartbeat, and is never written.
 */
export function updateStatement({ utcNow, same }: Dialect, { row, after, modifiedAt }: RowChange): Statement {
  const columns = COLUMNS.filter((column) => row.state[column] !== after[column])
  const stamped = row.table === 'services' && columns.includes('disabled')
  const stamp = stamped ? `, modified_at = ${modifiedAt === undefined ? utcNow : '?'}` : ''
  const assignments = columns.map((column) => `${column} = ?`).join(', ')
  const unchanged = COLUMNS.map((column) => `${column} ${same} ?`).join(' AND ')
  return {
    sql: `UPDATE ${row.table} SET ${assignments}${stamp} WHERE id = ? AND deleted = 0 AND ${unchanged}`,
    values: [
      ...columns.map((column) => stored(after[column])),
      ...(stamped && modifiedAt !== undefined ? [modifiedAt] : []),
      row.id,
      ...COLUMNS.map((column) => row.stored[column]),
    ],
  }
}

function stored(value: BackendState[keyof BackendState]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value
}
