import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ResultDocument } from '../../src/model/contract.generated.js'
import { agent } from '../support/agent.js'
import { engines, type TableRow, type TestDatabase, titled } from '../support/databases.js'
import { runHere } from '../support/inprocess.js'

interface Expected {
  readonly changed: boolean
  readonly failed: boolean
  readonly code?: string
  readonly actions?: readonly (readonly string[])[]
  /** Guards that the warnings must name. */
  readonly warnings?: readonly string[]
  /** By table and id the columns that differ afterwards; every other one must be as it was. `"now"` is a time. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, TableRow>>>>
}

const folder = new URL('scenarios/', import.meta.url)
const scenarios = readdirSync(folder).sort()

describe.each(engines)('$name', (engine) => {
  describe.skipIf(engine.missing !== null)(titled(engine), () => {
    test.concurrent.for(scenarios)('%s', async (name) => {
      const database = await engine.create()
      try {
        await playScenario(name, database)
      } finally {
        await database.close()
      }
    })
  })
})

/** The run is a process, as a user starts one; before it check mode, and after it the same again, in this process. */
async function playScenario(name: string, database: TestDatabase): Promise<void> {
  const read = (file: string) => readFileSync(new URL(`${name}/${file}`, folder), 'utf8')
  const expected = JSON.parse(read('expected.json')) as Expected
  const request = { ...JSON.parse(read('request.json')), connection: database.connection }
  await database.execute(read('seed.sql'))
  const before = await snapshot(database)

  const check = await runHere(request, true)
  expect(await snapshot(database)).toEqual(before)

  const started = Date.now()
  const { result, status } = await agent(request)
  expect(result).toMatchObject({ changed: expected.changed, failed: expected.failed })
  expect(status).toBe(expected.failed ? 1 : 0)
  expect(result.error?.code).toBe(expected.code)
  if (expected.actions) expect(result.backends.map(({ actions }) => actions)).toEqual(expected.actions)
  for (const guard of expected.warnings ?? []) expect(result.warnings.join('\n')).toContain(guard)
  expectRows(await snapshot(database), before, expected, started)
  expect(foretold(check)).toEqual(foretold(result))

  const again = await runHere(request)
  expect(again).toMatchObject({ changed: false, failed: expected.failed })
}

async function snapshot(database: TestDatabase) {
  return { services: await database.rows('services'), clusters: await database.rows('clusters') }
}

type Snapshot = Awaited<ReturnType<typeof snapshot>>

function expectRows(after: Snapshot, before: Snapshot, { rows }: Expected, started: number): void {
  for (const table of ['services', 'clusters'] as const) {
    for (const [index, row] of before[table].entries()) {
      const { modified_at, ...changes } = rows[table]?.[String(row['id'])] ?? {}
      const written = after[table][index] ?? {}
      if (modified_at === 'now') {
        const stamp = Date.parse(`${String(written['modified_at']).replace(' ', 'T')}Z`)
        expect(Math.abs(stamp - started)).toBeLessThan(30_000)
        expect(written).toEqual({ ...row, ...changes, modified_at: written['modified_at'] })
      } else {
        expect(written).toEqual({ ...row, ...changes, ...(modified_at !== undefined && { modified_at }) })
      }
    }
    expect(after[table]).toHaveLength(before[table].length)
  }
}

/** What check mode must tell as the run does: all but the time that has gone by, and the mood of the verbs. */
function foretold({ changed, failed, backends, warnings, error }: ResultDocument) {
  const ageless = backends.map(({ heartbeat_age: _, members, ...rest }) => ({
    ...rest,
    members: members?.map(({ heartbeat_age: __, ...member }) => member),
  }))
  const timeless = (text: string) => text.replace(/\d+ s/g, 'N s')
  return { changed, failed, backends: ageless, warnings: warnings.map(timeless), code: error?.code }
}
