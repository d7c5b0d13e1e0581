import { COLUMNS } from '../../model/backend.js'
import type { BackendDocument, BackendState, ResultDocument } from '../../model/contract.generated.js'
import { formatList } from '../../text/list.js'
import { quote } from '../../text/quote.js'
import type { Screen, Style } from './terminal.js'
import { nameOf, warned } from './text.js'

/** What a run did, or would do: for each backend its steps, and with `rows` what changes in them. */
export function changes(
  result: ResultDocument,
  { would, rows: tells }: { readonly would: boolean; readonly rows: boolean },
  { style }: Screen,
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
    const members = (backend.members ?? []).map(({ host, before, after }) => ({ name: quote(host), before, after }))
    const rows = [main, ...members].flatMap((row) => rowChange(row, style))
    return [style('bold', titleOf(backend)), ...steps, ...(tells ? rows : [])].join('\n')
  })
  const rest = backends.filter((backend) => !backend.changed).map(nameOf)
  const unchanged = rest.length > 0 ? `Nothing to change: ${formatList(rest, ', ')}\n` : ''
  return `${blocks.join('\n')}\n${unchanged}${warned(warnings, style)}`
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
    const old = config.backup === undefined ? '' : `\n    the old one is ${quote(config.backup)}`
    return `: ${config.options.map((option) => quote(option)).join(', ')}\n    in ${quote(config.file)}${old}`
  }
  if (/_service$/.test(action) && service !== undefined) return `: ${quote(service.name)} (${service.manager})`
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
  return typeof value === 'string' ? quote(value === '' ? "''" : value, 60) : String(value)
}

/** The lines of cinder.conf that change, with their secrets masked. */
export function fileDiff({ diff = [] }: ResultDocument, { style }: Screen): string {
  const files = diff.filter(({ before_header }) => before_header.startsWith('/'))
  return files
    .map(({ before_header, before, after }) => {
      const [old, fresh] = [before.split('\n'), after.split('\n')]
      const gone = old.filter((line) => !fresh.includes(line)).map((line) => style('red', `- ${quote(line)}`))
      const come = fresh.filter((line) => !old.includes(line)).map((line) => style('green', `+ ${quote(line)}`))
      return [style('bold', before_header), old[0] ?? '', ...gone, ...come, ''].join('\n')
    })
    .join('')
}

/** A host that was named may stand for its cluster. */
function titleOf(backend: BackendDocument): string {
  const { host, cluster } = backend
  const through = host === undefined || cluster === undefined ? '' : `, the cluster of ${quote(host)}, all members`
  return `${nameOf(backend)}${through}`
}
