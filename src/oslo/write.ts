import { execFileSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
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
import { quote } from '../text/quote.js'

export interface Replacement {
  readonly file: string
  /** What the file must still hold. */
  readonly before: Buffer
  readonly after: Buffer
  /** Leave a dated copy beside it. */
  readonly backup: boolean
}

/**
 * Puts the new content in the place of the old at once: a copy beside it that has everything of the file's but the content, written through,
 * and renamed. A link stays a link. Returns the path of the backup. Errors: config_write_failed, conflict where somebody else changed the file.
 */
export function replaceFile({ file, before, after, backup }: Replacement): string | undefined {
  let temporary: string | undefined
  let saved: string | undefined
  try {
    const real = realpathSync(file)
    removeStale(real)
    temporary = join(dirname(real), `${prefixOf(real)}${process.pid}`)
    copy(real, temporary)
    write(temporary, after)
    if (backup) {
      saved = backupName(real)
      copy(real, saved)
    }
    if (!readFileSync(real).equals(before)) throw conflict(file)
    renameSync(temporary, real)
    sync(dirname(real))
    return saved
  } catch (error) {
    for (const made of [temporary, saved]) if (made !== undefined) rmSync(made, { force: true })
    throw error instanceof AgentError ? error : failed(file, error)
  }
}

/** Before anything else is done that the edit is a part of. Errors: config_write_failed where it is foreseeable. */
export function mustBeWritable(file: string): void {
  try {
    const real = realpathSync(file)
    accessSync(dirname(real), constants.W_OK | constants.X_OK)
    if (isImmutable(real)) throw new Error('it is immutable (chattr +i)')
    if (isMountPoint(real))
      throw new Error('it is mounted by itself, so it cannot be replaced; edit what is mounted there')
  } catch (error) {
    throw failed(file, error)
  }
}

/** Then the kernel refuses its owner, and root, what their rights would let them do. */
function isImmutable(real: string): boolean {
  try {
    accessSync(real, constants.W_OK)
    return false
  } catch (error) {
    return getErrorCode(error) === 'EPERM'
  }
}

/** As a container has a file of its host's; proc(5), mountinfo: the fifth field, with octal escapes. */
function isMountPoint(real: string): boolean {
  if (!existsSync('/proc/self/mountinfo')) return false
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return points.some(
    (point) => point.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))) === real,
  )
}

/** Dated, and not one that is there already. */
function backupName(real: string): string {
  const dated = `${real}.${new Date()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')}`
  for (let count = 0; ; count++) {
    const name = `${dated}${count === 0 ? '' : `-${count}`}~`
    if (!existsSync(name)) return name
  }
}

function prefixOf(real: string): string {
  return `.${basename(real)}.cinder-backend-`
}

/** What runs that were killed left behind; the number at the end is that of their process. */
function removeStale(real: string): void {
  for (const name of readdirSync(dirname(real))) {
    if (!name.startsWith(prefixOf(real))) continue
    const pid = Number(name.slice(prefixOf(real).length))
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

/** With owner, mode, ACL, SELinux context and other attributes, of which Node can copy only the first two. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['--preserve=all', '--', from, to], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [one, other] = [statSync(from), statSync(to)]
  if (one.uid !== other.uid || one.gid !== other.gid || one.mode !== other.mode) {
    throw new Error('its owner, group or mode cannot be kept by this user')
  }
}

function write(path: string, content: Buffer): void {
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file)
    for (let done = 0; done < content.length; ) done += writeSync(file, content, done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function sync(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function conflict(file: string): AgentError {
  return new AgentError('conflict', `${quote(file)} was changed by somebody else at the same time.`, {
    hint: 'Run it again.',
  })
}

function failed(file: string, cause: unknown): AgentError {
  const said =
    cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : cause instanceof Error ? cause.message : ''
  const why = /No space left|ENOSPC/.test(said) ? 'the disk is full' : quote(said.replace(/^cp: /, '')).trim()
  return new AgentError('config_write_failed', `${quote(file)} could not be written: ${why}. It is as it was.`, {
    hint: 'Give the agent the rights and the room that it needs there, then run it again.',
    cause,
  })
}
