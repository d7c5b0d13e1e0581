import { expect, test } from 'vitest'
import { makeConf } from '../../support/world.js'
import {
  assertAll,
  DESIRED,
  FAILED_OVER,
  FEW_STATES,
  GUARDS,
  makeHostWorld,
  makeRequest,
  SERVICES,
} from '../../support/worlds.js'

/** What hands, tools and runs before this one can have left in the section. */
const SECTIONS: readonly (readonly [primary: string, replicas: readonly string[]])[] = [
  ['A', ['B']],
  ['A', ['B', 'Z']],
  ['A', ['Z']],
  ['A', ['C']],
  ['B', ['C']],
  ['B', ['C', 'Z']],
]

test('whatever the section has, check mode foretells the run, the second run is empty, and a killed run is finished by the next', async () => {
  const states = [...FEW_STATES, { ...FAILED_OVER, active_backend_id: 'Z' }]
  const { count, outcomes } = await assertAll(
    (function* () {
      for (const [primary, replicas] of SECTIONS)
        for (const state of states)
          for (const desired of DESIRED)
            for (const service of SERVICES)
              for (const promote of ['B', 'Z', undefined])
                for (const promoted of promote === 'Z' ? [undefined] : [undefined, 'B'])
                  yield {
                    world: makeHostWorld(state, 'stopped', { file: makeConf(primary, replicas) }),
                    request: makeRequest({ desired, service, promote, promoted }),
                  }
    })(),
  )
  expect(count).toBe(SECTIONS.length * states.length * DESIRED.length * SERVICES.length * 5)
  expect(outcomes).toEqual(
    [...GUARDS.filter((code) => !/progress|service_up/.test(code)), 'done', 'invalid_request'].sort(),
  )
})
