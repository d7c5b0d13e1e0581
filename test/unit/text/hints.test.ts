import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WORDS, wordHint } from '../../../src/text/hints.js'

const SRC = new URL('../../../src', import.meta.url).pathname
const TABLE = 'text/hints.ts'

/** By the name in braces, the files that use it. `${name}` is a value; code has blanks inside its braces. */
function findPlaceholders(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((path) => path.endsWith('.ts') && !path.includes('.generated') && path !== TABLE)) {
    const text = readFileSync(join(SRC, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?<!\$)\{([a-z_]+)\}/g)) {
      found.set(name, [...(found.get(name) ?? []), file])
    }
  }
  return found
}

const placeholders = findPlaceholders()

test('the hints of src/ are found', () => {
  expect(placeholders.get('force')).toContain('plan/failing-over.ts')
  expect(placeholders.get('connection')).toContain('store/sqlite.ts')
})

test('every placeholder of a hint has words for each front end', () => {
  const unknown = [...placeholders].filter(([name]) => WORDS[name] === undefined)
  expect(unknown).toEqual([])
})

test('every entry of the table is used in a hint', () => {
  expect(Object.keys(WORDS).filter((name) => !placeholders.has(name))).toEqual([])
})

test('words each placeholder for its reader, and leaves other braces alone', () => {
  expect(wordHint('Stop it, or add {wait}.', 'request')).toBe('Stop it, or add wait: true.')
  expect(wordHint('Stop it, or add {wait}.', 'command')).toBe('Stop it, or add --wait.')
  expect(wordHint('Write {"host": "a"} or {nothing}.', 'command')).toBe('Write {"host": "a"} or {nothing}.')
})
