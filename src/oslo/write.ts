import { execFileSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AgentError, getErrorCode } from '../model/errors.js'
import type { OldCopy } from '../model/observation.js'
import { quote } from '../text/quote.js'
import { getOldCopyPath } from './old-copies.js'

export interface Replacement {
  readonly file: string
  /** What the file must still hold. */
  readonly before: Buffer
  readonly after: Buffer
  /** Make a dated copy beside the file. */
  readonly backup: boolean
  readonly section: string
  /** Keep the old content until removeOldCopy. */
  readonly keepsOldCopy: boolean
}

/**
 * Renames a synced copy, with the attributes of the file and the new content, over the file. A link stays a link. Returns the path of the
 * backup. Errors: config_write_failed (`unconfirmed` if the new content is in place), conflict if the file was changed in the meantime.
 */
export function replaceFile({ file, before, after, backup, section, keepsOldCopy }: Replacement): string | undefined {
  const made: string[] = []
  let real: string
  let saved: string | undefined
  try {
    real = realpathSync(file)
    requireOneName(file, real)
    removeLeftovers(real)
    const temporary = join(dirname(real), `${getPrefix(real)}${process.pid}`)
    made.push(temporary)
    copyWithAttributes(real, temporary)
    writeThrough(temporary, after)
    if (backup) {
      saved = chooseBackupName(real)
      made.push(saved)
      copyWithAttributes(real, saved)
    }
    if (!readFileSync(real).equals(before)) throw fileChangedError(file)
    if (keepsOldCopy) made.push(keepOldCopy(real, section))
    renameSync(temporary, real)
  } catch (error) {
    for (const path of made) rmSync(path, { force: true })
    throw error instanceof AgentError ? error : notWrittenError(file, error)
  }
  try {
    syncFile(dirname(real))
  } catch (error) {
    throw notSyncedError(file, saved, error)
  }
  return saved
}

/** Made whole under another name first: a run can be killed at any time. Returns its path. */
function keepOldCopy(real: string, section: string): string {
  const temporary = join(dirname(real), `${getPrefix(real)}${process.pid}-old`)
  const path = getOldCopyPath(real, section)
  try {
    copyWithAttributes(real, temporary)
    syncFile(temporary)
    renameSync(temporary, path)
    return path
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Returns the path of a copy that cannot be removed. */
export function removeOldCopy({ original, section }: Pick<OldCopy, 'original' | 'section'>): string | undefined {
  let path = getOldCopyPath(original, section)
  try {
    path = getOldCopyPath(realpathSync(original), section)
    rmSync(path, { force: true })
    return undefined
  } catch {
    return path
  }
}

/** Finds in advance why no old copy of the file can be kept. Errors: config_write_failed. */
export function requireOldCopy(file: string, section: string): void {
  let path = file
  try {
    path = getOldCopyPath(realpathSync(file), section)
    if (lstatSync(path).isDirectory()) throw new Error('a folder has its name')
  } catch (error) {
    if (getErrorCode(error) === 'ENOENT') return
    const cause = getErrorCode(error) === 'ENAMETOOLONG' ? 'the name is too long' : describeCause(error)
    const problem = `The old content of ${quote(file)} cannot be kept as ${quote(path, 400)}: ${cause}.`
    throw new AgentError('config_write_failed', problem, {
      hint: 'Make room for that name. It is kept until the promotion is finished, as proof of what the edit did.',
      cause: error,
    })
  }
}

/** Finds in advance what replaceFile would fail with. Errors: config_write_failed. */
export function requireWritable(file: string): void {
  try {
    const real = realpathSync(file)
    requireOneName(file, real)
    accessSync(dirname(real), constants.W_OK | constants.X_OK)
    if (isImmutable(real)) throw new Error('it is immutable (chattr +i)')
    if (isMountPoint(real))
      throw new Error('it is a mount point, which cannot be replaced; edit the file that is mounted there')
  } catch (error) {
    throw error instanceof AgentError ? error : notWrittenError(file, error)
  }
}

/** A file that is replaced leaves its hard links behind, with the old content. Errors: config_write_failed. */
function requireOneName(file: string, real: string): void {
  const { nlink } = statSync(real)
  if (nlink <= 1) return
  const problem = `${quote(file)} was not changed: it has ${nlink} names (hard links), and the others would keep the old content.`
  throw new AgentError('config_write_failed', problem, {
    hint: `Find the names with find / -samefile ${quote(real)}. Remove the others, or make them symbolic links.`,
  })
}

/** The kernel refuses root too, with EPERM instead of EACCES. */
function isImmutable(real: string): boolean {
  try {
    accessSync(real, constants.W_OK)
    return false
  } catch (error) {
    return getErrorCode(error) === 'EPERM'
  }
}

/** A container may have a single file mounted. proc(5), mountinfo: the fifth field, with octal escapes. */
function isMountPoint(real: string): boolean {
  if (!existsSync('/proc/self/mountinfo')) return false
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return points.some(
    (point) => point.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))) === real,
  )
}

/** A dated name that does not exist. */
function chooseBackupName(real: string): string {
  const dated = `${real}.${new Date()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')}`
  for (let count = 0; ; count++) {
    const name = `${dated}${count === 0 ? '' : `-${count}`}~`
    if (!existsSync(name)) return name
  }
}

function getPrefix(real: string): string {
  return `.${basename(real)}.cinder-backend-`
}

/** Copies of runs that were killed; the number at the end of a name is the process id. */
function removeLeftovers(real: string): void {
  for (const name of readdirSync(dirname(real))) {
    if (!name.startsWith(getPrefix(real))) continue
    const pid = Number.parseInt(name.slice(getPrefix(real).length), 10)
    if (pid === process.pid || !isAlive(pid)) rmSync(join(dirname(real), name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return getErrorCode(error) === 'EPERM'
  }
}

/** Also ACL, SELinux context and other attributes, which Node cannot copy. */
function copyWithAttributes(from: string, to: string): void {
  execFileSync('cp', ['--preserve=all', '--', from, to], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [one, other] = [statSync(from), statSync(to)]
  if (one.uid !== other.uid || one.gid !== other.gid || one.mode !== other.mode) {
    throw new Error('this user cannot keep its owner, group or mode')
  }
}

/** A file or a folder. */
function syncFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function writeThrough(path: string, content: Buffer): void {
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file)
    for (let done = 0; done < content.length; ) done += writeSync(file, content, done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function fileChangedError(file: string): AgentError {
  return new AgentError('conflict', `${quote(file)} was changed by another process during the edit.`, {
    hint: 'Run it again.',
  })
}

function notWrittenError(file: string, cause: unknown): AgentError {
  return new AgentError('config_write_failed', `${quote(file)} was not changed: ${describeCause(cause)}.`, {
    hint: 'Correct the permissions or the free space of its folder, then run it again.',
    cause,
  })
}

function notSyncedError(file: string, backup: string | undefined, cause: unknown): AgentError {
  const old = backup === undefined ? '' : ` The old content is in ${quote(backup)}.`
  return new AgentError(
    'config_write_failed',
    `${quote(file)} has the new content, but its folder was not synced to the disk: ${describeCause(cause)}.${old}`,
    { hint: 'Check the disk, then run it again.', unconfirmed: true, backup, cause },
  )
}

function describeCause(cause: unknown): string {
  const text =
    cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : cause instanceof Error ? cause.message : ''
  return /No space left|ENOSPC/.test(text) ? 'the disk is full' : quote(text.replace(/^cp: /, '')).trim()
}
