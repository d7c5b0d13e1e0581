import { quote } from '../../text/quote.js'
import type { PrintableResult } from './printable.js'
import type { Style } from './terminal.js'

/** A failure in a few lines: the problem, the hint, and the error code for the documentation. */
export function renderError({ msg, error, warnings }: PrintableResult, style: Style): string {
  const hint = error?.hint ?? ''
  const [problem = msg, rest = ''] = hint !== '' && msg.includes(hint) ? msg.split(hint) : [msg]
  const lines = [`${style('red', 'Error:')} ${problem.trim()}`]
  if (hint !== '') lines.push(`  ${hint}`)
  if (rest.trim() !== '') lines.push(`  ${rest.trim()}`)
  lines.push(`  ${style('dim', `(${error?.code ?? 'internal_error'})`)}`)
  return `${lines.join('\n')}\n${renderWarnings(warnings, style)}`
}

const MAX_WARNING_LENGTH = 1000

export function renderWarnings(warnings: readonly string[], style: Style): string {
  return warnings.map((warning) => `${style('yellow', 'Warning:')} ${quote(warning, MAX_WARNING_LENGTH)}\n`).join('')
}
