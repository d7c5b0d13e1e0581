import { type Driver, findDriver, isReplicaKey, type KeyRule } from '../drivers/drivers.js'
import { AgentError } from '../model/errors.js'
import type { Device } from '../oslo/value.js'
import { quote } from '../text/quote.js'

/** How an option is read from the section as it is; undefined where it is not set. */
type Present = (option: string) => string | undefined

export interface Promoted {
  /** The section's options with their values, null for those that must go. */
  readonly settings: ReadonlyMap<string, string | null>
  /** Keys of the entry that have no place, which the request vouches for. */
  readonly dropped: readonly string[]
  readonly notes: readonly string[]
}

/**
 * The settings of a replica's entry as those of a primary. `byHand`: the request gives options itself, and so vouches for what has no place
 * in the driver's table. Errors: invalid_request, naming the driver or the key that has no place.
 */
export function promoted(device: Device, present: Present, byHand: boolean): Promoted {
  const volumeDriver = present('volume_driver') ?? ''
  const driver = findDriver(volumeDriver)
  const id = device.get('backend_id') ?? ''
  const dropped = [...device.keys()]
    .filter((key) => key !== 'backend_id' && (driver === undefined || !isReplicaKey(driver, key)))
    .map(shown)
  if (driver === undefined) {
    if (byHand) return { settings: new Map(), dropped, notes: [] }
    throw unplaced(
      `How ${quote(volumeDriver) || 'a backend without volume_driver'} keeps its primary's settings is not known.`,
      id,
    )
  }
  if (dropped.length > 0 && !byHand) {
    throw unplaced(`${dropped.join(', ')} of ${quote(id)} has no known place in the settings of ${driver.name}.`, id)
  }
  const translated = new Map([...settings(driver, device, id), ...renamedPools(driver, device, present)])
  return { settings: translated, dropped, notes: driver.note === undefined ? [] : [driver.note] }
}

/** A key for people to read; one that is no name may be part of a password with a comma in it. */
export function shown(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_]*$/.test(key) ? key : 'a key that is no name'
}

function settings(driver: Driver, device: Device, id: string): [string, string | null][] {
  return Object.entries(driver.keys).flatMap(([key, rule]) => {
    const value = device.get(key)
    const setting = value === undefined ? standIn(rule, id) : rule.blanksToCommas ? value.replace(/\s+/g, ',') : value
    return setting === undefined ? [] : [[rule.option, setting]]
  })
}

function standIn({ absent }: KeyRule, id: string): string | null | undefined {
  if (absent === 'keep') return undefined
  return absent === 'remove' ? null : absent.template.replace('BACKEND_ID', id)
}

/** HPE 3PAR's `cpg_map`, `src:dst src:dst`, renames what `hpe3par_cpg` lists; a pool that it does not name keeps its name. */
function renamedPools({ name }: Driver, device: Device, present: Present): [string, string][] {
  const map = device.get('cpg_map')
  const pools = present('hpe3par_cpg')
  if (name !== 'HPE 3PAR' || map === undefined || pools === undefined) return []
  const names = new Map(map.split(/\s+/).map((pair) => pair.split(':') as [string, string])) // a pair without a colon renames nothing
  const renamed = pools.split(',').map((pool) => names.get(pool.trim()) ?? pool.trim())
  return [['hpe3par_cpg', renamed.join(',')]]
}

function unplaced(problem: string, id: string): AgentError {
  return new AgentError('invalid_request', problem, {
    hint: {
      request: `Give in config.options what the section shall hold for ${quote(id)}, beside promote.`,
      command: `Give with --set what the section shall hold for ${quote(id)}.`,
    },
  })
}
