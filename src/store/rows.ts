import type { BackendState, Row, StoredState, Table } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** What an engine returned for `makeReadStatement`, with booleans and ages in seconds. Errors: schema_mismatch. */
export function parseRows(result: unknown): readonly Row[] {
  return requireRows(result).map(parseRow)
}

/** What an engine returned for `makeNamesStatement`. The names are offered in hints, so a row without one is left out. */
export function parseNames(result: unknown): readonly string[] {
  return requireRows(result).flatMap((row) => {
    const name = toColumns(row).get('name')
    return isText(name) ? name : []
  })
}

function parseRow(row: unknown): Row {
  const get = makeGetter(toColumns(row))
  const stored: StoredState = {
    disabled: get('disabled', isScalar),
    disabled_reason: get('disabled_reason', isScalar),
    replication_status: get('replication_status', isScalar),
    active_backend_id: get('active_backend_id', isScalar),
    frozen: get('frozen', isScalar),
  }
  const ageMicroseconds = get('heartbeat_age', isNumberOrNull)
  return {
    table: get('source', isTable),
    id: get('id', isNumber),
    name: get('name', isText),
    clusterName: get('cluster_name', isTextOrNull) || null,
    state: toState(stored),
    stored,
    heartbeatAge: ageMicroseconds === null ? null : ageMicroseconds / 1e6,
    modifiedAt: get('modified_at', isTextOrNull),
    reportCount: get('report_count', isNumberOrNull),
    readAt: get('read_at', isText),
  }
}

function requireRows(result: unknown): readonly unknown[] {
  return Array.isArray(result) ? result : []
}

function toColumns(row: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof row === 'object' && row !== null ? Object.entries(row) : [])
}

/** Reads a column and checks its type: SQLite stores a value of any type in any column. */
function makeGetter(columns: ReadonlyMap<string, unknown>) {
  return <T>(name: string, is: (value: unknown) => value is T): T => {
    const value = columns.get(name)
    if (is(value)) return value
    const row = `row ${quote(String(columns.get('id')), 40)} of ${quote(String(columns.get('source')), 40)}`
    const found = value === null ? 'NULL' : typeof value
    throw new AgentError(
      'schema_mismatch',
      `The column ${name} in ${row} has a value of an unexpected type (${found}).`,
      {
        hint: "Correct the row, or set {connection} to Cinder's own database.",
      },
    )
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value)
const isNumberOrNull = (value: unknown): value is number | null => value === null || isNumber(value)
const isScalar = (value: unknown): value is string | number | null => isTextOrNull(value) || isNumber(value)
const isTable = (value: unknown): value is Table => value === 'services' || value === 'clusters'

function toState(stored: StoredState): BackendState {
  return {
    disabled: toBooleanOrNull(stored.disabled),
    disabled_reason: toTextOrNull(stored.disabled_reason),
    replication_status: toTextOrNull(stored.replication_status),
    active_backend_id: toTextOrNull(stored.active_backend_id),
    frozen: toBooleanOrNull(stored.frozen),
  }
}

function toBooleanOrNull(value: string | number | null): boolean | null {
  return value === null ? null : Boolean(Number(value))
}

function toTextOrNull(value: string | number | null): string | null {
  return value === null ? null : String(value)
}
