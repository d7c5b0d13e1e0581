import { expect, test } from 'vitest'
import { makePrintable } from '../../../src/frontends/cli/printable.js'
import { renderStatus } from '../../../src/frontends/cli/status.js'
import type { BackendState } from '../../../src/model/contract.generated.js'

const PIPE = {
  width: Number.POSITIVE_INFINITY,
  isTerminal: false,
  canErase: false,
  style: (_: string, text: string) => text,
}
const HEALTHY: BackendState = {
  disabled: false,
  disabled_reason: null,
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: false,
}

function renderRunsOn(change: Partial<BackendState>): string | undefined {
  const state = { ...HEALTHY, ...change }
  const backend = { host: 'vol1@arrayA', binary: 'cinder-volume', changed: false } as const
  const text = renderStatus(
    makePrintable({
      changed: false,
      failed: false,
      msg: '',
      backends: [{ ...backend, actions: [], before: state, after: state, state: 'up', heartbeat_age: 1 }],
      warnings: [],
    }),
    PIPE,
    'blocks',
  )
  return /runs on: +(.*)/.exec(text)?.[1]
}

test.each<[string, Partial<BackendState>]>([
  ['primary', {}],
  ['primary', { active_backend_id: '' }],
  ['primary', { replication_status: null }],
  ['arrayB', { active_backend_id: 'arrayB', replication_status: 'failed-over' }],
  ['arrayB', { active_backend_id: 'arrayB', replication_status: 'failover-error' }],
  ['unknown', { replication_status: 'failover-error' }],
  ['unknown', { replication_status: 'failing-over', active_backend_id: '' }],
  ['unknown', { replication_status: 'error' }],
])('a backend runs on %s if its row has %j', (array, change) => {
  expect(renderRunsOn(change)).toBe(array)
})

test('a row that a thaw has left disabled is marked, of a cluster and of a member', () => {
  const half = { ...HEALTHY, disabled: true, disabled_reason: 'frozen' }
  const render = (cluster: BackendState, member: BackendState) => {
    const row = { state: 'up', heartbeat_age: 1 } as const
    const members = [{ host: 'vol1@arrayA', before: member, after: member, ...row }]
    const backend = { cluster: 'c1@arrayA', binary: 'cinder-volume', changed: false, actions: [], members } as const
    return renderStatus(
      makePrintable({
        changed: false,
        failed: false,
        msg: '',
        backends: [{ ...backend, actions: [], members, before: cluster, after: cluster, ...row }],
        warnings: [],
      }),
      { ...PIPE, isTerminal: true },
      'table',
    )
  }
  expect(render(half, HEALTHY)).toMatch(/c1@arrayA \(cluster\) ! .*half-thawed[^!]*vol1@arrayA +up/)
  expect(render(HEALTHY, half)).toMatch(/c1@arrayA \(cluster\) +up[^!]*vol1@arrayA ! .*half-thawed/)
  expect(render(half, half)).toContain('cinder-backend thaw')
  const frozen = { ...half, frozen: true }
  const byAdmin = { ...half, disabled_reason: 'disk swap' }
  for (const state of [HEALTHY, frozen, byAdmin]) expect(render(state, state)).not.toContain('half-thawed')
})
