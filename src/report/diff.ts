import { type BackendState, COLUMNS, type RowChange } from '../model/backend.js'
import type { DiffDocument } from '../model/contract.generated.js'

/** One row before and after, in the form that Ansible prints best (ansible/plugins/callback/__init__.py, _get_diff). */
export function diffRow({ row, after }: RowChange): DiffDocument {
  const header = `${row.table} ${row.name}`
  return { before_header: header, after_header: header, before: formatState(row.state), after: formatState(after) }
}

function formatState(state: BackendState): string {
  return COLUMNS.map((column) => `${column}: ${formatDiffValue(state[column])}\n`).join('')
}

/** Plain where it cannot be misread; otherwise, as for an empty text or one with line breaks, as JSON. */
function formatDiffValue(value: string | boolean | null): string {
  const plain =
    typeof value !== 'string' || (/^[\w.@:/+-]+( [\w.@:/+-]+)*$/.test(value) && !/^(true|false|null)$/.test(value))
  return plain ? String(value) : JSON.stringify(value)
}
