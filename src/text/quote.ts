/** Text from outside, fit for a message: on one line, not endless, and without the user and password of any URL in it. */
export function quote(text: string, most = 200): string {
  return toOneLine(text.replace(/:\/+\S*@/g, '://***@'), most)
}

/** Text on one line, without control characters, and cut off where it is longer than `most`. */
export function toOneLine(text: string, most = 200): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return line.length > most ? `${line.slice(0, most)}…` : line
}
