import { stripVTControlCharacters } from 'node:util'

/** The text with its long lines broken at blanks. `width` is in columns. */
export function wrapText(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width))
    .join('\n')
}

/** One line as several. The lines after the first are `indent` columns further in. */
export function wrapLine(line: string, width: number, indent = 2): string {
  const measure = (piece: string) => stripVTControlCharacters(piece).length
  if (measure(line) <= width) return line
  const margin = /^ */.exec(line)?.[0] ?? ''
  const lines = [margin]
  for (const word of line.slice(margin.length).split(' ')) {
    const last = lines.at(-1) ?? ''
    const isEmpty = last.trim() === ''
    if (isEmpty || measure(last) + 1 + measure(word) <= width)
      lines.splice(-1, 1, isEmpty ? last + word : `${last} ${word}`)
    else lines.push(`${margin}${' '.repeat(indent)}${word}`)
  }
  return lines.join('\n')
}
