import { expect, test } from 'vitest'
import { requireSamePlan } from '../../../src/frontends/cli/same-plan.js'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Plan, Step } from '../../../src/model/plan.js'
import { planConfig } from '../../../src/plan/config.js'
import { makePlan } from '../../../src/plan/plan.js'
import { makeConf, observeWorld, runInWorld } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeHostWorld } from '../../support/worlds.js'

const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const PROMOTION = {
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  service: { manager: 'systemd', state: 'started' },
  config: { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] },
}

async function planFor(state: BackendState, file = makeConf('A', ['B']), document: object = PROMOTION): Promise<Plan> {
  const request = ask(document)
  return makePlan(request, await observeWorld(makeHostWorld(state, 'started', { file }), request), planConfig)
}

/** The code with which the second plan is refused after the first was shown. */
function judge(first: Plan, second: Plan, done: readonly Step[] = []): string | undefined {
  const approve = requireSamePlan()
  approve(first, [])
  try {
    approve(second, done)
    return undefined
  } catch (error) {
    if (error instanceof AgentError) return error.code
    throw error
  }
}

const shown = await planFor(UNFROZEN)
const [step] = shown.steps
if (step === undefined) throw new Error('a plan without steps')

test('the same plan passes, and so does one with nothing left', async () => {
  expect(judge(shown, await planFor(UNFROZEN))).toBeUndefined()
  expect(judge(shown, { ...shown, steps: [] })).toBeUndefined()
})

test.each<readonly [string, Promise<Plan>]>([
  ['another array', planFor({ ...UNFROZEN, active_backend_id: 'Z' })],
  ['another reason', planFor({ ...UNFROZEN, disabled_reason: 'disk swap' })],
  ['another content of the file', planFor(UNFROZEN, makeConf('Y', ['B']))],
])('%s does not pass', async (_, second) => {
  expect(judge(shown, await second)).toBe('conflict')
})

test('a row that changed where nothing is written does not pass', async () => {
  const freeze = (state: BackendState) => planFor(state, undefined, { frozen: true })
  const before = await freeze(HEALTHY)
  expect(judge(before, await freeze(HEALTHY))).toBeUndefined()
  expect(judge(before, await freeze({ ...HEALTHY, replication_status: 'disabled' }))).toBe('conflict')
})

test('less than was shown passes once a step was done, and not before', () => {
  const less = { ...shown, steps: shown.steps.slice(1) }
  expect(judge(shown, less)).toBe('conflict')
  expect(judge(shown, less, [step])).toBeUndefined()
})

test('another effect than was shown does not pass after a step either', async () => {
  expect(judge(shown, await planFor({ ...UNFROZEN, active_backend_id: 'Z' }), [step])).toBe('conflict')
  expect(judge(shown, await planFor(UNFROZEN, makeConf('Y', ['B'])), [step])).toBe('conflict')
})

test('the run itself plans nothing else than it has shown', async () => {
  for (const state of [UNFROZEN, FAILED_OVER]) {
    const { journal } = await runInWorld(makeHostWorld(state, 'started'), ask(PROMOTION), {
      approve: requireSamePlan(),
    })
    expect(journal.error).toBeUndefined()
  }
})
