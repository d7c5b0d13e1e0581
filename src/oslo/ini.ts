import { normalizeSection } from '../model/backend.js'
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

export interface LocatedAssignment extends Assignment {
  readonly path: string
}

/** A parsed file. */
export interface Ini {
  readonly assignments: readonly Assignment[]
  /** The names of the sections with the lines of their headers, also if a name occurs twice. */
  readonly headers: readonly { readonly section: string; readonly line: number }[]
}

// JavaScript's trim also strips U+FEFF, and not the separators of ASCII.
const BLANK = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const BEFORE = new RegExp(`^${BLANK}`)
const BEHIND = new RegExp(`${BLANK}$`)
const lstrip = (text: string) => text.replace(BEFORE, '')
const rstrip = (text: string) => text.replace(BEHIND, '')

/** Python's str.strip. */
export function strip(text: string): string {
  return rstrip(lstrip(text))
}

/**
 * Parses as oslo.config does (oslo_config/iniparser.py). Errors: config_error, with file and line, if oslo.config would refuse the file.
 * Messages do not quote lines, because they hold secrets.
 */
export function parseIni(text: string, file: string): Ini {
  const assignments: Assignment[] = []
  const headers: { section: string; line: number }[] = []
  let section: string | undefined
  let open: { key: string; value: string[]; line: number } | undefined
  const flush = () => {
    if (open === undefined) return
    if (section === undefined) throw lineError(file, open.line, 'an assignment before the first [section]')
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
      if (open === undefined) throw lineError(file, number, 'an indented line that continues nothing')
      open.value.push(lstrip(line))
    } else {
      flush()
      if (line.startsWith('[')) {
        section = parseSectionName(line, file, number)
        headers.push({ section, line: number })
      } else if (!line.startsWith('#') && !line.startsWith(';'))
        open = { ...parseAssignment(line, file, number), line: number }
    }
  }
  flush()
  return { assignments, headers }
}

function parseSectionName(line: string, file: string, number: number): string {
  if (!line.endsWith(']'))
    throw lineError(file, number, 'a section header that does not end with "]" (a comment cannot follow it)')
  if (line.length <= 2) throw lineError(file, number, 'a section without a name')
  return line.slice(1, -1)
}

function parseAssignment(line: string, file: string, number: number): { key: string; value: string[] } {
  const divider = line.search(/[=:]/)
  if (divider < 0) throw lineError(file, number, 'neither "=" nor ":" in an assignment')
  const key = strip(line.slice(0, divider))
  if (key === '') throw lineError(file, number, 'an assignment without a name')
  return { key, value: [removeQuotes(strip(line.slice(divider + 1)))] }
}

/** One pair of outer quotes; to oslo.config a lone quote is a pair. */
function removeQuotes(value: string): string {
  const first = value.charAt(0)
  return (first === '"' || first === "'") && value.endsWith(first) ? value.slice(1, -1) : value
}

function lineError(file: string, line: number, what: string): AgentError {
  return new AgentError('config_error', `${quote(file)}, line ${line}: ${what}.`, {
    hint: 'Correct the line; Cinder cannot read the file either.',
  })
}

interface TextFile {
  readonly path: string
  readonly text: string
}

/** A file does not change once it was read, and every look at a plan needs what it says. */
const PARSED = new WeakMap<TextFile, Ini>()

/** The same of a file that was read. Errors: config_error. */
export function parseFile(file: TextFile): Ini {
  const known = PARSED.get(file)
  if (known !== undefined) return known
  const parsed = parseIni(file.text, file.path)
  PARSED.set(file, parsed)
  return parsed
}

export function hasSection(file: TextFile, name: string): boolean {
  return parseFile(file).headers.some(({ section }) => normalizeSection(section) === normalizeSection(name))
}

/** The assignments of all files, in their order. */
export function readAssignments(files: readonly TextFile[]): readonly LocatedAssignment[] {
  return files.flatMap((file) => parseFile(file).assignments.map((each) => ({ ...each, path: file.path })))
}

/** The assignments of one option in one section. */
export function selectAssignments(
  assignments: readonly LocatedAssignment[],
  section: string,
  key: string,
): readonly LocatedAssignment[] {
  return assignments.filter((each) => each.key === key && normalizeSection(each.section) === normalizeSection(section))
}
