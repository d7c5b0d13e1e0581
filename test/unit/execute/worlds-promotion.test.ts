import { expect, test } from 'vitest'
import { assertAll, DESIRED, FEW_STATES, GUARDS, listHostCases, SERVICES, STATES } from '../../support/worlds.js'

test('on one host with a promotion, check mode foretells the run, the second run is empty, and a killed run is finished by the next', async () => {
  const { count, kills, outcomes } = await assertAll(listHostCases(STATES, { promote: 'B' }))
  expect(count).toBe(STATES.length * DESIRED.length * SERVICES.length * 2)
  expect(kills).toBeGreaterThan(1000)
  expect(outcomes).toEqual(['done', ...GUARDS].sort())
})

test('the same where the old copy cannot be removed', async () => {
  const { outcomes } = await assertAll(listHostCases(FEW_STATES, { promote: 'B' }, { keepsCopies: true }))
  expect(outcomes).toContain('done')
})
