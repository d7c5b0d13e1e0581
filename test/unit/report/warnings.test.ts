import { expect, test } from 'vitest'
import type { BackendState } from '../../../src/model/backend.js'
import { makeResult } from '../../../src/report/result.js'
import { makeConf, runInWorld, type World } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeHostWorld } from '../../support/worlds.js'

const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const started = { service: { manager: 'systemd', state: 'started' } }
const stopped = { service: { manager: 'systemd', state: 'stopped' } }
const reset = { active_backend: 'reset' }
const two = makeConf('A', ['B']).replace('enabled_backends = arrayA', 'enabled_backends = arrayA,arrayQ')
const disabled = makeConf('A', ['B']).replace('enabled_backends = arrayA', 'enabled_backends = arrayQ')
const EDIT = { config: { options: { san_ip: 'ip-X' } } }

async function warningsOf(world: World, document: object): Promise<readonly string[]> {
  const { journal } = await runInWorld(world, ask(document, true))
  expect(journal.error).toBeUndefined()
  return makeResult(journal, { audience: 'request' }).warnings
}
const PROMOTED = { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] }
const down = (state: BackendState, file = makeConf('A', ['B'])) => makeHostWorld(state, 'stopped', { file })
const up = (state: BackendState, file = makeConf('A', ['B'])) => makeHostWorld(state, 'started', { file })

// What the one warning must hold; undefined: there is none.
test.each<readonly [string, World, object, string | undefined]>([
  ['a reset that nothing proves', down(FAILED_OVER, makeConf('B', ['C'])), reset, '[arrayA]'],
  ['a reset that is stated', down(FAILED_OVER, makeConf('B', ['C'])), { ...reset, promoted: 'B' }, undefined],
  [
    'a reset of one that is not frozen, and is not to be',
    down({ ...FAILED_OVER, frozen: false }, makeConf('B', ['C'])),
    { ...reset, frozen: false, promoted: 'B' },
    'not frozen',
  ],
  [
    'an option that is left to the old primary',
    down(FAILED_OVER),
    { ...reset, config: { options: { san_ip: 'ip-B' }, replication_device: [{ backend_id: 'C', san_ip: 'ip-C' }] } },
    'pure_api_token',
  ],
  [
    'replication of a section without a replica',
    down({ ...HEALTHY, replication_status: 'disabled' }, makeConf('A', [])),
    { replication: 'enabled' },
    'replication_device',
  ],
  ['a reset whose edit takes it out', down(FAILED_OVER), { ...reset, frozen: true, config: PROMOTED }, undefined],
  ['a stop of a service that has other backends', up(HEALTHY, two), stopped, 'arrayQ'],
  ['a start of a service that has other backends', down(HEALTHY, two), started, undefined],
  ['a start on an edited section without a reset', down(FAILED_OVER), { ...started, ...EDIT }, '{reset}'],
  ['a start on an edited section', down(HEALTHY), { ...started, ...EDIT }, undefined],
  [
    'replication without a wait',
    down(HEALTHY),
    { ...started, replication: 'enabled', wait: false },
    'replication_status',
  ],
  ['replication with a wait', down(HEALTHY), { ...started, replication: 'enabled' }, undefined],
  ['a start of a service that does not serve the backend', down(HEALTHY, disabled), started, '(arrayQ)'],
  ['a service that does not serve the backend, and stays', up(HEALTHY, disabled), started, undefined],
  ['an edit of a section that is not served', down(HEALTHY, disabled), EDIT, '(arrayQ)'],
  [
    'a thaw of what an admin disabled',
    down({ ...FROZEN, disabled_reason: 'disk swap' }),
    { frozen: false },
    'disk swap',
  ],
  ['a thaw', down(FROZEN), { frozen: false }, undefined],
  [
    'a reset after a failover that ended in an error',
    down({ ...FAILED_OVER, replication_status: 'failover-error' }, makeConf('B', [])),
    { ...reset, promoted: 'B' },
    'vol1@arrayA',
  ],
  [
    'a promotion that is thawed without a start',
    down(FAILED_OVER),
    { ...reset, frozen: false, config: PROMOTED },
    'vol1@arrayA',
  ],
  ['columns that are set directly', down(HEALTHY), { active_backend_id: 'Z', force: true }, 'active_backend_id'],
  ['columns that are as wanted', down(HEALTHY), { active_backend_id: null, force: true }, undefined],
])('%s', async (_, world, document, part) => {
  const warnings = await warningsOf(world, document)
  expect(warnings).toHaveLength(part === undefined ? 0 : 1)
  if (part !== undefined) expect(warnings[0]).toContain(part.replace('{reset}', 'active_backend: reset'))
})
