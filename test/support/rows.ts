import type { TableRow } from './databases.js'

const SERVICE = {
  binary: 'cinder-volume',
  topic: 'cinder-volume',
  report_count: 7,
  deleted: 0,
  disabled: 0,
  disabled_reason: null,
  replication_status: 'enabled',
  frozen: 0,
  active_backend_id: null,
  cluster_name: null,
  created_at: '2025-01-01 00:00:00',
  updated_at: '2026-01-02 03:04:05',
} as const satisfies TableRow

/** The columns of a backend that runs on arrayB, frozen, with its service long stopped. */
export const FAILED_OVER = {
  disabled: 1,
  disabled_reason: 'failed-over',
  replication_status: 'failed-over',
  active_backend_id: 'arrayB',
  frozen: 1,
} as const satisfies TableRow

/** The columns of a backend that runs on its primary, with replication, and thawed. */
export const HEALTHY = {
  disabled: 0,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: 0,
} as const satisfies TableRow

/** An INSERT of a healthy volume service whose heartbeat is old, but for the columns given. */
export function service(id: number, host: string, columns: TableRow = {}): string {
  const uuid = `00000000-0000-0000-0000-${String(id).padStart(12, '0')}`
  return insert('services', { id, host, uuid, ...SERVICE, ...columns })
}

export function insert(table: string, row: TableRow): string {
  const names = Object.keys(row).map((column) => `\`${column}\``)
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${Object.values(row).map(literal).join(', ')});\n`
}

function literal(value: string | number | null): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return value === null ? 'NULL' : String(value)
}
