import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AgentError, getErrorCode } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'

/** The files to read; undefined: the default ones. */
export interface FileSelection {
  readonly config_file?: readonly string[]
  readonly config_dir?: readonly string[]
}

/**
 * Reads the files that cinder-volume reads, in its order: those of --config-file, then those of --config-dir, each of which replaces its own
 * defaults (oslo_config/cfg.py, find_config_files and find_config_dirs). Errors: config_error for a file that cannot be read.
 */
export function readConfigFiles(selection: FileSelection, env: NodeJS.ProcessEnv): readonly SourceFile[] {
  const home = env['HOME'] ?? '/root'
  const given = (paths: readonly string[]) => paths.map((path) => resolve(path.replace(/^~(?=\/|$)/, home)))
  const files = selection.config_file ? given(selection.config_file) : findDefaultPaths('.conf', home, env)
  const folders = selection.config_dir ? given(selection.config_dir) : findDefaultPaths('.conf.d', home, env)
  return [...files, ...folders.flatMap(listConfFiles)].map(loadFile)
}

/** The same, with the file at `path` by that path. A file that Cinder does not read, such as a container's copy, is read alone. */
export function readConfigFilesWith(
  path: string | undefined,
  selection: FileSelection,
  env: NodeJS.ProcessEnv,
): readonly SourceFile[] {
  const files = readConfigFiles(selection, env)
  if (path === undefined) return files
  const known = files.find((each) => isSameFile(each.path, path))
  const named = loadFile(path)
  return known ? files.map((file) => (file === known ? named : file)) : [named]
}

function findDefaultPaths(extension: string, home: string, env: NodeJS.ProcessEnv): readonly string[] {
  const snaps = [env['SNAP_COMMON'], env['SNAP']].flatMap((snap) => (snap ? [join(snap, 'etc/cinder')] : []))
  const folders = [join(home, '.cinder'), home, '/etc/cinder', '/etc', ...snaps]
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
