import { expect, test } from 'vitest'
import {
  assertAll,
  DESIRED,
  FEW_STATES,
  GUARDS,
  makeHostWorld,
  makeRequest,
  SERVICES,
  STATES,
} from '../../support/worlds.js'

test('on one host with a promotion, check mode foretells the run, the second run is empty, and a killed run is finished by the next', async () => {
  const { count, kills, outcomes } = await assertAll(
    (function* () {
      for (const state of STATES)
        for (const desired of DESIRED)
          for (const service of SERVICES)
            for (const running of ['started', 'stopped'] as const)
              yield {
                world: makeHostWorld(state, running),
                request: makeRequest({ desired, service, promote: 'B' }),
              }
    })(),
  )
  expect(count).toBe(STATES.length * DESIRED.length * SERVICES.length * 2)
  expect(kills).toBeGreaterThan(1000)
  expect(outcomes).toEqual(['done', 'invalid_request', ...GUARDS].sort())
})

test('the same where the old copy cannot be removed', async () => {
  const { outcomes } = await assertAll(
    (function* () {
      for (const state of FEW_STATES)
        for (const desired of DESIRED)
          for (const service of SERVICES)
            for (const running of ['started', 'stopped'] as const)
              yield {
                world: makeHostWorld(state, running, { keepsCopies: true }),
                request: makeRequest({ desired, service, promote: 'B' }),
              }
    })(),
  )
  expect(outcomes).toContain('done')
})
