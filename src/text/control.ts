// A control character in text from outside can recolour, overwrite or retitle a terminal.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not reach a terminal
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]+/g
// JSON.stringify escapes the others itself.
const UNESCAPED_IN_JSON = /[\u007f-\u009f\u2028\u2029]/g

/** The text without control characters; line feeds stay. */
export function stripControlCharacters(text: string): string {
  return text.replace(CONTROL, ' ')
}

/** One line of JSON that holds the exact value and no control character. */
export function toJsonLine(value: unknown): string {
  const json = JSON.stringify(value).replace(
    UNESCAPED_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `${json}\n`
}
