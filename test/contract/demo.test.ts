import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { embedded, sqliteByCinder, titled } from '../support/databases.js'

test('npm run demo shows the job from failed over to normal', () => {
  const shown = execFileSync('npm', ['run', '--silent', 'demo']).toString()
  expect(shown).toMatch(
    /vol1@arrayA {2}1 +failed-over +failed-over +arrayB +1\n[\s\S]*vol1@arrayA {2}0 +NULL +enabled +NULL +0\n/,
  )
  expect(shown).toContain('- active_backend_id: arrayB\n+ active_backend_id: null')
  expect(shown).toMatch(/The second run[\s\S]*"changed": false/)
})

// The picture's answers are typed after a second: on a loaded machine that may be before they are asked for.
test('the picture in the README is of what the commands show now', { retry: 2 }, () => {
  const drawn = execFileSync('node', ['docs/examples/demo/picture.mjs']).toString()
  // Which frame of the spinner is seen last is chance.
  const still = (picture: string) => picture.replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '')
  expect(still(drawn)).toBe(still(readFileSync('docs/terminal.svg', 'utf8')))
})

describe.skipIf(sqliteByCinder.missing !== null)(titled(sqliteByCinder), () => {
  test("the demo's tables have the columns that Cinder makes", async () => {
    const columns = async (engine: typeof embedded) => {
      const database = await engine.create()
      await database.execute(
        "INSERT INTO services (id, report_count) VALUES (1, 0); INSERT INTO clusters (id, name, `binary`, race_preventer) VALUES (1, 'c', 'b', 0)",
      )
      const found = [await database.rows('services'), await database.rows('clusters')]
      await database.close()
      return found
    }
    expect(await columns(embedded)).toEqual(await columns(sqliteByCinder))
  })
})
