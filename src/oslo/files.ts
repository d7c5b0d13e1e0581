import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AgentError, getErrorCode } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'

/** Which files to read; what is undefined stands for the default. */
export interface FileSelection {
  readonly config_file?: readonly string[]
  readonly config_dir?: readonly string[]
}

/**
 * The files that cinder-volume would read, in its order: those of --config-file, then those of --config-dir, each of them standing in for
 * its own defaults (oslo_config/cfg.py, find_config_files and find_config_dirs).
 * Errors: config_error for one that was asked for and cannot be read.
 */
export function configFiles(selection: FileSelection, env: NodeJS.ProcessEnv): readonly SourceFile[] {
  const home = env['HOME'] ?? '/root'
  const given = (paths: readonly string[]) => paths.map((path) => resolve(path.replace(/^~(?=\/|$)/, home)))
  const files = selection.config_file ? given(selection.config_file) : defaults('.conf', home, env)
  const folders = selection.config_dir ? given(selection.config_dir) : defaults('.conf.d', home, env)
  return [...files, ...folders.flatMap(confFilesIn)].map(load)
}

/** The same with the file named instead of its older reading. One that Cinder does not read, such as a container's copy, stands alone. */
export function configFilesWith(
  path: string | undefined,
  selection: FileSelection,
  env: NodeJS.ProcessEnv,
): readonly SourceFile[] {
  const files = configFiles(selection, env)
  if (path === undefined) return files
  const known = files.find((each) => isSameFile(each.path, path))
  const named = load(path)
  return known ? files.map((file) => (file === known ? named : file)) : [named]
}

function defaults(extension: string, home: string, env: NodeJS.ProcessEnv): readonly string[] {
  const snaps = [env['SNAP_COMMON'], env['SNAP']].flatMap((snap) => (snap ? [join(snap, 'etc/cinder')] : []))
  const folders = [join(home, '.cinder'), home, '/etc/cinder', '/etc', ...snaps]
  return ['cinder', 'cinder-volume'].flatMap((name) => {
    const candidates = folders.map((folder) => join(folder, name + extension))
    return candidates.find((path) => existsSync(path)) ?? []
  })
}

/** As `sorted(glob('*.conf'))` gives them. */
function confFilesIn(folder: string): readonly string[] {
  return readable(folder, () => readdirSync(folder))
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort(byCodePoint)
    .map((name) => join(folder, name))
}

function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** Whether two paths, links included, lead to one file. */
function isSameFile(one: string, other: string): boolean {
  return one === other || (existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other))
}

function load(path: string): SourceFile {
  const bytes = readable(path, () => readFileSync(path))
  return { path, bytes, text: bytes.toString('utf8') }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new AgentError('config_error', `${quote(path)} cannot be read (${getErrorCode(error) ?? 'unknown error'}).`, {
      hint: {
        request: 'Correct config_file or config_dir, or give the connection itself.',
        command: 'Correct --config-file or --config-dir, or give --connection.',
      },
    })
  }
}
