import { stripVTControlCharacters } from 'node:util'
import type { BackendDocument, ResultDocument } from '../../model/contract.generated.js'
import { quote, toOneLine } from '../../text/quote.js'
import type { Screen, Style } from './terminal.js'

/** A failure in a few lines: what, why, what next, and the code for those who look it up. */
export function problem({ msg, error, warnings }: ResultDocument, { style }: Screen): string {
  const hint = error?.hint ?? ''
  const [what = msg, after = ''] = hint !== '' && msg.includes(hint) ? msg.split(hint) : [msg]
  const lines = [`${style('red', 'Error:')} ${what.trim()}`]
  if (hint !== '') lines.push(`  ${hint}`)
  if (after.trim() !== '') lines.push(`  ${after.trim()}`)
  return `${lines.join('\n')}\n  ${style('dim', `(${error?.code ?? 'internal_error'})`)}\n${warned(warnings, style)}`
}

export function warned(warnings: readonly string[], style: Style): string {
  return warnings.map((warning) => `${style('yellow', 'Warning:')} ${quote(warning, 1000)}\n`).join('')
}

export function nameOf({ host, cluster }: BackendDocument): string {
  return quote(cluster ?? host ?? '')
}

/** Characters; PATH_MAX of Linux. */
const LONGEST_PATH = 4096

/** The name of a file as a shell takes it for one word. */
export function inShell(path: string): string {
  const word = toOneLine(path, LONGEST_PATH)
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** The text with lines that are too long for the stream's terminal broken at blanks, and what is left of them indented. */
export function fitted(text: string, { width }: Screen): string {
  return text
    .split('\n')
    .map((line) => broken(line, width))
    .join('\n')
}

/** One line as several; those after the first begin `hang` columns further in. */
export function broken(line: string, width: number, hang = 2): string {
  const length = (piece: string) => stripVTControlCharacters(piece).length
  if (length(line) <= width) return line
  const lead = /^ */.exec(line)?.[0] ?? ''
  const lines = [lead]
  for (const word of line.slice(lead.length).split(' ')) {
    const last = lines.at(-1) ?? ''
    const begins = last.trim() === ''
    if (begins || length(last) + 1 + length(word) <= width)
      lines.splice(-1, 1, begins ? last + word : `${last} ${word}`)
    else lines.push(`${lead}${' '.repeat(hang)}${word}`)
  }
  return lines.join('\n')
}
