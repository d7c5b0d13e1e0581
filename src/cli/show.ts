import type { BackendDocument, BackendState, ResultDocument } from '../contract.generated.js'
import { quotable } from '../errors.js'
import { COLUMNS } from '../plan/backend.js'
import { isFailedOver } from '../plan/failover.js'
import type { Style, Terminal } from './terminal.js'

/**
 * How backends stand: as a table, or as a block for each where the terminal is too narrow for one, or they were asked for by name. What is failed
 * over is marked.
 */
export function report(
  { backends, warnings }: ResultDocument,
  { width, style }: Terminal,
  form: 'table' | 'blocks',
): string {
  if (backends.length === 0) return 'There are none.\n'
  const tables = form === 'table' ? [MOST_REASON, 40, 20, 10, 0].map((most) => tableOf(backends, most)) : []
  const table = tables.find((each) => each.width <= width)
  const told = table === undefined ? blocksOf(backends, style) : coloured(table, style)
  const mark = backends.some(isMarked) && Number.isFinite(width) ? `${style('dim', MARK)}\n` : ''
  return `${told}\n${mark}${warned(warnings, style)}`
}

const MARK = '! failed over; what to do is in cinder-backend promote --help'

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
export function isMarked({ after, members = [] }: BackendDocument): boolean {
  return [after, ...members.map((each) => each.after)].some(isFailedOver)
}

const HEADINGS = ['BACKEND', 'HEARTBEAT', 'SERVICE', 'FROZEN', 'REPLICATION', 'RUNS ON'] as const
const LABELS = HEADINGS.slice(1).map((heading) => `${heading.toLowerCase()}:`.padEnd('REPLICATION: '.length))

/** The backend, and the members of a cluster below it. */
function rowsOf(backend: BackendDocument, mostReason: number): readonly TableRow[] {
  const { members } = backend
  const name = nameOf(backend)
  const main = { ...backend, name: members === undefined ? name : `${name} (cluster)` }
  const below = (members ?? []).map((member) => ({ ...member, name: `  ${quotable(member.host)}` }))
  return [main, ...below].map((row) => {
    const failedOver = isFailedOver(row.after)
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
  const reason = after.disabled_reason && mostReason > 0 ? ` (${quotable(after.disabled_reason, mostReason)})` : ''
  return [
    name,
    `${state}, ${age}`,
    after.disabled ? `disabled${reason}` : 'enabled',
    after.frozen ? 'yes' : 'no',
    quotable(after.replication_status ?? 'never set', 40),
    after.active_backend_id ? quotable(after.active_backend_id, 60) : 'its own array',
  ]
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`
}

/** What a run did, or would do: for each backend its steps, and with `rows` what changes in them. */
export function changes(
  result: ResultDocument,
  { would, rows: tells }: { readonly would: boolean; readonly rows: boolean },
  { style }: Terminal,
): string {
  const { backends, warnings, msg } = result
  const changed = backends.filter((backend) => backend.changed)
  if (changed.length === 0) return `${msg}\n${warned(warnings, style)}`
  const blocks = changed.map((backend) => {
    const steps = backend.actions.map(
      (action) => `  ${would ? '•' : style('green', '✓')} ${STEPS[action]}${detail(action, backend)}`,
    )
    const main = {
      name: backend.members === undefined ? '' : nameOf(backend),
      before: backend.before,
      after: backend.after,
    }
    const members = (backend.members ?? []).map(({ host, before, after }) => ({ name: quotable(host), before, after }))
    const rows = [main, ...members].flatMap((row) => rowChange(row, style))
    return [style('bold', titleOf(backend)), ...steps, ...(tells ? rows : [])].join('\n')
  })
  const rest = backends.length - changed.length
  return `${blocks.join('\n')}\n${rest > 0 ? `${rest} unchanged\n` : ''}${warned(warnings, style)}`
}

const STEPS: Readonly<Record<BackendDocument['actions'][number], string>> = {
  freeze: 'freeze the backend',
  stop_service: 'stop cinder-volume',
  update_config: 'change cinder.conf',
  reset_active_backend: 'reset the active backend',
  enable_replication: 'enable replication',
  disable_replication: 'disable replication',
  set_active_backend_id: 'set active_backend_id as it is given',
  set_replication_status: 'set replication_status as it is given',
  restore: 'put the row back',
  start_service: 'start cinder-volume',
  thaw: 'thaw the backend',
}

function detail(action: string, { config, service }: BackendDocument): string {
  if (action === 'update_config' && config !== undefined) {
    const old = config.backup === undefined ? '' : `\n    the old one is ${quotable(config.backup)}`
    return `: ${config.options.map((option) => quotable(option)).join(', ')}\n    in ${quotable(config.file)}${old}`
  }
  if (/_service$/.test(action) && service !== undefined) return `: ${quotable(service.name)} (${service.manager})`
  return ''
}

function rowChange(
  { name, before, after }: { name: string; before: BackendState; after: BackendState },
  style: Style,
): readonly string[] {
  const columns = COLUMNS.filter((column) => before[column] !== after[column])
  if (columns.length === 0) return []
  const was = columns.map((column) => valueText(before[column]))
  const wide = Math.max(...was.map((text) => text.length))
  const lines = columns.map(
    (column, index) =>
      `    ${column.padEnd(18)}  ${style('red', (was[index] ?? '').padEnd(wide))}  →  ${style('green', valueText(after[column]))}`,
  )
  return name === '' ? lines : [`  ${style('dim', name)}`, ...lines]
}

function valueText(value: string | boolean | null): string {
  return typeof value === 'string' ? quotable(value === '' ? "''" : value, 60) : String(value)
}

/** The lines of cinder.conf that change, with their secrets masked. */
export function fileDiff({ diff = [] }: ResultDocument, { style }: Terminal): string {
  const files = diff.filter(({ before_header }) => before_header.startsWith('/'))
  return files
    .map(({ before_header, before, after }) => {
      const [old, fresh] = [before.split('\n'), after.split('\n')]
      const gone = old.filter((line) => !fresh.includes(line)).map((line) => style('red', `- ${quotable(line)}`))
      const come = fresh.filter((line) => !old.includes(line)).map((line) => style('green', `+ ${quotable(line)}`))
      return [style('bold', before_header), old[0] ?? '', ...gone, ...come, ''].join('\n')
    })
    .join('')
}

/** A failure in a few lines: what, why, what next, and the code for those who look it up. */
export function problem({ msg, error, warnings }: ResultDocument, { style }: Terminal): string {
  const hint = error?.hint ?? ''
  const [what = msg, after = ''] = hint !== '' && msg.includes(hint) ? msg.split(hint) : [msg]
  const lines = [`${style('red', 'Error:')} ${what.trim()}`]
  if (hint !== '') lines.push(`  ${hint}`)
  if (after.trim() !== '') lines.push(`  ${after.trim()}`)
  return `${lines.join('\n')}\n  ${style('dim', `(${error?.code ?? 'internal_error'})`)}\n${warned(warnings, style)}`
}

function warned(warnings: readonly string[], style: Style): string {
  return warnings.map((warning) => `${style('yellow', 'Warning:')} ${quotable(warning, 1000)}\n`).join('')
}

/** A host that was named may stand for its cluster. */
function titleOf(backend: BackendDocument): string {
  const { host, cluster } = backend
  const through = host === undefined || cluster === undefined ? '' : `, the cluster of ${quotable(host)}, all members`
  return `${nameOf(backend)}${through}`
}

function nameOf({ host, cluster }: BackendDocument): string {
  return quotable(cluster ?? host ?? '')
}
