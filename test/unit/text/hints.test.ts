import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { wordHint } from '../../../src/text/hints.js'

const SRC = new URL('../../../src', import.meta.url).pathname

/** What stands in braces without blanks, and not behind a `$`: only hints have that. */
const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('.generated.'))
  .flatMap((path) => [...readFileSync(join(SRC, path), 'utf8').matchAll(/(?<!\$)\{([a-z_]+)\}/g)])
  .map(([, name = '']) => name)

test('every name in a hint has its words for each front end', () => {
  expect(new Set(names).size).toBeGreaterThan(15)
  for (const name of names)
    for (const audience of ['request', 'command'] as const)
      expect([name, wordHint(`{${name}}`, audience)]).not.toEqual([name, `{${name}}`])
})

test('what the table lacks stays as it is', () => {
  expect(wordHint('Add {force} or {nothing}.', 'command')).toBe('Add --force or {nothing}.')
})
