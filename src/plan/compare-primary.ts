import { findDriver, findIdentity } from '../drivers/drivers.js'
import { normalizeSection } from '../model/backend.js'
import type { OldCopy } from '../model/observation.js'
import { type ReadableSection, readInheritedValue } from '../oslo/section.js'
import type { Device } from '../oslo/value.js'
import { quoteAll } from '../text/list.js'
import { quote } from '../text/quote.js'
import { mapDevice } from './promote.js'
import { type Evidence, makeUnknown } from './proof.js'

/** A section after the edit, beside an entry that an earlier one has for the array. */
export interface Comparison {
  readonly active: string
  readonly before: ReadableSection
  readonly entry: Device
  /** The one that has it; undefined: it is in the section before the edit. */
  readonly copy: OldCopy | undefined
  readonly after: ReadableSection
  /** Options that the request sets itself. */
  readonly given: ReadonlySet<string>
  /** Whether those must agree with the entry: the request does not name the replica. */
  readonly mustAgree: boolean
}

/** Whether the options that name the array are those of the entry. */
export function compareWithEntry(comparison: Comparison): Evidence {
  const { active, before, after, copy, given, mustAgree } = comparison
  const expected = listExpected(comparison)
  const naming = listNaming(comparison, expected)
  const has = (option: string) => readInheritedValue(after, option)
  const isOld = (option: string) => has(option) !== undefined && has(option) === readInheritedValue(before, option)
  const isOwn = (option: string) => expected.get(option) === null && given.has(option) && !isOld(option)
  const differs = (option: string) =>
    expected.has(option) && !isOwn(option) && !isSameText(option, has(option) ?? null, expected.get(option) ?? null)
  const section = `[${quote(after.name)}]`
  const others = naming.filter(differs)
  const stale = others.filter(isOld)
  if (stale.length > 0)
    return { kind: 'disproven', problem: `${quoteAll(stale)} of ${section} still belongs to the old primary`, copy }
  const wrong = others.filter((option) => !isPath(has(option)))
  if (wrong.length > 0) {
    const problem = `${quoteAll(wrong)} of ${section} is not what the entry of ${quote(active)} gave`
    return { kind: 'disproven', problem, copy, reason: 'spelling' }
  }
  if (naming.every((option) => !expected.has(option)) && isSamePrimary(comparison))
    return { kind: 'disproven', problem: `${section} still has the old primary`, copy }
  const unclear = [
    ...others,
    ...naming.filter((option) => !expected.has(option) && isOld(option) && !given.has(option)),
    ...[...given].filter((option) => mustAgree && !naming.includes(option) && differs(option)),
  ]
  if (unclear.length > 0)
    return makeUnknown(`it is not known whether ${quoteAll(unclear)} of ${section} belongs to ${quote(active)}`)
  // Where the old primary had the same address, it does not tell the two apart. An old copy knows that only of its own file.
  const isKnown = copy !== undefined && findIdentity(readInheritedValue(after, 'volume_driver') ?? '') !== undefined
  if (!naming.some((option) => expected.has(option) && (isKnown || !isOld(option))))
    return makeUnknown(describeUnknown(after.name, active))
  return { kind: 'moved', left: [...expected.keys()].filter((option) => differs(option) && !given.has(option)) }
}

/** The options that name the array and differ: the primary of one section is not that of the other. */
export function listDifferingNames(before: ReadableSection, after: ReadableSection): readonly string[] {
  const identity = findIdentity(readInheritedValue(after, 'volume_driver') ?? '')
  const naming = identity === undefined ? listAddresses(before) : Object.keys(identity.options)
  const has = (section: ReadableSection, option: string) => readInheritedValue(section, option) ?? null
  return naming.filter((option) => !isSameText(option, has(after, option), has(before, option)))
}

/** Names of hosts ignore case, and may end with a dot. */
function isSameText(option: string, one: string | null, other: string | null): boolean {
  const plain = (text: string | null) => (ADDRESS.test(option) ? text?.toLowerCase().replace(/\.$/, '') : text)
  return plain(one) === plain(other)
}

/** The options that the entry gives, with their values; null: not set. */
function listExpected({ active, before, entry, after }: Comparison): ReadonlyMap<string, string | null> {
  const volumeDriver = readInheritedValue(after, 'volume_driver') ?? ''
  const driver = findDriver(volumeDriver)
  if (driver !== undefined) return mapDevice(driver, entry, (option) => readInheritedValue(before, option))
  const identity = findIdentity(volumeDriver)
  if (identity === undefined) {
    const equal = [...entry].filter(([key]) => key !== 'backend_id' && readInheritedValue(after, key) !== undefined)
    return new Map(equal)
  }
  const section = { ...before, name: active }
  return new Map(
    Object.entries(identity.options).flatMap(([option, key]): [string, string][] => {
      const value =
        identity.isSection === true ? readInheritedValue(section, option) : key === null ? undefined : entry.get(key)
      return value === undefined ? [] : [[option, value]]
    }),
  )
}

/** The options that name the array: by the driver's table, else all that hold an address. */
function listNaming({ before, after }: Comparison, expected: ReadonlyMap<string, string | null>): readonly string[] {
  const identity = findIdentity(readInheritedValue(after, 'volume_driver') ?? '')
  if (identity !== undefined) return Object.keys(identity.options)
  const given = [...expected.keys()].filter((option) => ADDRESS.test(option))
  return [...new Set([...given, ...listAddresses(before)])]
}

/** The section's own options that hold an address. */
function listAddresses(section: ReadableSection): readonly string[] {
  return listOwn(section).flatMap(({ key }) => (ADDRESS.test(key) ? [key] : []))
}

function listOwn({ assignments, name }: ReadableSection): ReadableSection['assignments'] {
  return assignments.filter(
    ({ section, key }) => key !== 'replication_device' && normalizeSection(section) === normalizeSection(name),
  )
}

const ADDRESS =
  /(^|_)(s?vip|mvip|ips?|addr|address|addresses|hosts?|hostnames?|fqdn|servers?|ur[il]|endpoints?|portals?)(_|$)/i

/** Two paths may lead to one array. */
function isPath(value: string | undefined): boolean {
  return value?.startsWith('/') === true
}

/** Whether nothing but the replicas has changed. */
function isSamePrimary({ before, after }: Comparison): boolean {
  const list = (section: ReadableSection) =>
    listOwn(section)
      .map(({ key, value }) => JSON.stringify([key, value]))
      .sort()
      .join()
  return list(before) === list(after)
}

export function describeUnknown(name: string, array: string): string {
  return `nothing shows that the primary of [${quote(name)}] is ${quote(array)}`
}
