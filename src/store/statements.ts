import type { BackendState, RowChange, Scope, Table, Target } from '../model/backend.js'
import { COLUMNS } from '../model/backend.js'

/** Where the engines' SQL differs. */
export interface Dialect {
  /** Microseconds since `updated_at`, by the database's own clock. */
  readonly age: string
  /** The time now, in UTC, as the engine stores modified_at. */
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

/** The rows that Cinder itself reads (cinder/db/sqlalchemy/api.py, model_query): a NULL in deleted hides a row. */
function makeLiveFilter(alias = ''): string {
  return `${alias}deleted = 0 AND ${alias}\`binary\` = 'cinder-volume'`
}

const STATE = COLUMNS.map((column) => `t.${column}`).join(', ')

/**
 * One statement for the services named, the clusters named or that those services are in, and all members of those clusters. It joins a
 * derived table, because neither host nor cluster_name has an index.
 */
export function makeReadStatement({ age, utcNow, text, isIn }: Dialect, targets: Scope): Statement {
  const columns = `t.id, t.host AS name, t.cluster_name, ${STATE}, ${age} AS heartbeat_age, ${text('t.modified_at')} AS modified_at, t.report_count, ${text(utcNow)} AS read_at`
  const empty = `t.id, t.name, NULL, ${STATE}, NULL, NULL, NULL, ${text(utcNow)}`
  const live = makeLiveFilter('t.')
  if (targets === 'all') {
    const sql = `SELECT 'services' AS source, ${columns} FROM services t WHERE ${live} UNION ALL SELECT 'clusters', ${empty} FROM clusters t WHERE ${live}`
    return { sql, values: [] }
  }
  const names = (kind: Target['kind']) => targets.filter((target) => target.kind === kind).map(({ name }) => name)
  const hosts = names('host')
  const clusters = names('cluster')
  const named = `(SELECT DISTINCT cluster_name FROM services WHERE ${makeLiveFilter()} AND cluster_name IS NOT NULL AND ${isIn('host')})`
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

export function makeNamesStatement(table: Table): Statement {
  const name = table === 'services' ? 'host' : 'name'
  return { sql: `SELECT DISTINCT ${name} AS name FROM ${table} WHERE ${makeLiveFilter()}`, values: [] }
}

/**
 * Sets the columns that differ, by primary key, if the row still holds the values that the plan was made from. `modified_at` changes with
 * `disabled` (cinder/db/sqlalchemy/api.py, service_update). `updated_at` is the heartbeat, and is never written.
 */
export function makeUpdateStatement({ utcNow, same }: Dialect, { row, after, modifiedAt }: RowChange): Statement {
  const columns = COLUMNS.filter((column) => row.state[column] !== after[column])
  const isStamped = row.table === 'services' && columns.includes('disabled')
  const stamp = isStamped ? `, modified_at = ${modifiedAt === undefined ? utcNow : '?'}` : ''
  const assignments = columns.map((column) => `${column} = ?`).join(', ')
  const unchanged = COLUMNS.map((column) => `${column} ${same} ?`).join(' AND ')
  return {
    sql: `UPDATE ${row.table} SET ${assignments}${stamp} WHERE id = ? AND deleted = 0 AND ${unchanged}`,
    values: [
      ...columns.map((column) => toStored(after[column])),
      ...(isStamped && modifiedAt !== undefined ? [modifiedAt] : []),
      row.id,
      ...COLUMNS.map((column) => row.stored[column]),
    ],
  }
}

function toStored(value: BackendState[keyof BackendState]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value
}
