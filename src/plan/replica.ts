import { type Backend, getActiveBackendId } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { WantedConfig } from '../model/request.js'
import { type ConfigSection, type PresentDevice, readDevices, readInheritedValue } from '../oslo/section.js'
import type { Device } from '../oslo/value.js'
import { quote } from '../text/quote.js'
import { type PromotedSettings, promoteDevice } from './promote.js'

/** The replica that the request promotes, and what the section has of it. */
export interface Replica {
  /** Its backend_id; undefined if none is to be promoted. */
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
  const id = wanted.promote === true ? active : wanted.promote
  const present = readDevices(section)
  const entry = id === undefined ? undefined : findDevice(section, present, id, wanted.devices)
  const isByHand = wanted.options.size > 0
  const ids = wanted.devices?.map((device) => device.get('backend_id'))
  return {
    id,
    active,
    present,
    entry,
    others: entry && present.filter((each) => each !== entry).map(({ read }) => read),
    promoted: entry
      ? promoteDevice(entry.read, (option) => readInheritedValue(section, option), isByHand)
      : NO_SETTINGS,
    dropsOthers: present.some(({ read }) => ids?.includes(read.get('backend_id')) === false),
  }
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
  if (wanted?.some((device) => device.get('backend_id') === id)) {
    const problem = `${quote(id)} is to be promoted, and to stay in replication_device.`
    throw new AgentError('invalid_request', problem, {
      hint: 'List in {replicas} only the replicas of the new primary.',
    })
  }
  if (present.length === 0) assertNotInherited(section, id)
  const entries = present.filter(({ read }) => read.get('backend_id') === id)
  if (entries.length > 1) {
    const problem = `${quote(section.file.path)} has ${entries.length} entries for ${quote(id)} in [${quote(section.name)}].`
    throw new AgentError('config_error', problem, { hint: 'Remove those that are out of date.' })
  }
  return entries[0]
}

/** A section without a replication_device has those of [backend_defaults], which other backends have too. */
function assertNotInherited(section: ConfigSection, id: string): void {
  const defaults = { ...section, name: 'backend_defaults' }
  if (!readDevices(defaults).some(({ read }) => read.get('backend_id') === id)) return
  const problem = `${quote(id)} is in [backend_defaults], not in [${quote(section.name)}].`
  throw new AgentError('config_error', problem, { hint: 'Give each section its own replication_device first.' })
}
