import { normalizeSection } from '../model/backend.js'
import { type Assignment, type Ini, parseIni } from './ini.js'
import { getEnding, joinLines, type Line, makeLine, splitLines } from './lines.js'
import { addQuotes } from './value.js'

/** The changes to one section. Values are as the file must hold them; null removes an option. */
export interface Edit {
  readonly section: string
  readonly options: ReadonlyMap<string, string | null>
  /** All values of `replication_device`; undefined leaves them. One that the file has is given as it is there, its lines joined by newlines. */
  readonly devices?: readonly string[] | undefined
}

/**
 * The file with the edit made, and every other byte as it was. The section must exist; if it does so twice, new lines go into the last.
 * oslo.config reads the last assignment of an option, so that one is set; a removal removes all of them.
 */
export function applyEdit(file: Buffer, path: string, { section, options, devices }: Edit): Buffer {
  const ini = parseIni(file.toString('utf8'), path)
  const own = ini.assignments.filter((each) => normalizeSection(each.section) === normalizeSection(section))
  const change = new LineChange(splitLines(file), findAnchor(ini, section))
  for (const [key, value] of options) {
    const present = own.filter((each) => each.key === key)
    const last = present.at(-1)
    if (value === null) for (const each of present) change.remove(each)
    else if (last === undefined) change.append(key, value)
    else change.setValue(last, value)
  }
  if (devices !== undefined) setDevices(change, own, devices)
  return change.result()
}

/** The line, counted from 1, after which new options of the section go: its last assignment, else its header. */
function findAnchor({ headers, assignments }: Ini, section: string): number {
  const header = headers.findLast((each) => normalizeSection(each.section) === normalizeSection(section))
  const next = headers.find(({ line }) => line > (header?.line ?? 0))
  const inBlock = assignments.filter(
    ({ line }) => line > (header?.line ?? 0) && line < (next?.line ?? Number.POSITIVE_INFINITY),
  )
  return inBlock.at(-1)?.lastLine ?? header?.line ?? 0
}

/** Changes the lines between the entries that stay, so that comments keep their device. */
function setDevices(change: LineChange, own: readonly Assignment[], devices: readonly string[]): void {
  const present = own.filter(({ key }) => key === 'replication_device')
  const kept = findCommonEntries(present, devices)
  let [from, to] = [0, 0]
  let behind: Assignment | undefined
  for (const [index, wanted] of [...kept, [present.length, devices.length] as const]) {
    const old = present.slice(from, index)
    const fresh = devices.slice(to, wanted)
    for (const [place, each] of old.entries()) {
      const device = fresh[place]
      if (device === undefined) change.remove(each)
      else change.setValue(each, formatLines(device))
    }
    behind = old.at(-1) ?? behind
    const next = present[index]
    const place = behind?.lastLine ?? (next && next.line - 1)
    for (const device of fresh.slice(old.length)) change.append('replication_device', formatLines(device), place)
    behind = next ?? behind
    from = index + 1
    to = wanted + 1
  }
}

/** The text behind `replication_device = `; the lines of a value that has several are indented. */
function formatLines(text: string): string {
  const [first = '', ...others] = text.split('\n')
  return [addQuotes(first), ...others.map((line) => `    ${line}`)].join('\n')
}

/** The longest common subsequence of the two lists, as pairs of indexes. */
function findCommonEntries(present: readonly Assignment[], devices: readonly string[]): readonly IndexPair[] {
  // For the entry at hand: the best pairs of the lists from there on, by the index of the device to begin with.
  let best: (readonly IndexPair[])[] = []
  for (const [i, entry] of [...present.entries()].reverse()) {
    const next = best
    best = []
    for (const [j, device] of [...devices.entries()].reverse()) {
      const [skipEntry = [], skipDevice = []] = [next[j], best[j + 1]]
      best[j] =
        entry.value === device
          ? [[i, j], ...(next[j + 1] ?? [])]
          : skipEntry.length > skipDevice.length
            ? skipEntry
            : skipDevice
    }
  }
  return best[0] ?? []
}

type IndexPair = readonly [present: number, wanted: number]

/** Changes to the lines of a file, collected by line number. */
class LineChange {
  readonly #lines: readonly Line[]
  readonly #anchor: number
  readonly #texts = new Map<number, string | null>()
  readonly #added = new Map<number, string[]>()

  constructor(lines: readonly Line[], anchor: number) {
    this.#lines = lines
    this.#anchor = anchor
  }

  remove({ line, lastLine }: Assignment): void {
    for (let number = line; number <= lastLine; number++) this.#texts.set(number, null)
  }

  /** Keeps the bytes of the name and its divider. */
  setValue(assignment: Assignment, value: string): void {
    const { text } = this.#lines[assignment.line - 1] ?? { text: '' }
    const head = /^[^=:]*[=:][ \t]*/.exec(text)?.[0] ?? ''
    this.remove(assignment)
    this.#texts.set(assignment.line, `${head}${value}`)
  }

  append(key: string, value: string, behind = this.#anchor): void {
    const neighbour = this.#lines[behind - 1]?.text ?? ''
    const divider = /^[^=:\s[]+=\S/.test(neighbour) ? '=' : ' = '
    this.#added.set(behind, [...(this.#added.get(behind) ?? []), `${key}${divider}${value}`])
  }

  result(): Buffer {
    const lineBreak = getEnding(this.#lines[0] ?? makeLine('', '')) || '\n'
    const result: Line[] = []
    for (const [index, line] of this.#lines.entries()) {
      const text = this.#texts.get(index + 1)
      const ending = getEnding(line)
      if (text !== null) result.push(text === undefined ? line : makeLine(text.replaceAll('\n', lineBreak), ending))
      for (const added of this.#added.get(index + 1) ?? []) {
        const last = result.at(-1)
        // A file without a line break at its end gets none.
        if (ending === '' && last !== undefined && getEnding(last) === '')
          result.splice(-1, 1, { text: last.text, bytes: Buffer.concat([last.bytes, Buffer.from(lineBreak)]) })
        result.push(makeLine(added.replaceAll('\n', lineBreak), ending))
      }
    }
    return joinLines(result)
  }
}
