/**
 * text/ makes texts safe and readable: quoting, secrets, similar names, lists, the words of hints. Imports nothing but itself and a library for
 * the distance of words.
 *
 * Promised: what comes from outside is put into a message by quote(), on one line, without control characters and without the password of a URL.
 * Not promised: that a secret is recognised whose name looks like none.
 */
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
