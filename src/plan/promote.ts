import { type Driver, findDriver, type KeyRule, listIds, listReplicaKeys } from '../drivers/drivers.js'
import { ID_KEYS } from '../model/device.js'
import { AgentError } from '../model/errors.js'
import type { Device } from '../oslo/value.js'
import { quote } from '../text/quote.js'
import { findSimilar } from '../text/similar.js'

/** Reads an option of the section as it is; undefined if it is not set. */
type ReadOption = (option: string) => string | undefined

export interface PromotedSettings {
  /** The section's options with their values, null for those that must be removed. */
  readonly settings: ReadonlyMap<string, string | null>
  /** Keys of the device that no option holds; the request vouches for them. */
  readonly dropped: readonly string[]
  readonly notes: readonly string[]
}

/**
 * The settings of a replica's device as those of a primary; what the driver does not read is left out, with a note. `isByHand`: the request gives
 * options itself, and so vouches for what the driver's table lacks. Errors: invalid_request, naming the driver or the key without an option.
 */
export function promoteDevice(device: Device, readOption: ReadOption, isByHand: boolean): PromotedSettings {
  const volumeDriver = readOption('volume_driver') ?? ''
  const driver = findDriver(volumeDriver)
  const id = nameReplica(device)
  const keys = [...device.keys()].filter((key) => !ID_KEYS.includes(key))
  if (driver === undefined) {
    if (isByHand) return { settings: new Map(), dropped: keys.map(showKey), notes: [] }
    throw makeMappingError(
      `The settings of ${quote(volumeDriver) || 'a section without volume_driver'} are not known.`,
      id,
    )
  }
  const dropped = keys.filter((key) => driver.unmapped?.includes(key))
  if (dropped.length > 0 && !isByHand) {
    throw makeMappingError(`${driver.name} has no known option for ${dropped.join(', ')} of ${quote(id)}.`, id)
  }
  const settings = mapDevice(driver, device, readOption)
  const unread = describeUnreadKeys(driver, device).map((each) => `${each} It is left out.`)
  return { settings, dropped, notes: [...unread, ...(driver.note === undefined ? [] : [driver.note])] }
}

/** A sentence for each key that the driver does not read. */
export function describeUnreadKeys(driver: Driver, device: Device): readonly string[] {
  const known = listReplicaKeys(driver)
  return [...device.keys()]
    .filter((key) => key !== 'backend_id' && !known.includes(key))
    .map((key) => {
      const [similar] = findSimilar(key, known, 1)
      const hint = similar === undefined ? '' : ` Did you mean ${similar}?`
      const id = quote(nameReplica(device) || 'the replica')
      return `${driver.name} does not read ${showKey(key)}, which replication_device has for ${id}.${hint}`
    })
}

/** The name of the replica in messages. */
export function nameReplica(device: Device): string {
  return listIds(device)[0] ?? ''
}

/** The settings that a known driver reads from the device, as those of a primary. */
export function mapDevice(driver: Driver, device: Device, readOption: ReadOption): PromotedSettings['settings'] {
  const removed = (driver.removes ?? []).map((option): [string, null] => [option, null])
  const id = device.get('backend_id') ?? ''
  return new Map([...removed, ...mapKeys(driver, device, id), ...renamePools(driver, device, readOption)])
}

/** A key for people to read. A key that is no name may be part of a password with a comma in it. */
function showKey(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_]*$/.test(key) ? key : 'a key that is no name'
}

function mapKeys(driver: Driver, device: Device, id: string): [string, string | null][] {
  return Object.entries(driver.keys).flatMap(([key, rule]) => {
    const value = device.get(key)
    const setting =
      value === undefined ? makeDefaultSetting(rule, id) : rule.blanksToCommas ? value.replace(/\s+/g, ',') : value
    return setting === undefined ? [] : [[rule.option, setting]]
  })
}

/** What the option becomes if the device lacks the key; undefined: it stays. */
function makeDefaultSetting({ absent }: KeyRule, id: string): string | null | undefined {
  if (absent === 'keep') return undefined
  return absent === 'remove' ? null : absent.template.replace('BACKEND_ID', id)
}

/** HPE 3PAR's `cpg_map`, `src:dst src:dst`, renames what `hpe3par_cpg` lists; a pool that it does not name keeps its name. */
function renamePools({ name }: Driver, device: Device, readOption: ReadOption): [string, string][] {
  const map = device.get('cpg_map')
  const pools = readOption('hpe3par_cpg')
  if (name !== 'HPE 3PAR' || map === undefined || pools === undefined) return []
  const names = new Map(map.split(/\s+/).map((pair) => pair.split(':') as [string, string])) // a pair without a colon renames nothing
  const renamed = pools.split(',').map((pool) => names.get(pool.trim()) ?? pool.trim())
  return [['hpe3par_cpg', renamed.join(',')]]
}

function makeMappingError(problem: string, id: string): AgentError {
  return new AgentError('invalid_request', problem, {
    hint: `Set every setting of ${quote(id)} in {options}.`,
  })
}
