import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../support/agent.js'
import { engines, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, service } from '../support/rows.js'

describe.each(engines)('$name', (engine) => {
  describe.skipIf(engine.missing !== null)(titled(engine), () => {
    let database: TestDatabase
    beforeEach(async () => {
      database = await engine.create()
    })
    afterEach(() => database.close())

    test('of 20 agents at once with the same request, exactly one changes the row and none fails', async () => {
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
      const request = {
        host: 'vol1@arrayA',
        active_backend: 'reset',
        replication: 'enabled',
        connection: database.connection,
      }
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => agent(request)))
      expect(outcomes.filter(({ result }) => result.failed).map(({ result }) => result.msg)).toEqual([])
      expect(outcomes.filter(({ result }) => result.changed)).toHaveLength(1)
    })

    test('20 agents at once that each freeze or thaw all of three backends settle without a failure', async () => {
      await database.execute([1, 2, 3].map((id) => service(id, `vol${id}@arrayA`)).join(''))
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const backends = [1, 2, 3].map((id) => ({ host: `vol${index % 2 ? id : 4 - id}@arrayA` }))
          return agent({ backends, frozen: index % 2 === 0, connection: database.connection })
        }),
      )
      expect(outcomes.filter(({ result }) => result.failed).map(({ result }) => result.msg)).toEqual([])
      const rows = await database.rows('services')
      expect(new Set(rows.map(({ frozen, disabled }) => `${frozen} ${disabled}`)).size).toBe(1)
    })
  })
})
