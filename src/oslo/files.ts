import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AgentError, getErrorCode } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'
import { hasSection } from './ini.js'

/** The files to read; undefined: the default ones. */
export interface FileSelection {
  readonly config_file?: readonly string[] | undefined
  readonly config_dir?: readonly string[] | undefined
  /** Whether the service's manager has named them: cinder-volume reads no others. */
  readonly isTold?: boolean
  /** Whether the default ones may be those of the caller too. */
  readonly searchesHome?: boolean
  /** Whether the request is about the service, so that a file counts only if cinder-volume reads it. */
  readonly isForService?: boolean
  /** Why it is not known whether cinder-volume reads these files. */
  readonly doubt?: string | undefined
}

/**
 * Reads the files that cinder-volume reads, in its order: those of --config-file, then those of --config-dir, each of which replaces its own
 * defaults (oslo_config/cfg.py, find_config_files and find_config_dirs). Errors: config_error for a file that cannot be read.
 */
export function readConfigFiles(selection: FileSelection, env: NodeJS.ProcessEnv): readonly SourceFile[] {
  const home = env['HOME'] ?? '/root'
  const given = (paths: readonly string[]) => paths.map((path) => resolve(path.replace(/^~(?=\/|$)/, home)))
  const { config_file, config_dir, searchesHome } = selection
  const places = listDefaultFolders(env, readServiceHome(), searchesHome === true ? home : undefined)
  const files = config_file ? given(config_file) : findDefaultPaths('.conf', places)
  const folders = config_dir ? given(config_dir) : findDefaultPaths('.conf.d', places)
  return [...files, ...folders.flatMap(listConfFiles)].map(loadFile)
}

/** A section's file, by the path that the request has for it. */
interface NamedFile {
  readonly path: string
  /** undefined: the request names none. */
  readonly section: string | undefined
}

/**
 * The same, with the named file by that path. Without a service and without other files by the request nobody says what cinder-volume reads: then a file
 * that is not a default one, such as a container's copy, is read alone. Errors: config_error, also if cinder-volume does not read the file.
 */
export function readConfigFilesWith(
  named: NamedFile | undefined,
  selection: FileSelection,
  env: NodeJS.ProcessEnv,
): readonly SourceFile[] {
  const files = readConfigFiles(selection, env)
  if (named === undefined || selection.doubt !== undefined) return files
  const own = loadFile(named.path)
  const known = files.find((each) => isSameFile(each.path, named.path))
  if (known !== undefined) return files.map((file) => (file === known ? own : file))
  requireUnread(named, files, selection)
  return [own]
}

/** An edit of a file that cinder-volume does not read would have no effect: it would start on the old primary. */
function requireUnread(
  { path, section }: NamedFile,
  files: readonly SourceFile[],
  { isTold, isForService, config_file, config_dir }: FileSelection,
): void {
  const isListed = isTold === true || isForService === true || config_file !== undefined || config_dir !== undefined
  const reads = isListed ? files : files.filter((file) => section !== undefined && hasSection(file, section))
  if (!isListed && reads.length === 0) return
  const places = reads.map((each) => quote(each.path)).join(', ') || 'not known'
  const what = isListed ? 'its files are' : `it reads [${quote(section ?? '')}] from`
  throw new AgentError('config_error', `cinder-volume does not read ${quote(path)}: ${what} ${places}.`, {
    hint: isTold
      ? 'Set {file} to one of them.'
      : 'Set {file} to the file that it reads. If cinder-volume reads the other one, name all its files with {config_file}.',
  })
}

/** Where oslo.config searches (oslo_config/cfg.py, _get_config_dirs), for the user that cinder-volume runs as; the caller's home comes last. */
function listDefaultFolders(
  env: NodeJS.ProcessEnv,
  serviceHome: string | undefined,
  callerHome: string | undefined,
): readonly string[] {
  const snaps = [env['SNAP_COMMON'], env['SNAP']].flatMap((snap) => (snap ? [join(snap, 'etc/cinder')] : []))
  const within = (home: string | undefined) => (home ? [join(home, '.cinder'), home] : [])
  return [...within(serviceHome), '/etc/cinder', '/etc', ...snaps, ...within(callerHome)]
}

/** The home of the system user that cinder-volume runs as, by passwd(5). */
function readServiceHome(): string | undefined {
  try {
    return /^cinder:(?:[^:\n]*:){4}([^:\n]*)/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

function findDefaultPaths(extension: string, folders: readonly string[]): readonly string[] {
  return ['cinder', 'cinder-volume'].flatMap((name) => {
    const candidates = folders.map((folder) => join(folder, name + extension))
    return candidates.find((path) => existsSync(path)) ?? []
  })
}

/** As `sorted(glob('*.conf'))` does. */
function listConfFiles(folder: string): readonly string[] {
  return translateReadErrors(folder, () => readdirSync(folder))
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort(compareCodePoints)
    .map((name) => join(folder, name))
}

function compareCodePoints(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** Whether two paths are one file, also through links. */
function isSameFile(one: string, other: string): boolean {
  return one === other || (existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other))
}

function loadFile(path: string): SourceFile {
  const bytes = translateReadErrors(path, () => readFileSync(path))
  return { path, bytes, text: bytes.toString('utf8') }
}

function translateReadErrors<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new AgentError('config_error', `${quote(path)} cannot be read (${getErrorCode(error) ?? 'unknown error'}).`, {
      hint: 'Correct {config_file} or {config_dir}, or set {connection}.',
    })
  }
}
