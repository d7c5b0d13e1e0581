import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withMounts } from '../mounts.js'

const succeeds = ([program = '', ...args]: readonly string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** Whether a folder can be put in the place of another one for a program, which a container may forbid. */
export function canMountOver(): boolean {
  return succeeds(withMounts({ '/etc': tmpdir() }, ['true']))
}

/** Whether a file system can be mounted, as root. */
export function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
  const isMounted = succeeds(['mount', '-t', 'tmpfs', 'tmpfs', place])
  if (isMounted) succeeds(['umount', place])
  rmdirSync(place)
  return isMounted
}

/** Whether chattr(1) works where the tests have their files. */
export function canMakeImmutable(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const isImmutable = succeeds(['chattr', '+i', file])
  if (isImmutable) succeeds(['chattr', '-i', file])
  rmSync(folder, { recursive: true })
  return isImmutable
}
