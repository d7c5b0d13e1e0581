import { expect, test } from 'vitest'
import { controlOf } from '../../../src/service/managers.js'
import { namesAsRedHat } from '../../../src/service/open.js'

test.each([
  ['ID=debian\n', false],
  ['ID=ubuntu\nID_LIKE=debian\n', false],
  ['ID="rhel"\nID_LIKE="fedora"\n', true],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', true],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', true],
  ['PRETTY_NAME="not rhel"\nID=arch\n', false],
])('%j names its packages as Red Hat does: %s', (release, expected) => {
  expect(namesAsRedHat(release)).toBe(expected)
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
  const control = controlOf(
    { manager, name: 'it', state: 'started', timeout: 1, start: [], stop: [], status: [] },
    manager,
    false,
  )
  expect(control.read({ status: 0, output, said: '' })).toBe(expected)
})
