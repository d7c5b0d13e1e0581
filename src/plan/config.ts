import type { Backend } from '../model/backend.js'
import { rowsOf } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import type { ConfigPlan } from '../model/plan.js'
import type { WantedConfig } from '../model/request.js'
import { applyEdit } from '../oslo/editor.js'
import {
  assertDefinedOnce,
  type ConfigSection,
  findAssignments,
  locateSection,
  type PresentDevice,
  readDevices,
  readInheritedValue,
  readValue,
  withContent,
} from '../oslo/section.js'
import { type Device, encodeDevice, formatValue, isSameDevice } from '../oslo/value.js'
import { quote } from '../text/quote.js'
import { leftAlone, neverPromoted, notFailedOver, sharedRow, takenForPromoted, wrongTarget } from './config-refusals.js'
import { editWarnings } from './config-warnings.js'
import { type Promoted, promoted } from './promote.js'
import { resets } from './stages.js'

/**
 * The edit of cinder.conf that is missing. `files` are those that Cinder reads, in its order.
 * Errors: config_error where the files leave open what to edit, invalid_request where what is asked cannot be written.
 */
export function planConfig(wanted: WantedConfig, backend: Backend, files: readonly SourceFile[]): ConfigPlan {
  const site = locateSection(wanted, backend, files)
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
  }
  const active =
    rowsOf(backend)
      .map(({ state }) => state.active_backend_id)
      .find(Boolean) ?? undefined
  if (wanted.promote === true && backend.services.length > 1) throw sharedRow(backend)
  const id = wanted.promote === true ? active : wanted.promote
  const present = readDevices(site)
  const entry = id === undefined ? undefined : entryOf(site, present, id, wanted.devices)
  const byHand = wanted.options.size > 0
  const { settings, dropped, notes } = entry
    ? promoted(entry.read, (option) => readInheritedValue(site, option), byHand)
    : NOTHING
  const asked = new Map([...settings, ...wanted.options])
  const kept = entry && present.filter((each) => each !== entry).map(({ read }) => read)
  const devices = missingDevices(site, wanted.devices ?? kept, present)
  const isGone = id !== undefined && entry === undefined
  const drops = isGone && dropsOthers(present, wanted.devices)
  const isPending = isGone && active === id && resets(backend, backend.target.desired)
  if (isPending && (drops || lacksAll(present, wanted.devices))) throw neverPromoted(site, backend, id)
  const lacking = missing(site, asked)
  const first = applyEdit(target.bytes, target.path, { section, options: lacking, devices })
  // What read as wanted before may refer to what the edit changes; then it is written as such.
  const options = new Map([...lacking, ...missing(withContent(site, first), asked)])
  const after = applyEdit(target.bytes, target.path, { section, options, devices })
  if (after.equals(target.bytes)) {
    const warnings = isPending ? [takenForPromoted(site, id)] : []
    return { ...nothing, warnings, refusal: wrongTarget(wanted, backend, active) }
  }
  const names = [...options.keys(), ...(devices ? ['replication_device'] : [])]
  if (wanted.promote === true && id === undefined) return { ...nothing, ...leftAlone(backend, section, names) }
  return {
    ...nothing,
    after,
    options: names,
    warnings: [
      ...editWarnings(site, { after: withContent(site, after), asked, devices, given: wanted.devices }),
      ...dropped.flatMap((key) => notCarried(key, id ?? '', wanted.options.get(key), entry?.read.get(key))),
      ...notes,
      ...(isGone ? [takenForPromoted(site, id)] : []),
    ],
    refusal:
      (entry || drops) && active !== id
        ? notFailedOver(backend, id ?? '', active)
        : wrongTarget(wanted, backend, active),
  }
}

/** An earlier run that promoted the entry has left of the others those that are wanted. */
function dropsOthers(present: readonly PresentDevice[], wanted: readonly Device[] | undefined): boolean {
  const ids = wanted?.map((device) => device.get('backend_id'))
  return present.some(({ read }) => ids?.includes(read.get('backend_id')) === false)
}

function lacksAll(present: readonly PresentDevice[], wanted: readonly Device[] | undefined): boolean {
  return present.length === 0 && wanted !== undefined && wanted.length > 0
}

const NOTHING: Promoted = { settings: new Map(), dropped: [], notes: [] }

/** The entry of the replica to promote; undefined where it is no longer there. */
function entryOf(
  site: ConfigSection,
  present: readonly PresentDevice[],
  id: string,
  wanted: readonly Device[] | undefined,
) {
  if (present.length === 0) mustNotBeInherited(site, id)
  const entries = present.filter(({ read }) => read.get('backend_id') === id)
  if (entries.length > 1) {
    throw new AgentError(
      'config_error',
      `${quote(site.target.path)} has ${entries.length} entries for ${quote(id)} in [${quote(site.section)}].`,
      {
        hint: 'Take out those that are out of date.',
      },
    )
  }
  if (entries.length > 0 && wanted?.some((device) => device.get('backend_id') === id)) {
    throw new AgentError('invalid_request', `${quote(id)} is to be promoted, and to stay in replication_device.`, {
      hint: {
        request: 'List in replication_device what shall replicate the new primary.',
        command: 'Give with --replica what shall replicate the new primary.',
      },
    })
  }
  return entries[0]
}

/** Values are not shown, for they may be secrets. */
function notCarried(key: string, id: string, given: unknown, had: string | undefined): string[] {
  if (given !== undefined && String(given) === had) return []
  const instead = given === undefined ? 'the section has the options that are given instead' : 'another value is given'
  return [`What ${quote(id)} has as ${quote(key)} is not carried over: ${instead}.`]
}

/** The options whose value is not yet as wanted, as they must stand in the file. */
function missing(site: ConfigSection, wanted: WantedConfig['options']): ReadonlyMap<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const [name, value] of wanted) {
    const places = findAssignments(site, name)
    if (value === null ? places.length > 0 : !sameValue(readValue(site, name), value)) {
      assertDefinedOnce(site, name, places, value === null)
      changes.set(name, value === null ? null : formatValue(name, String(value)))
    }
  }
  return changes
}

function sameValue(present: string | undefined, wanted: string | number | boolean): boolean {
  if (typeof wanted !== 'boolean') return present === String(wanted)
  const words = wanted ? ['true', '1', 'on', 'yes'] : ['false', '0', 'off', 'no']
  return present !== undefined && words.includes(present.toLowerCase())
}

/** A section without a replication_device has those of [backend_defaults], which other backends have too. */
function mustNotBeInherited(site: ConfigSection, id: string): void {
  const defaults = { ...site, section: 'backend_defaults' }
  if (!readDevices(defaults).some(({ read }) => read.get('backend_id') === id)) return
  throw new AgentError('config_error', `${quote(id)} stands in [backend_defaults], not in [${quote(site.section)}].`, {
    hint: 'Give each section its own replication_device first.',
  })
}

/** All devices as they must stand in the file, where they are not yet as wanted; those that are there already stay as they are written. */
function missingDevices(
  site: ConfigSection,
  wanted: readonly Device[] | undefined,
  present: readonly PresentDevice[],
): readonly Device[] | undefined {
  if (wanted === undefined) return undefined
  const same = (device: Device, { read }: PresentDevice) => isSameDevice(device, read)
  if (wanted.length === present.length && present.every((each, index) => same(wanted[index] ?? new Map(), each)))
    return undefined
  assertDefinedOnce(site, 'replication_device', findAssignments(site, 'replication_device'), true)
  return wanted.map((device) => present.find((each) => same(device, each))?.raw ?? encodeDevice(device))
}
