import { AgentError, quotable } from '../errors.js'
import { type Lookup, readConfig } from '../oslo/config.js'
import { edited } from '../oslo/editor.js'
import type { SourceFile } from '../oslo/files.js'
import { type Assignment, normalized, parseIni } from '../oslo/ini.js'
import { type Device, deviceOf, inFile, sameDevice, written } from '../oslo/value.js'
import type { Backend, ConfigPlan, Refusal, WantedConfig } from '../types.js'
import { rowsOf } from './backend.js'
import { promoted } from './promote.js'

/** The file to edit with the others that Cinder reads, in its order, and what stands in the section. */
interface Site {
  readonly files: readonly SourceFile[]
  readonly target: SourceFile
  readonly section: string
  readonly lookup: Lookup
}

interface Placed extends Assignment {
  readonly path: string
}

/**
 * The edit of cinder.conf that is missing. `files` are those that Cinder reads, in its order.
 * Errors: config_error where the files leave open what to edit, invalid_request where what is asked cannot be written.
 */
export function planConfig(wanted: WantedConfig, backend: Backend, files: readonly SourceFile[]): ConfigPlan {
  const site = siteOf(wanted, backend, files)
  const { target, section } = site
  const nothing: ConfigPlan = {
    file: target.path,
    section,
    backup: wanted.backup,
    before: target.bytes,
    after: target.bytes,
    options: [],
    warnings: [],
    refusal: undefined,
    excerpt: { before: '', after: '' },
  }
  const active =
    rowsOf(backend)
      .map(({ state }) => state.active_backend_id)
      .find(Boolean) ?? undefined
  const id = wanted.promote === true ? active : wanted.promote
  if (wanted.promote === true && id === undefined) return nothing
  const present = devicesOf(site)
  const entry = id === undefined ? undefined : present.find(({ read }) => read.get('backend_id') === id)
  if (id !== undefined && present.length === 0) mustNotBeInherited(site, id)
  const translated = entry
    ? promoted(entry.read, (option) => readValue(site, option), wanted.options.size > 0)
    : new Map<string, string | null>()
  const options = missing(site, new Map([...translated, ...wanted.options]))
  const kept = entry && present.filter((each) => each !== entry).map(({ read }) => read)
  const devices = missingDevices(site, wanted.devices ?? kept, present)
  const after = edited(target.bytes, target.path, { section, options, devices })
  if (after.equals(target.bytes)) return nothing
  const names = [...options.keys(), ...(devices ? ['replication_device'] : [])]
  return {
    ...nothing,
    after,
    options: names,
    warnings: warningsOf(site, options, devices),
    refusal: entry && active !== id ? notFailedOver(backend, id ?? '', active) : undefined,
    excerpt: excerpts(target, after.toString(), section, names),
  }
}

function siteOf(
  { file, section: asked }: WantedConfig,
  { target: { name, kind } }: Backend,
  files: readonly SourceFile[],
): Site {
  const section = asked ?? name.split('@')[1]
  if (section === undefined) {
    throw new AgentError('invalid_request', `The section of "${quotable(name)}" is not told by its name.`, {
      hint: 'Give config.section.',
      [kind]: name,
    })
  }
  const holding = files.filter(
    ({ path, text }) =>
      (file === undefined || path === file) &&
      parseIni(text, path).headers.some((each) => normalized(each.section) === normalized(section)),
  )
  const [target, ...others] = holding
  if (target === undefined) {
    const where = (file === undefined ? files.map(({ path }) => path) : [file]).map((path) => quotable(path)).join(', ')
    throw new AgentError(
      'config_error',
      `There is no section [${quotable(section)}] in ${where || 'the files that Cinder reads'}.`,
      { hint: 'Give config.section, or config.file.' },
    )
  }
  if (others.length > 0) {
    const where = holding.map(({ path }) => quotable(path)).join(', ')
    throw new AgentError('config_error', `The section [${quotable(section)}] stands in several files: ${where}.`, {
      hint: 'Name one of them in config.file.',
    })
  }
  return { files, target, section, lookup: readConfig(files, {}) }
}

/** All assignments of an option in the section, over all files. */
function placesOf({ files, section }: Site, key: string): readonly Placed[] {
  return files.flatMap(({ path, text }) =>
    parseIni(text, path)
      .assignments.filter((each) => each.key === key && normalized(each.section) === normalized(section))
      .map((each) => ({ ...each, path })),
  )
}

/** The value as Cinder gets it; undefined where it is not set, or refers to what is not there. */
function readValue({ lookup, section }: Site, name: string): string | undefined {
  try {
    return lookup({ group: section, name })?.value
  } catch {
    return undefined
  }
}

/** The options whose value is not yet as wanted, as they must stand in the file. */
function missing(site: Site, wanted: WantedConfig['options']): ReadonlyMap<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const [name, value] of wanted) {
    const places = placesOf(site, name)
    if (value === null ? places.length > 0 : !sameValue(readValue(site, name), value)) {
      mustBeAlone(site, name, places, value === null)
      changes.set(name, value === null ? null : written(name, String(value)))
    }
  }
  return changes
}

function sameValue(present: string | undefined, wanted: string | number | boolean): boolean {
  if (typeof wanted !== 'boolean') return present === String(wanted)
  const words = wanted ? ['true', '1', 'on', 'yes'] : ['false', '0', 'off', 'no']
  return present !== undefined && words.includes(present.toLowerCase())
}

/** An edit in one file must not be undone by another one that Cinder reads, nor let that one shine through. */
function mustBeAlone({ files, target }: Site, name: string, places: readonly Placed[], toRemove: boolean): void {
  const order = files.map(({ path }) => path)
  const other = places.find(
    ({ path }) => path !== target.path && (toRemove || order.indexOf(path) > order.indexOf(target.path)),
  )
  if (other === undefined) return
  const own = places.find(({ path }) => path === target.path)
  const where = own === undefined ? quotable(target.path) : `${quotable(own.path)}, line ${own.line}`
  throw new AgentError(
    'config_error',
    `${quotable(name)} is to be changed in ${where}, but ${quotable(other.path)}, line ${other.line}, sets it too.`,
    {
      hint: 'Take it out there, or name that file in config.file.',
    },
  )
}

/** A section without a replication_device has those of [backend_defaults], which other backends have too. */
function mustNotBeInherited(site: Site, id: string): void {
  const defaults = { ...site, section: 'backend_defaults' }
  if (!devicesOf(defaults).some(({ read }) => read.get('backend_id') === id)) return
  throw new AgentError(
    'config_error',
    `${quotable(id)} stands in [backend_defaults], not in [${quotable(site.section)}].`,
    {
      hint: 'Give each section its own replication_device first.',
    },
  )
}

/** A `replication_device` as it stands in the file, and as Cinder gets it. */
interface PresentDevice {
  readonly raw: Device
  readonly read: Device
}

function devicesOf(site: Site): readonly PresentDevice[] {
  return placesOf(site, 'replication_device').map(({ value, path, line }) => {
    const place = `${quotable(path)}, line ${line}`
    const raw = deviceOf(value)
    const read = deviceOf(site.lookup.expand({ value, place }, site.section))
    if (raw !== undefined && read !== undefined) return { raw, read }
    throw new AgentError('config_error', `${place}: this replication_device is not a list of key:value.`, {
      hint: 'Correct it; Cinder cannot read it either.',
    })
  })
}

/** All devices as they must stand in the file, where they are not yet as wanted; those that are there already stay as they are written. */
function missingDevices(
  site: Site,
  wanted: readonly Device[] | undefined,
  present: readonly PresentDevice[],
): readonly Device[] | undefined {
  if (wanted === undefined) return undefined
  const same = (device: Device, { read }: PresentDevice) => sameDevice(device, read)
  if (wanted.length === present.length && present.every((each, index) => same(wanted[index] ?? new Map(), each)))
    return undefined
  mustBeAlone(site, 'replication_device', placesOf(site, 'replication_device'), true)
  return wanted.map((device) => present.find((each) => same(device, each))?.raw ?? inFile(device))
}

const MANAGED = /ansible.managed|managed by|puppet|juju|kolla|generated by|do not edit/i

function warningsOf(
  { files, target, section }: Site,
  options: ReadonlyMap<string, string | null>,
  devices: readonly Device[] | undefined,
): readonly string[] {
  const gone = [...options].filter(([, value]) => value === null).map(([name]) => name)
  if (devices?.length === 0) gone.push('replication_device')
  const defaults = files
    .flatMap(({ path, text }) => parseIni(text, path).assignments)
    .filter((each) => each.section === 'backend_defaults')
  const shining = gone.filter((name) => defaults.some(({ key }) => key === name))
  const comments = target.text
    .split(/\r\n|\r|\n/)
    .slice(0, 20)
    .filter((line) => /^[#;]/.test(line))
  return [
    ...shining.map((name) => `Without ${quotable(name)} in [${quotable(section)}], that of [backend_defaults] counts.`),
    ...(comments.some((line) => MANAGED.test(line)) || /\/(kolla|puppet-generated)\//.test(target.path)
      ? [`A tool manages ${quotable(target.path)}: change it at its source too, or the next deploy undoes this edit.`]
      : []),
  ]
}

function notFailedOver({ target: { name } }: Backend, id: string, active: string | undefined): Refusal {
  const on = active === undefined ? 'not failed over' : `failed over to ${quotable(active)}`
  return {
    code: 'not_failed_over',
    problem: `${name} is ${on}, so ${quotable(id)} must not take its primary's place.`,
    hint: 'Fail it over first, or leave promote out.',
  }
}

const SECRET = /pass|pwd|secret|token|key|cred|chap|connection|url/i

/** The options concerned as they stand in the section before and after, without secrets; where only a secret changed, that it did. */
function excerpts(
  { path, text }: SourceFile,
  after: string,
  section: string,
  names: readonly string[],
): ConfigPlan['excerpt'] {
  const linesIn = (content: string) =>
    parseIni(content, path)
      .assignments.filter((each) => normalized(each.section) === normalized(section) && names.includes(each.key))
      .map(({ key, value }) => ({ plain: `${key} = ${value}`, masked: `${key} = ${masked(key, value)}` }))
  const old = linesIn(text)
  const shown = linesIn(after).map(({ plain, masked: line }) => {
    const onlySecret = old.some((each) => each.masked === line) && !old.some((each) => each.plain === plain)
    return onlySecret ? `${line} (changed)` : line
  })
  const joined = (lines: readonly string[]) => [`[${section}]`, ...lines, ''].join('\n')
  return { before: joined(old.map((each) => each.masked)), after: joined(shown) }
}

function masked(key: string, value: string): string {
  if (key !== 'replication_device') return SECRET.test(key) ? '********' : quotable(value)
  const pairs = [...(deviceOf(value) ?? [])].map(([name, each]) => `${name}:${SECRET.test(name) ? '********' : each}`)
  return quotable(pairs.join(','))
}
