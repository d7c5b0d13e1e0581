import type { BackendDocument, ResultDocument } from '../../model/contract.generated.js'
import { isFailedOver } from '../../model/failover.js'
import { quote } from '../../text/quote.js'
import type { Screen, Style } from './terminal.js'
import { nameOf, warned } from './text.js'

/**
 * How backends stand: as a table, or as a block for each where the terminal is too narrow for one, or they were asked for by name. What is failed
 * over is marked.
 */
export function report(
  { backends, warnings, msg }: ResultDocument,
  { width, isTerminal, style }: Screen,
  form: 'table' | 'blocks',
): string {
  if (backends.length === 0) return `${msg}\n`
  const tables = form === 'table' ? [60, 40, 20, 10, 6, 0].map((most) => tableOf(backends, most)) : []
  const table = tables.find((each) => each.width <= width)
  const told = table === undefined ? blocksOf(backends, style) : coloured(table, style)
  const mark = backends.some(isMarked) && isTerminal ? `${style('dim', MARK)}\n` : ''
  return `${told}\n${mark}${warned(warnings, style)}`
}

const MARK = '! failed over: see docs/admin-guide.md, or cinder-backend promote --help'

/** Characters of a disabled_reason; with none it is left out. */
const MOST_REASON = 200

interface Table {
  readonly rows: readonly TableRow[]
  readonly columns: readonly number[]
  readonly width: number
}

interface TableRow {
  readonly cells: readonly string[]
  readonly failedOver: boolean
}

function tableOf(backends: readonly BackendDocument[], mostReason: number): Table {
  const rows = backends.flatMap((backend) => rowsOf(backend, mostReason))
  const columns = HEADINGS.map((heading, index) =>
    Math.max(heading.length, ...rows.map(({ cells }) => cells[index]?.length ?? 0)),
  )
  return { rows, columns, width: columns.reduce((sum, each) => sum + each + 2, -2) }
}

function coloured({ rows, columns }: Table, style: Style): string {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(columns[column] ?? 0))
      .join('  ')
      .trimEnd()
  const lines = rows.map(({ cells, failedOver }) => (failedOver ? style('red', line(cells)) : line(cells)))
  return [style('bold', line(HEADINGS)), ...lines].join('\n')
}

function blocksOf(backends: readonly BackendDocument[], style: Style): string {
  const blocks = backends
    .flatMap((backend) => rowsOf(backend, MOST_REASON))
    .map(({ cells: [name = '', ...cells], failedOver }) => {
      const title = style('bold', name)
      const margin = ' '.repeat(name.length - name.trimStart().length + 2)
      const rest = cells.map((cell, at) => `${margin}${LABELS[at]}${cell}`)
      return [failedOver ? style('red', title) : title, ...rest].join('\n')
    })
  return blocks.join('\n\n')
}

/** Whether the backend is failed over, or a member of it. */
export function isMarked({ after, members = [] }: Pick<BackendDocument, 'after' | 'members'>): boolean {
  return [after, ...members.map((each) => each.after)].some(isFailedOver)
}

const HEADINGS = ['BACKEND', 'HEARTBEAT', 'SERVICE', 'FROZEN', 'REPLICATION', 'RUNS ON'] as const
const LABELS = HEADINGS.slice(1).map((heading) => `${heading.toLowerCase()}:`.padEnd('REPLICATION: '.length))

/** The backend, and the members of a cluster below it. */
function rowsOf(backend: BackendDocument, mostReason: number): readonly TableRow[] {
  const { members } = backend
  const name = nameOf(backend)
  const main = { ...backend, name: members === undefined ? name : `${name} (cluster)` }
  const below = (members ?? []).map((member) => ({ ...member, name: `  ${quote(member.host)}` }))
  return [main, ...below].map((row) => {
    const failedOver = isMarked(row)
    return { cells: cellsOf({ ...row, name: `${row.name}${failedOver ? ' !' : ''}` }, mostReason), failedOver }
  })
}

function cellsOf(
  {
    name,
    after,
    state,
    heartbeat_age,
  }: Pick<BackendDocument, 'after' | 'state' | 'heartbeat_age'> & { readonly name: string },
  mostReason: number,
): readonly string[] {
  const age = heartbeat_age === null ? 'never' : duration(heartbeat_age)
  const reason = after.disabled_reason && mostReason > 0 ? ` (${quote(after.disabled_reason, mostReason)})` : ''
  return [
    name,
    `${state}, ${age}`,
    after.disabled ? `disabled${reason}` : 'enabled',
    after.frozen ? 'yes' : 'no',
    quote(after.replication_status ?? 'never set', 40),
    after.active_backend_id ? quote(after.active_backend_id, 60) : 'its own array',
  ]
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}
