import type { BackendState, Row, StoredState } from '../model/backend.js'
import { COLUMNS } from '../model/backend.js'
import type { ReadRow } from './statements.js'

/** A row as the engine returned it, with real booleans and an age in seconds. */
export function toRow(read: ReadRow): Row {
  const stored = Object.fromEntries(COLUMNS.map((column) => [column, read[column]])) as StoredState // one entry a column
  return {
    table: read.source,
    id: read.id,
    name: read.name,
    clusterName: read.cluster_name || null,
    state: toState(stored),
    stored,
    heartbeatAge: read.heartbeat_age === null ? null : read.heartbeat_age / 1e6,
    modifiedAt: read.modified_at,
    reportCount: read.report_count,
  }
}

function toState(stored: StoredState): BackendState {
  return {
    disabled: toBoolean(stored.disabled),
    disabled_reason: toText(stored.disabled_reason),
    replication_status: toText(stored.replication_status),
    active_backend_id: toText(stored.active_backend_id),
    frozen: toBoolean(stored.frozen),
  }
}

function toBoolean(value: string | number | null): boolean | null {
  return value === null ? null : Boolean(Number(value))
}

function toText(value: string | number | null): string | null {
  return value === null ? null : String(value)
}
