import { describe, expect, test } from 'vitest'
import { agent } from '../support/agent.js'
import { engines, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, service } from '../support/rows.js'

const env = { OS_DEFAULT__REPORT_INTERVAL: '1' }

/** A time so many seconds ago, as Cinder writes it. */
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString().replace('T', ' ').slice(0, 19)

/** Beats five times a second, with a clock that is 300 s behind, while the work is done. */
async function whileBeating(database: TestDatabase, work: () => Promise<void>): Promise<void> {
  let beat: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    beat = beat.then(() =>
      database.execute(`UPDATE services SET report_count = report_count + 1, updated_at = '${ago(300)}' WHERE id = 2`),
    )
  }, 200)
  try {
    await work()
  } finally {
    clearInterval(timer)
    await beat
  }
}

describe.each(engines)('$name', (engine) => {
  test.skipIf(engine.missing !== null)(
    `${titled(engine)}: of two backends with a heartbeat 300 s ago the one that beats is found, in check mode too`,
    async () => {
      const database = await engine.create()
      const old = { ...FAILED_OVER, updated_at: ago(300) }
      await database.execute(service(1, 'vol1@arrayA', old) + service(2, 'vol2@arrayA', old))
      const readStates = async () =>
        (await database.rows('services')).map(({ updated_at: _, report_count: __, ...row }) => row)
      const before = await readStates()
      const request = {
        connection: database.connection,
        backends: [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }],
        active_backend: 'reset',
      }
      await whileBeating(database, async () => {
        for (const args of [['--check'], []]) {
          const { result } = await agent(request, { args, env })
          expect(result).toMatchObject({
            changed: false,
            error: { code: 'service_up', host: 'vol2@arrayA' },
            backends: [{ state: 'down' }, { state: 'up' }],
          })
          expect(result.warnings).toContainEqual(
            expect.stringMatching(/clock .*vol2@arrayA is about (29\d|30\d) s behind/),
          )
        }
      })
      expect(await readStates()).toEqual(before)
      const [, silent] = await database.rows('services')
      const { result } = await agent(request, { env })
      expect(result).toMatchObject({ changed: true, failed: false, backends: [{ state: 'down' }, { state: 'down' }] })
      const [, after] = await database.rows('services')
      expect(after).toMatchObject({ active_backend_id: null, updated_at: silent?.['updated_at'] })
      await database.close()
    },
  )
})
