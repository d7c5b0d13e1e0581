import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import type { ConfigPaths, ToldPaths } from './manager.js'

/** Runs a program and returns its standard output; undefined if it failed. */
type ReadOutput = (command: readonly string[]) => Promise<string | undefined>

/** Also an error is `unknown`. */
export type ReadPaths = (read: ReadOutput) => Promise<ToldPaths>

/** Where Kolla's images are told what to copy into the container, and what to run: kolla/docker/base/set_configs.py. */
const KOLLA_CONFIG = '/var/lib/kolla/config_files/config.json'

/**
 * By the unit; if the unit does not tell, by its main process. systemd joins the arguments by blanks, without quotes. A unit without a command never
 * tells.
 */
export function readPathsOfUnit(name: string): ReadPaths {
  return async (read) => {
    const shown = await read(['systemctl', 'show', '--property=ExecStart', '--property=MainPID', name])
    const [, line = ''] = /^ExecStart=\{.*? argv\[\]=(.*?) ; ignore_errors=/m.exec(shown ?? '') ?? []
    const [, pid = '0'] = /^MainPID=(\d+)$/m.exec(shown ?? '') ?? []
    const told = (await readPathsOfWords(splitLine(line), read)) ?? (await readPathsOfWords(readArguments(pid), read))
    return told ?? (line === '' ? undefined : 'unknown')
  }
}

/** By Debian's init scripts, which print their command line (openstack-pkg-tools). Other scripts never tell. */
export function readPathsOfInitScript(name: string): ReadPaths {
  return async (read) => {
    const words = [`/etc/init.d/${name}`, 'systemd-start']
    return canShowArguments(words) ? ((await readPathsOfWords(words, read)) ?? 'unknown') : undefined
  }
}

function canShowArguments([script = '', verb]: readonly string[]): boolean {
  if (dirname(script) !== '/etc/init.d' || verb !== 'systemd-start' || !existsSync(script)) return false
  return readFileSync(script, 'utf8').includes('show-args')
}

/** By the container's command and its mounts, as paths of this host. What is in the image alone is left out. */
export function readPathsOfContainer(manager: string, name: string): ReadPaths {
  return async (read) => {
    const format =
      '[{{json .Path}},{{json .Args}},{{json .Mounts}},{{json .Config.Hostname}},{{json .HostConfig.UTSMode}}]'
    const shown = await read([manager, 'container', 'inspect', '--format', format, name])
    if (shown === undefined) return undefined
    const [path, args, mounts, ownName, utsMode] = JSON.parse(shown) as readonly [
      string,
      readonly string[] | null,
      readonly Mount[] | null,
      string | null,
      string | null,
    ]
    const toHost = (inside: string) => mapByMounts(inside, mounts ?? [])
    const words = [path, ...(args ?? [])].flatMap(splitLine) // a shell's argument is a line
    const kolla = words.some((word) => basename(word) === 'kolla_start') ? toHost(KOLLA_CONFIG) : undefined
    const paths =
      kolla === undefined
        ? findPathsInside(words, toHost)
        : findPathsByKolla(JSON.parse(readFileSync(kolla, 'utf8')) as KollaConfig, toHost)
    return paths === undefined ? 'unknown' : { ...paths, machine: (utsMode !== 'host' && ownName) || hostname() }
  }
}

interface Mount {
  readonly Source: string
  readonly Destination: string
}

interface KollaConfig {
  readonly command: string
  readonly config_files?: readonly { readonly source: string; readonly dest: string }[]
}

type MapPath = (inside: string) => string | undefined

/** kolla_start copies the sources to their destinations before it runs the command. */
function findPathsByKolla(
  { command, config_files: copies = [] }: KollaConfig,
  toHost: MapPath,
): ConfigPaths | undefined {
  const toSource = (inside: string) =>
    copies
      .toReversed() // the last copy stays
      .flatMap(
        ({ source, dest }) =>
          (source.endsWith('/*') ? replaceStart(inside, dest, dirname(source)) : replaceStart(inside, dest, source)) ??
          [],
      )
      .find((path) => toHost(path) !== undefined) ?? inside
  return findPathsInside(splitLine(command), (inside) => toHost(toSource(inside)))
}

function findPathsInside(words: readonly string[], toHost: MapPath): ConfigPaths | undefined {
  const start = words.findIndex(isService)
  if (start === -1) return undefined
  const paths = findOptions(words.slice(start + 1))
  if (paths === undefined) return undefined
  const onHost = (each: readonly string[] | undefined, usual: string) =>
    (each ?? [usual]).flatMap((path) => toHost(path) ?? [])
  const files = onHost(paths.files, '/etc/cinder/cinder.conf')
  const folders = onHost(paths.folders, '/etc/cinder/cinder.conf.d').filter((path) => existsSync(path))
  return files.length === 0 ? undefined : { files, folders }
}

function mapByMounts(inside: string, mounts: readonly Mount[]): string | undefined {
  const [nearest] = mounts
    .filter(({ Destination }) => replaceStart(inside, Destination, '/') !== undefined)
    .sort((a, b) => normalize(b.Destination).length - normalize(a.Destination).length)
  return nearest?.Source ? replaceStart(inside, nearest.Destination, nearest.Source) : undefined // a tmpfs has no source
}

/** The path with another start, if it is that folder or in it. */
function replaceStart(path: string, start: string, other: string): string | undefined {
  const rest = normalize(path).slice(trimSlash(start).length)
  return trimSlash(start) + rest === normalize(path) && /^(\/|$)/.test(rest) ? trimSlash(join(other, rest)) : undefined
}

function trimSlash(path: string): string {
  return normalize(path).replace(/\/+$/, '')
}

/**
 * A command line that runs on this host's files: cinder-volume, what starts its container, or Debian's init script. undefined: it is none of these, or
 * not clear.
 */
async function readPathsOfWords(words: readonly string[], read: ReadOutput): Promise<ToldPaths> {
  const [program = '', ...args] = words
  if (['docker', 'podman'].includes(basename(program))) {
    const name = args[0] === 'start' ? args.slice(1).find((word) => !word.startsWith('-')) : undefined
    return name === undefined ? undefined : readPathsOfContainer(program, name)(read)
  }
  if (canShowArguments(words)) return readPathsOfWords(splitLine((await read([program, 'show-args'])) ?? ''), read)
  const start = /^python[\d.]*$/.test(basename(program)) ? words.findIndex(isService) : 0
  return isService(words[start] ?? '') ? findOptions(words.slice(start + 1)) : undefined
}

function isService(word: string): boolean {
  return basename(word) === 'cinder-volume'
}

/** undefined if a path is not known as it is: relative, for a shell to read, or with a blank in a line that was joined by blanks. */
function findOptions(words: readonly string[]): ConfigPaths | undefined {
  const find = (option: string) => {
    const values = words.flatMap((word, index) => {
      if (word === option) return [words[index + 1] ?? '']
      return word.startsWith(`${option}=`) ? [word.slice(option.length + 1)] : []
    })
    return values.length === 0 ? undefined : values
  }
  const paths = { files: find('--config-file'), folders: find('--config-dir') }
  const isKnown = [...(paths.files ?? []), ...(paths.folders ?? [])].every((path) => isAbsolute(path))
  const isOption = (word: string | undefined) => word?.startsWith('-') === true
  // cinder-volume takes options alone, so a word that is neither one nor the value of one is a part of another word.
  const isClear = words.every(
    (word, index) => (isOption(word) || isOption(words[index - 1])) && !/[$;&|<>`"'()]/.test(word),
  )
  return isKnown && isClear ? paths : undefined
}

function splitLine(line: string): readonly string[] {
  return line.split(/\s+/).flatMap((word) => word.replace(/^(["'])(.*)\1$/, '$2') || [])
}

/** Of a process whose files are this host's; empty if there is none. */
function readArguments(pid: string): readonly string[] {
  if (pid === '0' || readlinkSync(`/proc/${pid}/root`) !== '/') return []
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
}
