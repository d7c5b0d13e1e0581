import type { BackendDocument } from '../../model/contract.generated.js'
import { getArrayName, isFailedOver } from '../../model/failover.js'
import { isHalfThawed } from '../../model/freeze.js'
import { quote } from '../../text/quote.js'
import type { PrintableResult } from './printable.js'
import { renderWarnings } from './render-error.js'
import type { Screen, Style } from './terminal.js'

/** The status of backends: a table, or a block for each backend if `form` says so or the terminal is too narrow. */
export function renderStatus(
  { backends, warnings, msg }: PrintableResult,
  { width, isTerminal, style }: Screen,
  form: 'table' | 'blocks',
): string {
  if (backends.length === 0) return `${msg}\n`
  const tables = form === 'table' ? REASON_LENGTHS.map((length) => makeTable(backends, length)) : []
  const table = tables.find((each) => each.width <= width)
  const text = table === undefined ? renderBlocks(backends, style) : renderTable(table, style)
  const rows = backends.flatMap((each) => [each, ...(each.members ?? [])])
  const legends = [
    ...(backends.some(hasFailedOver) ? [FAILED_OVER_LEGEND] : []),
    ...(rows.some(({ after }) => isHalfThawed(after)) ? [HALF_THAWED_LEGEND] : []),
  ]
  const legend = isTerminal ? legends.map((each) => `${style('dim', each)}\n`).join('') : ''
  return `${text}\n${legend}${renderWarnings(warnings, style)}`
}

/** Whether the backend or one of its members is failed over. */
export function hasFailedOver({ after, members = [] }: Pick<BackendDocument, 'after' | 'members'>): boolean {
  return [after, ...members.map((each) => each.after)].some(isFailedOver)
}

const FAILED_OVER_LEGEND = '! failed over. See docs/admin-guide.md, or cinder-backend promote --help.'
const HALF_THAWED_LEGEND = '! half-thawed: not frozen, and still disabled by the freeze. Use cinder-backend thaw.'

/** A table that is too wide is made again with less of disabled_reason; 0: without it. */
const REASON_LENGTHS = [60, 40, 20, 10, 6, 0]
const BLOCK_REASON_LENGTH = 200

const MAX_STATUS_LENGTH = 40
const MAX_BACKEND_ID_LENGTH = 60

const HEADINGS = ['BACKEND', 'HEARTBEAT', 'SERVICE', 'FROZEN', 'REPLICATION', 'RUNS ON'] as const
const LABELS = HEADINGS.slice(1).map((heading) => `${heading.toLowerCase()}:`.padEnd('REPLICATION: '.length))

interface StatusTable {
  readonly lines: readonly StatusLine[]
  readonly columnWidths: readonly number[]
  readonly width: number
}

interface StatusLine {
  readonly cells: readonly string[]
  readonly isMarked: boolean
}

function makeTable(backends: readonly BackendDocument[], reasonLength: number): StatusTable {
  const lines = backends.flatMap((backend) => makeLines(backend, reasonLength))
  const columnWidths = HEADINGS.map((heading, index) =>
    Math.max(heading.length, ...lines.map(({ cells }) => cells[index]?.length ?? 0)),
  )
  return { lines, columnWidths, width: columnWidths.reduce((sum, each) => sum + each + 2, -2) }
}

function renderTable({ lines, columnWidths }: StatusTable, style: Style): string {
  const join = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(columnWidths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const body = lines.map(({ cells, isMarked }) => (isMarked ? style('red', join(cells)) : join(cells)))
  return [style('bold', join(HEADINGS)), ...body].join('\n')
}

function renderBlocks(backends: readonly BackendDocument[], style: Style): string {
  const blocks = backends
    .flatMap((backend) => makeLines(backend, BLOCK_REASON_LENGTH))
    .map(({ cells: [name = '', ...cells], isMarked }) => {
      const title = style('bold', name)
      const margin = ' '.repeat(name.length - name.trimStart().length + 2)
      const body = cells.map((cell, index) => `${margin}${LABELS[index]}${cell}`)
      return [isMarked ? style('red', title) : title, ...body].join('\n')
    })
  return blocks.join('\n\n')
}

/** The backend, and below a cluster its members. */
function makeLines(backend: BackendDocument, reasonLength: number): readonly StatusLine[] {
  const { host = '', cluster, members } = backend
  const main = { ...backend, name: cluster === undefined ? host : `${cluster} (cluster)` }
  const below = (members ?? []).map((member) => ({ ...member, name: `  ${member.host}` }))
  return [main, ...below].map((each) => {
    const isMarked = hasFailedOver(each) || isHalfThawed(each.after)
    return { cells: makeCells({ ...each, name: `${each.name}${isMarked ? ' !' : ''}` }, reasonLength), isMarked }
  })
}

function makeCells(
  {
    name,
    after,
    state,
    heartbeat_age,
  }: Pick<BackendDocument, 'after' | 'state' | 'heartbeat_age'> & { readonly name: string },
  reasonLength: number,
): readonly string[] {
  const age = heartbeat_age === null ? 'never' : formatAge(heartbeat_age)
  const reason = after.disabled_reason && reasonLength > 0 ? ` (${quote(after.disabled_reason, reasonLength)})` : ''
  return [
    name,
    `${state}, ${age}`,
    after.disabled ? `disabled${reason}` : 'enabled',
    after.frozen ? 'yes' : isHalfThawed(after) ? 'half-thawed' : 'no',
    quote(after.replication_status ?? 'never set', MAX_STATUS_LENGTH),
    quote(getArrayName(after), MAX_BACKEND_ID_LENGTH),
  ]
}

function formatAge(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}
