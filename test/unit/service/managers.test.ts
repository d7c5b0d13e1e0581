import { expect, test } from 'vitest'
import type { Control } from '../../../src/service/control.js'
import { MANAGERS } from '../../../src/service/managers.js'
import { getPackageName } from '../../../src/service/open.js'

const control = (manager: keyof typeof MANAGERS): Control =>
  MANAGERS[manager](
    { manager, name: 'it', state: 'started', timeout: 1, start: [], stop: [], status: ['status'] },
    'cinder-volume',
  )
const answer = (output: string, status = 0) => ({ status, output, stderrTail: '' })

test.each([
  ['ID=debian\n', 'cinder-volume'],
  ['ID=ubuntu\nID_LIKE=debian\n', 'cinder-volume'],
  ['ID="rhel"\nID_LIKE="fedora"\n', 'openstack-cinder-volume'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'openstack-cinder-volume'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'openstack-cinder-volume'],
  ['PRETTY_NAME="not rhel"\nID=arch\n', 'cinder-volume'],
])('in the packages of %j the unit is %s', (release, expected) => {
  expect(getPackageName(release)).toBe(expected)
})

test.each([
  ['systemd', 'activating', 'changing'],
  ['systemd', 'reloading', 'started'],
  ['systemd', 'failed', 'stopped'],
  ['docker', 'running', 'started'],
  ['docker', 'restarting', 'changing'],
  ['docker', 'paused', 'changing'],
  ['docker', 'exited', 'stopped'],
  ['docker', 'created', 'stopped'],
  ['docker', 'dead', 'stopped'],
  ['podman', 'configured', 'stopped'],
  ['podman', 'exited', 'stopped'],
  ['podman', 'stopped', 'changing'],
  ['podman', 'stopping', 'changing'],
] as const)('%s: %s is %s', (manager, output, expected) => {
  expect(control(manager).parseReport(answer(`${output}\n`)).state).toBe(expected)
})

/** As pcs 0.11.5 prints them. */
const RESOURCES = {
  resource: (state: string) => `  * it\t(ocf:test:sim):\t ${state}`,
  member: (state: string) => `  * Resource Group: grp:\n    * it\t(ocf:test:sim):\t ${state}`,
  unique: (state: string) => `  * Clone Set: it-clone [it] (unique):\n    * it:0\t(ocf:test:sim):\t ${state}`,
  bundle: (state: string) =>
    `  * Container bundle: it [localhost/tiny:1]:\n    * it-podman-0\t(ocf:heartbeat:podman):\t ${state}`,
  older: (state: string) => ` it\t(systemd:openstack-cinder-volume):\t${state}`,
}

test.each(Object.entries(RESOURCES))('pacemaker: the state of a %s', (_, print) => {
  const report = (state: string) => control('pacemaker').parseReport(answer(`${print(state)}\n`))
  expect(report('Started n1').state).toBe('started')
  expect(report('Stopped (disabled)').state).toBe('stopped')
  // Starts again by itself, as after a standby.
  expect(report('Stopped').state).toBe('changing')
  expect(report('Starting n1').state).toBe('changing')
  expect(report('Stopping n1 (disabled)').state).toBe('changing')
  expect(report('FAILED n1').state).toBe('changing')
  // Pacemaker is about to stop it.
  expect(report('Started n1 (disabled)').state).toBe('changing')
  expect(report('Started n1 (unmanaged)')).toMatchObject({ state: 'started', obstacle: 'unmanaged' })
  expect(report('Started n1 (disabled, unmanaged)')).toMatchObject({ state: 'changing', obstacle: 'unmanaged' })
  expect(report('Stopped (disabled, unmanaged)')).toMatchObject({ state: 'stopped', obstacle: 'unmanaged' })
  expect(report('Stopped (unmanaged)')).toMatchObject({ state: 'changing', obstacle: 'unmanaged' })
  expect(report('FAILED n1 (disabled, blocked)')).toMatchObject({ state: 'changing', obstacle: 'blocked' })
})

test.each([
  ['  * Clone Set: it-clone [it]:\n    * Started: [ c0 c1 ]\n    * Stopped: [ c2 ]', 'started'],
  ['  * Clone Set: it-clone [it] (disabled):\n    * Stopped (disabled): [ n1 ]', 'stopped'],
  ['  * Clone Set: it-clone [it]:\n    * Stopped: [ n1 ]', 'changing'],
  ['  * Resource Group: it:\n    * a\t(o:t:s):\t Started n1\n    * b\t(o:t:s):\t Started n1', 'started'],
  ['  * Resource Group: it:\n    * a\t(o:t:s):\t Started n1\n    * b\t(o:t:s):\t Stopped (disabled)', 'changing'],
  ['  * Resource Group: it:\n    * a\t(o:t:s):\t Stopped (disabled)\n    * b\t(o:t:s):\t Stopped', 'changing'],
  [
    '  * Container bundle set: it [i]:\n    * it-0\t(o:t:s):\t Started n1\n    * it-1\t(o:t:s):\t Stopped (disabled)',
    'changing',
  ],
] as const)('pacemaker: %s is %s', (output, expected) => {
  expect(control('pacemaker').parseReport(answer(`${output}\n`)).state).toBe(expected)
})

test.each(['', '  * Clone Set: Started-Stopped-clone [Started-Stopped]:\n', '  * Stopped-it\t(ocf:test:sim):\n'])(
  'pacemaker: %j is no state',
  (output) => {
    expect(() => control('pacemaker').parseReport(answer(output))).toThrow('did not report a known state')
  },
)

test.each([
  ['started', 'Started n1 (unmanaged)', false],
  ['stopped', 'Started n1 (unmanaged)', true],
  ['started', 'Stopped (disabled, unmanaged)', true],
  ['stopped', 'Stopped (unmanaged)', false], // can be disabled all the same
  ['stopped', 'FAILED n1 (disabled, blocked)', true],
  ['started', 'FAILED n1 (disabled, blocked)', true],
  ['stopped', 'Started n1', false],
] as const)('pacemaker: to be %s, while it says %s', async (aim, state, refuses) => {
  const result = control('pacemaker').prepare?.(aim, async () => answer(RESOURCES.resource(state)))
  if (refuses) await expect(result).rejects.toMatchObject({ code: 'service_control_failed' })
  else await expect(result).resolves.toBeUndefined()
})

test.each([
  ['', false],
  ['inactive\ninactive\n', false],
  ['failed\ninactive\n', false],
  ['active\ninactive\n', true],
  ['inactive\nactivating\n', true],
] as const)('a container whose units are %j is refused, for they start it again: %j', async (output, refuses) => {
  const ask = async () => answer(output, 3)
  const result = control('docker').prepare?.('stopped', ask)
  if (refuses) await expect(result).rejects.toMatchObject({ code: 'service_control_failed' })
  else await expect(result).resolves.toBeUndefined()
  await expect(control('docker').prepare?.('started', ask)).resolves.toBeUndefined()
})

test('a container of a bundle is left to pacemaker', async () => {
  const control = MANAGERS.podman(
    { manager: 'podman', name: 'c-vol-podman-0', state: 'stopped', timeout: 1, start: [], stop: [], status: [] },
    'cinder-volume',
  )
  const bundle = RESOURCES.bundle('Started n1')
  const prepare = (output: string) =>
    control.prepare?.('stopped', async ([program]) => answer(program === 'pcs' ? output : 'inactive\ninactive\n'))
  await expect(prepare(bundle)).rejects.toMatchObject({ code: 'service_control_failed' })
  await expect(prepare('')).resolves.toBeUndefined()
})
