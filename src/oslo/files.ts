import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AgentError, quotable } from '../errors.js'

/** Which files to read; what is undefined stands for the default. */
export interface FileSelection {
  readonly config_file?: readonly string[]
  readonly config_dir?: readonly string[]
}

export interface SourceFile {
  readonly path: string
  readonly text: string
}

/**
 * The files that cinder-volume would read, in its order: those of --config-file, then those of --config-dir, each of them standing in for
 * its own defaults (oslo_config/cfg.py, find_config_files and find_config_dirs).
 * Errors: config_error for one that was asked for and cannot be read.
 */
export async function configFiles(selection: FileSelection, env: NodeJS.ProcessEnv): Promise<readonly SourceFile[]> {
  const home = env['HOME'] ?? '/root'
  const given = (paths: readonly string[]) => paths.map((path) => resolve(path.replace(/^~(?=\/|$)/, home)))
  const files = selection.config_file ? given(selection.config_file) : await defaults('.conf', home, env)
  const folders = selection.config_dir ? given(selection.config_dir) : await defaults('.conf.d', home, env)
  const inFolders = await Promise.all(folders.map(confFilesIn))
  return Promise.all([...files, ...inFolders.flat()].map(load))
}

async function defaults(extension: string, home: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const snaps = [env['SNAP_COMMON'], env['SNAP']].flatMap((snap) => (snap ? [join(snap, 'etc/cinder')] : []))
  const folders = [join(home, '.cinder'), home, '/etc/cinder', '/etc', ...snaps]
  const found = await Promise.all(['cinder', 'cinder-volume'].map((name) => firstExisting(folders, name + extension)))
  return found.flatMap((path) => path ?? [])
}

async function firstExisting(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name)
    if (await stat(path).catch(() => undefined)) return path
  }
  return undefined
}

/** As `sorted(glob('*.conf'))` gives them. */
async function confFilesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  return names
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort(byCodePoint)
    .map((name) => join(folder, name))
}

function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

async function load(path: string): Promise<SourceFile> {
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): AgentError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new AgentError('config_error', `${quotable(path)} cannot be read (${code}).`, {
    hint: 'Correct config_file or config_dir, or give the connection itself.',
  })
}
