import { type Assignment, type Ini, normalized, parseIni } from './ini.js'
import { bytesOf, endingOf, type Line, linesOf, newLine } from './lines.js'
import { type Device, deviceOf, sameDevice, writtenDevice } from './value.js'

/** What shall change in one section. Values are as they shall stand in the file; null takes an option out. */
export interface Edit {
  readonly section: string
  readonly options: ReadonlyMap<string, string | null>
  /** All `replication_device` entries, if they shall change. */
  readonly devices?: readonly Device[] | undefined
}

/**
 * The file with the edit made, and every other byte as it was. The section must be there; where it stands twice, new lines go to the last.
 * An option that stands twice is set where it counts, which is the last time, and taken out everywhere.
 */
export function edited(file: Buffer, path: string, { section, options, devices }: Edit): Buffer {
  const ini = parseIni(file.toString('utf8'), path)
  const own = ini.assignments.filter((each) => normalized(each.section) === normalized(section))
  const change = new LineChange(linesOf(file), anchorOf(ini, section))
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

/** The line, counted from 1, behind which new options of the section go: its last assignment, else its header. */
function anchorOf({ headers, assignments }: Ini, section: string): number {
  const header = headers.findLast((each) => normalized(each.section) === normalized(section))
  const next = headers.find(({ line }) => line > (header?.line ?? 0))
  const inBlock = assignments.filter(
    ({ line }) => line > (header?.line ?? 0) && line < (next?.line ?? Number.POSITIVE_INFINITY),
  )
  return inBlock.at(-1)?.lastLine ?? header?.line ?? 0
}

/** Entries that stay are not touched; the others are written over, taken out or put in at their places. */
function setDevices(change: LineChange, own: readonly Assignment[], devices: readonly Device[]): void {
  const present = own.filter(({ key }) => key === 'replication_device')
  const kept = longestCommon(present, devices)
  let [from, to] = [0, 0]
  let behind: Assignment | undefined
  for (const [index, wanted] of [...kept, [present.length, devices.length] as const]) {
    const old = present.slice(from, index)
    const fresh = devices.slice(to, wanted)
    for (const [place, each] of old.entries()) {
      const device = fresh[place]
      if (device === undefined) change.remove(each)
      else change.setValue(each, writtenDevice(device))
    }
    behind = old.at(-1) ?? behind
    const next = present[index]
    const place = behind?.lastLine ?? (next && next.line - 1)
    for (const device of fresh.slice(old.length)) change.append('replication_device', writtenDevice(device), place)
    behind = next ?? behind
    from = index + 1
    to = wanted + 1
  }
}

/** The pairs of places at which the two lists agree, as many as there can be. */
function longestCommon(
  present: readonly Assignment[],
  devices: readonly Device[],
): readonly (readonly [number, number])[] {
  const same = (i: number, j: number) => {
    const [old, device] = [deviceOf(present[i]?.value ?? ''), devices[j]]
    return old !== undefined && device !== undefined && sameDevice(old, device)
  }
  let best: (readonly [number, number])[] = []
  for (let shift = 0; shift < devices.length; shift++) {
    const pairs: (readonly [number, number])[] = []
    let j = shift
    for (let i = 0; i < present.length; i++) {
      const found = devices.findIndex((_, k) => k >= j && same(i, k))
      if (found < 0) continue
      pairs.push([i, found])
      j = found + 1
    }
    if (pairs.length > best.length) best = pairs
  }
  return best
}

/** Changes to the lines of a file, collected by line and made at once. */
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

  /** Keeps the name and what divides it from the value as they are written. */
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
    const usual = endingOf(this.#lines[0] ?? newLine('', '')) || '\n'
    const result: Line[] = []
    for (const [index, line] of this.#lines.entries()) {
      const text = this.#texts.get(index + 1)
      const ending = endingOf(line)
      if (text !== null) result.push(text === undefined ? line : newLine(text, ending))
      for (const added of this.#added.get(index + 1) ?? []) {
        const last = result.at(-1)
        // A file without a line break at its end keeps to that.
        if (ending === '' && last !== undefined && endingOf(last) === '')
          result.splice(-1, 1, { text: last.text, bytes: Buffer.concat([last.bytes, Buffer.from(usual)]) })
        result.push(newLine(added, ending))
      }
    }
    return bytesOf(result)
  }
}
