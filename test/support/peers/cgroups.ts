import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where cgroup2 is mounted. */
export function findCgroups(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]
}

/** Whether a service manager can be given namespaces and a control group of its own: root in a container often may not. */
export function canIsolate(): boolean {
  const unshare = [
    '--fork',
    '--pid',
    '--mount',
    '--cgroup',
    '--net',
    '--mount-proc',
    'mount',
    '-t',
    'tmpfs',
    'tmpfs',
    '/mnt',
  ]
  if (spawnSync('unshare', unshare, { stdio: 'ignore' }).status !== 0) return false
  try {
    rmdirSync(mkdtempSync(join(findCgroups() ?? '/nowhere', 'cinder-backend-test-')))
    return true
  } catch {
    return false
  }
}
