import { toOneLine } from '../../text/quote.js'
import type { OptionValues } from './options.js'
import type { PrintableResult } from './printable.js'

/** How to undo a change that was saved in a file. */
export function renderUndoSteps({ undo, backends }: PrintableResult, savedTo: string, values: OptionValues): string {
  if (undo === undefined) return ''
  // The saved result holds the files of the run, but no connection: that is a secret.
  const connection = values.connection === undefined ? '' : CONNECTION_PLACEHOLDER
  const command = `cinder-backend undo ${quoteForShell(savedTo)}${connection}`
  const edits = backends.flatMap(({ config }) => (config === undefined || config.options.length === 0 ? [] : config))
  if (edits.length === 0) return `To undo, run: ${command}\n`
  const restore = edits.map(({ file, backup }) =>
    backup === undefined ? `Restore ${file}.` : `Run: cp -p ${quoteForShell(backup)} ${quoteForShell(file)}`,
  )
  return `To undo:\n${renderNumbered(['Stop cinder-volume.', ...restore, `Run: ${command}`])}`
}

/** What is left to do if a promotion ends with a frozen backend, because it did not start cinder-volume. */
export function renderPromotionSteps(result: PrintableResult, host: string, values: OptionValues): string {
  const isFrozen = result.backends.some(({ changed, after }) => changed && after.frozen)
  if (result.failed || !isFrozen || values.service !== undefined) return ''
  const thaw = `cinder-backend thaw ${quoteForShell(host)}${formatDatabaseOptions(values)}`
  const steps = ['Start cinder-volume.', 'Check the log of cinder-volume.', `Run: ${thaw}`]
  return `The backend stays frozen until you thaw it. After this change:\n${renderNumbered(steps)}`
}

function renderNumbered(steps: readonly string[]): string {
  return steps.map((step, index) => `  ${index + 1}. ${step}\n`).join('')
}

function formatDatabaseOptions({ configFile = [], configDir = [], connection }: OptionValues): string {
  const files = configFile.map((path) => ` --config-file ${quoteForShell(path)}`)
  const folders = configDir.map((path) => ` --config-dir ${quoteForShell(path)}`)
  return [...files, ...folders, connection === undefined ? '' : CONNECTION_PLACEHOLDER].join('')
}

const CONNECTION_PLACEHOLDER = ' --connection ...'

/** PATH_MAX of Linux. */
const MAX_PATH_LENGTH = 4096

function quoteForShell(text: string): string {
  const word = toOneLine(text, MAX_PATH_LENGTH)
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
