import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** One assignment of a cinder.conf. */
export interface Assignment {
  readonly section: string
  readonly key: string
  /** Continuation lines are joined by newlines. */
  readonly value: string
  /** Of its first line, counted from 1. */
  readonly line: number
  /** Of its last line. */
  readonly lastLine: number
}

export interface Placed extends Assignment {
  readonly path: string
}

/** A file as it was read. */
export interface Ini {
  readonly assignments: readonly Assignment[]
  /** The names of the sections, with the lines of their headers; one that stands twice comes twice. */
  readonly headers: readonly { readonly section: string; readonly line: number }[]
}

// Python's str.strip; JavaScript's trim takes U+FEFF too, and leaves the separators of ASCII.
const BLANK = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const BEFORE = new RegExp(`^${BLANK}`)
const BEHIND = new RegExp(`${BLANK}$`)
const lstrip = (text: string) => text.replace(BEFORE, '')
const rstrip = (text: string) => text.replace(BEHIND, '')

/** Python's str.strip. */
export function strip(text: string): string {
  return rstrip(lstrip(text))
}

/** Section names do not mind case, except DEFAULT (oslo_config/cfg.py, _normalize_group_name). */
export function normalized(section: string): string {
  return section === 'DEFAULT' ? section : section.toLowerCase()
}

/**
 * The assignments in the text of a file, as oslo.config reads it (oslo_config/iniparser.py).
 * Errors: config_error, with file and line, where oslo.config would refuse to read on. Lines are not quoted: they hold secrets.
 */
export function parseIni(text: string, file: string): Ini {
  const assignments: Assignment[] = []
  const headers: { section: string; line: number }[] = []
  let section: string | undefined
  let open: { key: string; value: string[]; line: number } | undefined
  const flush = () => {
    if (open === undefined) return
    if (section === undefined) throw parseError(file, open.line, 'an assignment before the first [section]')
    const { key, value, line } = open
    assignments.push({ section, key, value: value.join('\n'), line, lastLine: line + value.length - 1 })
    open = undefined
  }
  // Python's universal newlines: a lone carriage return ends a line too.
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = rstrip(raw)
    const number = index + 1
    if (line === '') {
      flush()
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (open === undefined) throw parseError(file, number, 'an indented line that continues nothing')
      open.value.push(lstrip(line))
    } else {
      flush()
      if (line.startsWith('[')) {
        section = sectionName(line, file, number)
        headers.push({ section, line: number })
      } else if (!line.startsWith('#') && !line.startsWith(';'))
        open = { ...keyAndValue(line, file, number), line: number }
    }
  }
  flush()
  return { assignments, headers }
}

function sectionName(line: string, file: string, number: number): string {
  if (!line.endsWith(']'))
    throw parseError(file, number, 'a section that does not end with "]" (no comment may follow it)')
  if (line.length <= 2) throw parseError(file, number, 'a section without a name')
  return line.slice(1, -1)
}

function keyAndValue(line: string, file: string, number: number): { key: string; value: string[] } {
  const divider = line.search(/[=:]/)
  if (divider < 0) throw parseError(file, number, 'neither "=" nor ":" in an assignment')
  const key = strip(line.slice(0, divider))
  if (key === '') throw parseError(file, number, 'an assignment without a name')
  return { key, value: [unquoted(strip(line.slice(divider + 1)))] }
}

/** One matching pair of outer quotes goes; a lone quote matches itself. */
function unquoted(value: string): string {
  const first = value.charAt(0)
  return (first === '"' || first === "'") && value.endsWith(first) ? value.slice(1, -1) : value
}

function parseError(file: string, line: number, what: string): AgentError {
  return new AgentError('config_error', `${quote(file)}, line ${line}: ${what}.`, {
    hint: 'Cinder cannot read this file either; correct the line.',
  })
}

/** What all files assign, in their order, each with the file that it stands in. */
export function assignmentsIn(files: readonly { readonly path: string; readonly text: string }[]): readonly Placed[] {
  return files.flatMap(({ path, text }) => parseIni(text, path).assignments.map((each) => ({ ...each, path })))
}

/** Those of an option in one section. */
export function assignedIn(assignments: readonly Placed[], section: string, key: string): readonly Placed[] {
  return assignments.filter((each) => each.key === key && normalized(each.section) === normalized(section))
}
