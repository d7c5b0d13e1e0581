import { findDriver, findIdentity, isEntryOf } from '../drivers/drivers.js'
import { type Backend, getSectionName, listActiveBackendIds, normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { isBackendFailedOver, isFailedBack } from '../model/failover.js'
import type { ConfigFacts, OldCopy, SourceFile } from '../model/observation.js'
import type { Request } from '../model/request.js'
import {
  type PresentDevice,
  type ReadableSection,
  readDevices,
  readInheritedDevices,
  readInheritedValue,
  readSection,
} from '../oslo/section.js'
import { type Device, isSameDevice } from '../oslo/value.js'
import type { VolumeSettings } from '../oslo/volume-settings.js'
import { quoteAll } from '../text/list.js'
import { quote } from '../text/quote.js'
import { findForeignBackend, selectOldCopies } from './old-copies.js'
import { mapDevice } from './promote.js'
import { type ActiveEntry, type Evidence, makeUnknown } from './proof.js'

/** cinder.conf before and after the edit. */
export interface Sight {
  readonly before: ConfigFacts
  readonly after: ConfigFacts
  readonly settings: () => VolumeSettings
}

type Asked = Pick<Request, 'config'>

/**
 * What cinder.conf shows of the primary that cinder-volume would start on: the section as it stands after the edit, beside the entry of the array
 * that the backend is failed over to. The entry is in the section before the edit, or in the old copy from before an earlier one. A backend whose
 * row was reset, or failed back, is judged by the old copy alone: it is there as long as the promotion is not finished.
 */
export function findEvidence(backend: Backend, asked: Asked, sight: Sight): Evidence {
  const arrays = listActiveBackendIds(backend)
  if (arrays.length > 1) return { kind: 'split', problem: `its rows name several arrays: ${quoteAll(arrays)}` }
  return lookAtSection(backend, asked, sight, (name, after) => {
    const array = arrays[0] ?? findStated(backend, asked)
    if (array !== undefined && inheritsEntryOf(after, array)) return judgeListed(name, after, array)
    const misspelt = array === undefined ? undefined : findMisspelt(after, array)?.get('backend_id')
    if (misspelt !== undefined) {
      const problem = `[${quote(name)}] has a replica ${quote(misspelt)}, which is ${quote(array ?? '')} but for its case`
      return { kind: 'disproven', problem, reason: 'misspelt' }
    }
    const facts = {
      after,
      given: new Set(asked.config?.options.keys()),
      mustAgree: asked.config?.promote === undefined,
    }
    if (isFailedBack(backend)) return findOldPrimary(listCopies(sight.before, name), facts)
    if (!isBackendFailedOver(backend)) return compareWithCopies(array, listCopies(sight.before, name), facts)
    if (array === undefined) return makeUnknown('its row names no array')
    return (
      compareWithEarlier(array, listEarlier(sight.before, name), facts) ?? makeUnknown(describeUnknown(name, array))
    )
  })
}

/** What the request says of an array that the row does not name. A failed-over backend whose row names none is not promoted by name. */
function findStated(backend: Backend, { config }: Asked): string | undefined {
  const { promoted } = backend.target
  if (promoted !== undefined || isBackendFailedOver(backend)) return promoted
  return typeof config?.promote === 'string' ? config.promote : undefined
}

/** Whether cinder-volume finds at a start the array that the row names. */
export function findActiveEntry(backend: Backend, asked: Asked, sight: Sight): ActiveEntry {
  const [active, ...others] = listActiveBackendIds(backend)
  if (active === undefined || others.length > 0) return { kind: 'unknown' }
  return lookAtSection(backend, asked, sight, (name, after): ActiveEntry => {
    if (inheritsEntryOf(after, active)) return { kind: 'present' }
    const known = listEarlier(sight.before, name).find(({ section }) => inheritsEntryOf(section, active))
    const isNeeded = known !== undefined || findDriver(readInheritedValue(after, 'volume_driver') ?? '') !== undefined
    const isTakenOut = known !== undefined && known.copy === undefined
    return isNeeded ? { kind: 'missing', section: name, copy: known?.copy, isTakenOut } : { kind: 'unknown' }
  })
}

/** The backend's section after the edit, if it is its own and can be read. */
function lookAtSection<T>(
  backend: Backend,
  { config: wanted }: Asked,
  { after: { files }, settings }: Sight,
  look: (name: string, after: ReadableSection) => T,
): T | Extract<Evidence, { readonly kind: 'unknown' }> {
  const name = getSectionName(backend.target.name) ?? wanted?.section
  if (name === undefined) return makeUnknown('its name has no "@", and so names no section of cinder.conf')
  try {
    const after = readSection(files, name)
    if (after === undefined) return makeUnknown(`no cinder.conf with [${quote(name)}] can be read here`)
    const other = findForeignBackend(backend, name, settings)
    return other === undefined ? look(name, after) : makeUnknown(`cinder.conf here is that of ${quote(other)}`)
  } catch (error) {
    if (error instanceof AgentError) return makeUnknown(`cinder.conf cannot be read: ${error.problem}`)
    throw error
  }
}

function judgeListed(name: string, after: ReadableSection, array: string): Evidence {
  if (readDevices(after).length > 0)
    return { kind: 'disproven', problem: `[${quote(name)}] still has ${quote(array)} as a replica` }
  const problem = `[backend_defaults] has ${quote(array)} as a replica, and [${quote(name)}] has no replication_device of its own`
  return { kind: 'disproven', problem, reason: 'inherited' }
}

function describeUnknown(name: string, array: string): string {
  return `nothing shows that the primary of [${quote(name)}] is ${quote(array)}`
}

function listEntriesOf(section: ReadableSection, active: string, devices: readonly PresentDevice[]): readonly Device[] {
  const volumeDriver = readInheritedValue(section, 'volume_driver') ?? ''
  return devices.flatMap(({ read }) => (isEntryOf(volumeDriver, read, active) ? [read] : []))
}

function inheritsEntryOf(section: ReadableSection, active: string): boolean {
  return listEntriesOf(section, active, readInheritedDevices(section)).length > 0
}

/** A section as it was. */
interface EarlierSection {
  readonly section: ReadableSection
  /** The one that has it so; undefined: cinder.conf before the edit. */
  readonly copy: OldCopy | undefined
}

/** The section before the edit, and as the old copies have it. */
function listEarlier(facts: ConfigFacts, name: string): readonly EarlierSection[] {
  const now = readSection(facts.files, name)
  return [...(now === undefined ? [] : [{ section: now, copy: undefined }]), ...listCopies(facts, name)]
}

function listCopies(facts: ConfigFacts, name: string): readonly EarlierSection[] {
  return selectOldCopies(facts, name).flatMap((copy) => {
    const section = readSection(withOldCopy(facts.files, copy), name)
    return section === undefined ? [] : [{ section, copy }]
  })
}

function withOldCopy(files: readonly SourceFile[], { original, file }: OldCopy): readonly SourceFile[] {
  return files.map((each) => (each.path === original ? { ...each, bytes: file.bytes, text: file.text } : each))
}

type AfterFacts = Pick<Comparison, 'after' | 'given' | 'mustAgree'>

/**
 * By the first of them that has an entry for the array; undefined if none has. An entry whose name has another case can disprove, because that is
 * easily misspelt, but it proves nothing.
 */
function compareWithEarlier(
  active: string,
  earlier: readonly EarlierSection[],
  facts: AfterFacts,
): Evidence | undefined {
  for (const { section: before, copy } of earlier) {
    const [entry, ...more] = listEntriesOf(before, active, readDevices(before))
    if (entry === undefined) continue
    if (more.some((each) => !isSameDevice(each, entry)))
      return makeUnknown(`[${quote(before.name)}] had entries for ${quote(active)} that differ`)
    return compare({ active, before, entry, copy, ...facts })
  }
  for (const { section: before, copy } of earlier) {
    const entry = findMisspelt(before, active)
    const evidence = entry && compare({ active, before, entry, copy, ...facts })
    if (evidence?.kind === 'disproven') return evidence
  }
  return undefined
}

function findMisspelt(section: ReadableSection, active: string): Device | undefined {
  const isAlike = (id: string | undefined) => id !== active && id?.toLowerCase() === active.toLowerCase()
  return readInheritedDevices(section).find(({ read }) => isAlike(read.get('backend_id')))?.read
}

/** The row was reset: the section must be that of an array that was a replica before. Which one, the row does not tell any more. */
function compareWithCopies(array: string | undefined, copies: readonly EarlierSection[], facts: AfterFacts): Evidence {
  const stated = array === undefined ? undefined : compareWithEarlier(array, copies, facts)
  if (stated !== undefined) return stated
  const each = copies.flatMap(({ section: before, copy }) =>
    readDevices(before).map(({ read: entry }) => {
      const active = entry.get('backend_id') ?? entry.get('target_device_id') ?? ''
      return compare({ active, before, entry, copy, ...facts })
    }),
  )
  const [first] = each
  const isDisproven = first !== undefined && each.every(({ kind }) => kind === 'disproven')
  return isDisproven ? first : makeUnknown('its row does not tell which array was promoted')
}

/** The backend was failed back before the reset: the section must have the primary that it had before the promotion. */
function findOldPrimary(copies: readonly EarlierSection[], { after }: AfterFacts): Evidence {
  for (const { section: before, copy } of copies) {
    const identity = findIdentity(readInheritedValue(after, 'volume_driver') ?? '')
    const naming = identity === undefined ? listAddresses(before) : Object.keys(identity.options)
    const differing = naming.filter(
      (option) => readInheritedValue(after, option) !== readInheritedValue(before, option),
    )
    if (differing.length === 0) continue
    const problem = `${quoteAll(differing)} of [${quote(after.name)}] belongs to the array that was to be promoted`
    return { kind: 'disproven', problem, copy }
  }
  return makeUnknown('it was failed back')
}

interface Comparison {
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
function compare(comparison: Comparison): Evidence {
  const { active, before, after, copy, given, mustAgree } = comparison
  const expected = listExpected(comparison)
  const naming = listNaming(comparison, expected)
  const has = (option: string) => readInheritedValue(after, option)
  const isOld = (option: string) => has(option) !== undefined && has(option) === readInheritedValue(before, option)
  const differs = (option: string) =>
    expected.has(option) && !isSameText(option, has(option) ?? null, expected.get(option) ?? null)
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
