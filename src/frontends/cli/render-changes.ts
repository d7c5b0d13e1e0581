import { ACTIONS } from '../../model/actions.js'
import { COLUMNS } from '../../model/backend.js'
import type { BackendDocument, BackendState } from '../../model/contract.generated.js'
import { CLUSTER_FREEZE } from '../../report/message.js'
import { formatList } from '../../text/list.js'
import { quote } from '../../text/quote.js'
import type { PrintableResult } from './printable.js'
import { renderWarnings } from './render-error.js'
import type { Screen, Style } from './terminal.js'

export interface RenderOptions {
  /** A preview has not been done yet. */
  readonly isPreview?: boolean
  /** The user has seen this preview with the question: its rows, files and warnings are not repeated. */
  readonly preview?: PrintableResult
}

/** What a run did, or what it would do: the steps of each backend, the rows and the lines of cinder.conf. */
export function renderChanges(
  result: PrintableResult,
  { isPreview = false, preview }: RenderOptions,
  { style }: Screen,
): string {
  const warnings = renderWarnings(
    result.warnings.filter((warning) => !preview?.warnings.includes(warning)),
    style,
  )
  const changed = result.backends.filter((backend) => backend.changed)
  if (changed.length === 0) return `${result.msg}\n${warnings}`
  const mark = isPreview ? '•' : style('green', '✓')
  const blocks = changed.flatMap((backend) => [
    style('bold', formatTitle(backend)),
    ...backend.actions.map((action) => `  ${mark} ${ACTIONS[action].step}${formatDetail(action, backend)}`),
    ...(preview === undefined ? renderRows(backend, style) : []),
  ])
  const unchanged = result.backends.filter((backend) => !backend.changed).map(getDisplayName)
  const rest = unchanged.length > 0 ? `Nothing to change: ${formatList(unchanged, ', ')}\n` : ''
  const files = preview === undefined ? renderFileDiff(result, style) : ''
  return `${blocks.join('\n')}\n${rest}${warnings}${files}`
}

export function getDisplayName({ host, cluster }: BackendDocument): string {
  return cluster ?? host ?? ''
}

function formatDetail(action: string, { cluster, after, config, service }: BackendDocument): string {
  if (action === 'freeze') return cluster !== undefined && after.frozen ? `\n    ${CLUSTER_FREEZE}` : ''
  if (action === 'update_config' && config !== undefined) {
    const backup = config.backup === undefined ? '' : `\n    backup: ${config.backup}`
    return `: ${config.options.join(', ')}\n    in ${config.file}${backup}`
  }
  const isServiceStep = action === 'stop_service' || action === 'start_service'
  return isServiceStep && service !== undefined ? `: ${service.name} (${service.manager})` : ''
}

/** The user can have named a member of the cluster. */
function formatTitle(backend: BackendDocument): string {
  const { host, cluster } = backend
  const name = getDisplayName(backend)
  return host === undefined || cluster === undefined ? name : `${name} (the cluster of ${host}, with all members)`
}

function renderRows(backend: BackendDocument, style: Style): readonly string[] {
  const { members = [], before, after } = backend
  const name = backend.members === undefined ? '' : getDisplayName(backend)
  const rows = [{ name, before, after }, ...members.map((member) => ({ ...member, name: member.host }))]
  return rows.flatMap((row) => renderRow(row, style))
}

function renderRow(
  { name, before, after }: { name: string; before: BackendState; after: BackendState },
  style: Style,
): readonly string[] {
  const columns = COLUMNS.filter((column) => before[column] !== after[column])
  if (columns.length === 0) return []
  const oldValues = columns.map((column) => formatCell(before[column]))
  const width = Math.max(...oldValues.map((text) => text.length))
  const lines = columns.map((column, index) => {
    const oldValue = style('red', (oldValues[index] ?? '').padEnd(width))
    return `    ${column.padEnd(COLUMN_NAME_WIDTH)}  ${oldValue}  →  ${style('green', formatCell(after[column]))}`
  })
  return name === '' ? lines : [`  ${style('dim', name)}`, ...lines]
}

const COLUMN_NAME_WIDTH = Math.max(...COLUMNS.map((column) => column.length))
const MAX_CELL_LENGTH = 60

function formatCell(value: string | boolean | null): string {
  return typeof value === 'string' ? quote(value === '' ? "''" : value, MAX_CELL_LENGTH) : String(value)
}

/** The changed lines of cinder.conf. The agent has masked the secrets. */
function renderFileDiff({ diff = [] }: PrintableResult, style: Style): string {
  const files = diff.filter(({ before_header }) => before_header.startsWith('/'))
  return files
    .map(({ before_header, before, after }) => {
      const [oldLines, newLines] = [before.split('\n'), after.split('\n')]
      const removed = oldLines
        .filter((line) => !newLines.includes(line))
        .map((line) => style('red', `- ${quote(line)}`))
      const added = newLines
        .filter((line) => !oldLines.includes(line))
        .map((line) => style('green', `+ ${quote(line)}`))
      return [style('bold', before_header), oldLines[0] ?? '', ...removed, ...added, ''].join('\n')
    })
    .join('')
}
