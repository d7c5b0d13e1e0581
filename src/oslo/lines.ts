/** A line of a file: its bytes with its ending, its text without. */
export interface Line {
  readonly text: string
  readonly bytes: Buffer
}

/** Splits at Python's universal newlines. Joined again the lines are the file, byte for byte, also if its comments are not UTF-8. */
export function splitLines(file: Buffer): readonly Line[] {
  const lines: Line[] = []
  for (let start = 0; start < file.length; ) {
    let end = start
    while (end < file.length && file[end] !== 0x0a && file[end] !== 0x0d) end++
    const next = end + (file[end] === 0x0d && file[end + 1] === 0x0a ? 2 : end < file.length ? 1 : 0)
    lines.push({ text: file.toString('utf8', start, end), bytes: file.subarray(start, next) })
    start = next
  }
  return lines
}

/** The ending of a line: `\n`, `\r\n`, `\r`, or nothing at the end of a file. */
export function getEnding({ bytes }: Line): string {
  return /[\r\n]*$/.exec(bytes.toString('latin1'))?.[0] ?? ''
}

export function joinLines(lines: readonly Line[]): Buffer {
  return Buffer.concat(lines.map(({ bytes }) => bytes))
}

export function makeLine(text: string, ending: string): Line {
  return { text, bytes: Buffer.from(text + ending) }
}
