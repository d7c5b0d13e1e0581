import { expect, test } from 'vitest'
import { MANAGERS } from '../../../src/service/managers.js'
import { getPackageName } from '../../../src/service/open.js'

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
  ['docker', 'restarting', 'changing'],
  ['docker', 'paused', 'changing'],
  ['podman', 'configured', 'stopped'],
  ['pacemaker', ' * c-vol (ocf:heartbeat:podman): Stopping c0', 'changing'],
  ['pacemaker', ' * c-vol (systemd:openstack-cinder-volume): FAILED c0', 'changing'],
  ['pacemaker', '  * Clone Set: c-vol-clone [c-vol]:\n    * Started: [ c0 c1 ]\n    * Stopped: [ c2 ]', 'started'],
] as const)('%s: %s is %s', (manager, output, expected) => {
  const control = MANAGERS[manager](
    { manager, name: 'it', state: 'started', timeout: 1, start: [], stop: [], status: [] },
    'cinder-volume',
  )
  expect(control.parseState({ status: 0, output, stderrTail: '' })).toBe(expected)
})
