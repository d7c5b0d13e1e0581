import { findDriver, isEntryOf, listIds, listNeededIdKeys, listReplicaKeys } from '../drivers/drivers.js'
import { type Backend, getActiveBackendId } from '../model/backend.js'
import { ID_KEYS } from '../model/device.js'
import { AgentError } from '../model/errors.js'
import type { WantedConfig } from '../model/request.js'
import {
  type ConfigSection,
  objectToDevice,
  type PresentDevice,
  readDevices,
  readInheritedValue,
} from '../oslo/section.js'
import { type Device, isSameDevice } from '../oslo/value.js'
import { quote } from '../text/quote.js'
import { type PromotedSettings, promoteDevice } from './promote.js'

/** The replica that the request promotes, and what the section has of it. */
export interface Replica {
  /** Its name, as the row has it if that is one of its names; undefined if none is to be promoted. */
  readonly id: string | undefined
  /** The array that the backend is failed over to. */
  readonly active: string | undefined
  /** All devices of the section. */
  readonly present: readonly PresentDevice[]
  /** Its own device; undefined if it is not there, or not any more. */
  readonly entry: PresentDevice | undefined
  /** The other devices, if its own is there. */
  readonly others: readonly Device[] | undefined
  readonly promoted: PromotedSettings
  /** Whether the section has a device that is not wanted. An earlier run that promoted the replica would have removed it. */
  readonly dropsOthers: boolean
}

const NO_SETTINGS: PromotedSettings = { settings: new Map(), dropped: [], notes: [] }

/** Errors: config_error if the section leaves open which device is meant, invalid_request. */
export function findReplica(section: ConfigSection, wanted: WantedConfig, backend: Backend): Replica {
  if (wanted.promote !== undefined && backend.cluster !== undefined) throw makeClusterError(backend)
  const active = getActiveBackendId(backend)
  const asked = wanted.promote === true ? active : wanted.promote
  const present = readDevices(section)
  const volumeDriver = readVolumeDriver(section)
  requireNames(section, wanted)
  const entry = asked === undefined ? undefined : findDevice(section, present, asked, wanted.devices)
  const others = entry && present.filter((each) => each !== entry).map(({ read }) => read)
  return {
    id: entry && active !== undefined && isEntryOf(volumeDriver, entry.read, active) ? active : asked,
    active,
    present,
    entry,
    others,
    promoted: entry ? promoteEntry(section, entry, wanted.options) : NO_SETTINGS,
    dropsOthers:
      wanted.devices !== undefined && present.some(({ read }) => !isListed(volumeDriver, wanted.devices ?? [], read)),
  }
}

/** Whether one of the devices has a name of the replica. */
function isListed(volumeDriver: string, devices: readonly Device[], device: Device): boolean {
  return devices.some((each) => listIds(each).some((id) => isEntryOf(volumeDriver, device, id)))
}

function readVolumeDriver(section: ConfigSection): string {
  return readInheritedValue(section, 'volume_driver') ?? ''
}

/** Errors: invalid_request for a device without a backend_id, if its driver names replicas by it. */
function requireNames(section: ConfigSection, { devices = [], options }: WantedConfig): void {
  const volumeDriver = String(options.get('volume_driver') ?? readVolumeDriver(section))
  for (const [index, device] of devices.entries()) {
    if (device.has('backend_id') || !listNeededIdKeys(volumeDriver, index).includes('backend_id')) continue
    const problem = `Replica ${index + 1} has no backend_id, by which ${quote(volumeDriver)} names it.`
    throw new AgentError('invalid_request', problem, { hint: 'Set backend_id in {replicas}.' })
  }
}

/** Errors: config_error for an entry that is malformed, unless the request gives what is not to be read in it; invalid_request. */
function promoteEntry(
  section: ConfigSection,
  entry: PresentDevice,
  options: WantedConfig['options'],
): PromotedSettings {
  const isByHand = options.size > 0
  const objection = findObjection(section, entry)
  if (objection !== undefined && !isByHand) throw objection
  const promoted = promoteDevice(entry.read, (option) => readInheritedValue(section, option), isByHand)
  if (objection === undefined) return promoted
  if ([...promoted.settings].some(([option, value]) => value?.includes('\n') && !options.has(option))) throw objection
  return { ...promoted, notes: [objection.problem, ...promoted.notes] }
}

/** What is malformed in the entry, though Cinder reads it. */
function findObjection(section: ConfigSection, entry: PresentDevice): AgentError | undefined {
  const driver = findDriver(readVolumeDriver(section))
  return objectToDevice(entry, [...ID_KEYS, ...(driver === undefined ? [] : listReplicaKeys(driver))])
}

/** No malformed entry stays: what it lacks, its driver may need at the start. `devices`: those after the edit. Errors: config_error. */
export function requireSoundDevices(
  section: ConfigSection,
  { present }: Replica,
  devices: readonly Device[] | undefined,
): void {
  const own =
    devices === undefined ? present : present.filter(({ read }) => devices.some((each) => isSameDevice(each, read)))
  const isInherited = (devices ?? present).length === 0
  const staying = isInherited ? readDevices({ ...section, name: 'backend_defaults' }) : own
  for (const each of staying) throwIfMalformed(section, each)
}

function throwIfMalformed(section: ConfigSection, entry: PresentDevice): void {
  const objection = findObjection(section, entry)
  if (objection !== undefined) throw objection
}

/** Each member has a file of its own, but all share the row that names the replica: the first reset would leave the others without it. */
function makeClusterError({ target: { kind, name } }: Backend): AgentError {
  return new AgentError('invalid_request', `${quote(name)} is in a cluster, and each member has its own cinder.conf.`, {
    hint: "Write the new primary's settings out as {options_alone}. Run it on all members at once.",
    [kind]: name,
  })
}

/** The device of the replica to promote; undefined if it is not there. */
function findDevice(
  section: ConfigSection,
  present: readonly PresentDevice[],
  id: string,
  wanted: readonly Device[] | undefined,
): PresentDevice | undefined {
  const volumeDriver = readVolumeDriver(section)
  if (present.length === 0) assertNotInherited(section, id)
  const entries = present.filter(({ read }) => isEntryOf(volumeDriver, read, id))
  if (entries.length > 1) {
    const problem = `${quote(section.file.path)} has ${entries.length} entries for ${quote(id)} in [${quote(section.name)}].`
    throw new AgentError('config_error', problem, { hint: 'Remove those that are out of date.' })
  }
  const [entry] = entries
  if (
    wanted?.some((device) => isEntryOf(volumeDriver, device, id)) ||
    (entry && isListed(volumeDriver, wanted ?? [], entry.read))
  ) {
    const problem = `${quote(id)} is to be promoted, and to stay in replication_device.`
    throw new AgentError('invalid_request', problem, {
      hint: 'List in {replicas} only the replicas of the new primary.',
    })
  }
  // It may be the one that is malformed.
  if (entry === undefined) for (const each of present) throwIfMalformed(section, each)
  return entry
}

/** A section without a replication_device has those of [backend_defaults], which other backends have too. */
function assertNotInherited(section: ConfigSection, id: string): void {
  const defaults = { ...section, name: 'backend_defaults' }
  const volumeDriver = readVolumeDriver(section)
  if (!readDevices(defaults).some(({ read }) => isEntryOf(volumeDriver, read, id))) return
  const problem = `${quote(id)} is in [backend_defaults], not in [${quote(section.name)}].`
  throw new AgentError('config_error', problem, { hint: 'Give each section its own replication_device first.' })
}
