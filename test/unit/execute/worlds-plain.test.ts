import { expect, test } from 'vitest'
import { makeConf } from '../../support/world.js'
import {
  assertAll,
  DESIRED,
  FEW_STATES,
  GUARDS,
  listHostCases,
  makeHostWorld,
  makeRequest,
  PROMOTED,
  SERVICES,
  STATES,
} from '../../support/worlds.js'

test('on one host without a promotion, check mode foretells the run, the second run is empty, and a killed run is finished by the next', async () => {
  const { count, kills, outcomes } = await assertAll(listHostCases(STATES, { promoted: 'B' }, { file: PROMOTED }))
  expect(count).toBe(STATES.length * DESIRED.length * SERVICES.length * 2)
  expect(kills).toBeGreaterThan(1000)
  expect(outcomes).toEqual(['done', ...GUARDS.filter((code) => code !== 'not_failed_over')].sort())
})

test('the same, where nothing is stated and hands have left the section so or so', async () => {
  const { outcomes } = await assertAll(
    (function* () {
      for (const file of [makeConf('A', ['B']), makeConf('A', ['C']), PROMOTED])
        for (const state of FEW_STATES)
          for (const desired of DESIRED)
            for (const service of SERVICES)
              yield { world: makeHostWorld(state, 'stopped', { file }), request: makeRequest({ desired, service }) }
    })(),
  )
  expect(outcomes).toEqual(['done', 'failed_over', 'not_frozen', 'not_promoted'])
})
