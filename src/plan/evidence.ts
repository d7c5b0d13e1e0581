import { findDriver, isEntryOf } from '../drivers/drivers.js'
import { type Backend, getSectionName, listActiveBackendIds } from '../model/backend.js'
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
import { type Comparison, compareWithEntry, describeUnknown, listDifferingNames } from './compare-primary.js'
import { findUnrelatedBackend, selectOldCopies } from './old-copies.js'
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
    const other = findUnrelatedBackend(backend, name, settings)
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
    return compareWithEntry({ active, before, entry, copy, ...facts })
  }
  for (const { section: before, copy } of earlier) {
    const entry = findMisspelt(before, active)
    const evidence = entry && compareWithEntry({ active, before, entry, copy, ...facts })
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
      return compareWithEntry({ active, before, entry, copy, ...facts })
    }),
  )
  const [first] = each
  const isDisproven = first !== undefined && each.every(({ kind }) => kind === 'disproven')
  return isDisproven ? first : makeUnknown('its row does not tell which array was promoted')
}

/** The backend was failed back before the reset: the section must have the primary that it had before the promotion. */
function findOldPrimary(copies: readonly EarlierSection[], { after }: AfterFacts): Evidence {
  for (const { section: before, copy } of copies) {
    const differing = listDifferingNames(before, after)
    if (differing.length === 0) continue
    const problem = `${quoteAll(differing)} of [${quote(after.name)}] belongs to the array that was to be promoted`
    return { kind: 'disproven', problem, copy, reason: 'failed_back' }
  }
  return makeUnknown('it was failed back')
}
