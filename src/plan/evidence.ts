import { findDriver, findIdentity } from '../drivers/drivers.js'
import { type Backend, getSectionName, listActiveBackendIds, normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, OldCopy, SourceFile } from '../model/observation.js'
import type { ConfigEdit } from '../model/plan.js'
import type { Request } from '../model/request.js'
import {
  type ReadableSection,
  readDevices,
  readInheritedDevices,
  readInheritedValue,
  readSection,
} from '../oslo/section.js'
import { type Device, isSameDevice } from '../oslo/value.js'
import type { VolumeSettings } from '../oslo/volume-settings.js'
import { formatList } from '../text/list.js'
import { quote } from '../text/quote.js'
import { findForeignBackend, selectOldCopies } from './old-copies.js'
import { mapDevice } from './promote.js'
import { type Evidence, makeUnknown } from './proof.js'
import { withEdit } from './with-edit.js'

/**
 * What cinder.conf shows of the primary that cinder-volume would start on: the section as it stands after the edit, beside the entry of the array
 * that the backend is failed over to. The entry is in the section before the edit, or in the copy from before an earlier one.
 */
export function findEvidence(
  backend: Backend,
  { config: wanted }: Pick<Request, 'config'>,
  facts: ConfigFacts,
  edit: ConfigEdit | undefined,
  settings: () => VolumeSettings,
): Evidence {
  const [active, ...others] = listActiveBackendIds(backend)
  const name = getSectionName(backend.target.name) ?? wanted?.section
  if (active === undefined) return makeUnknown('its row names no array')
  if (others.length > 0)
    return makeUnknown(
      `its rows name several: ${formatList(
        [active, ...others].map((each) => quote(each)),
        ' and ',
      )}`,
    )
  if (name === undefined) return makeUnknown('its name has no "@", and so names no section of cinder.conf')
  try {
    const after = readSection(withEdit(facts, edit).files, name)
    if (after === undefined) return makeUnknown(`no cinder.conf with [${quote(name)}] can be read here`)
    const other = findForeignBackend(backend, name, settings)
    if (other !== undefined) return makeUnknown(`cinder.conf here is that of ${quote(other)}`)
    if (readInheritedDevices(after).some(({ read }) => isEntryOf(read, active)))
      return { kind: 'disproven', problem: `[${quote(name)}] still has ${quote(active)} as a replica` }
    const given = new Set(wanted?.options.keys())
    const mustAgree = wanted?.promote === undefined
    for (const before of listEarlier(facts, name)) {
      const entries = readDevices(before).flatMap(({ read }) => (isEntryOf(read, active) ? [read] : []))
      const [entry, ...more] = entries
      if (entry === undefined) continue
      if (more.some((each) => !isSameDevice(each, entry)))
        return makeUnknown(`[${quote(name)}] had entries for ${quote(active)} that differ`)
      return compare({ active, before, entry, after, given, mustAgree })
    }
    return makeUnknown(`nothing shows that the primary of [${quote(name)}] is ${quote(active)}`)
  } catch (error) {
    if (error instanceof AgentError) return makeUnknown(`cinder.conf cannot be read: ${error.problem}`)
    throw error
  }
}

/** Some drivers name the array by its serial number instead (dell_emc/sc/storagecenter_common.py, failover_host). */
export function isEntryOf(entry: Device, active: string): boolean {
  return [entry.get('backend_id'), entry.get('target_device_id')].includes(active)
}

/** The section before the edit, and as the copy from before an earlier edit has it. */
function listEarlier(facts: ConfigFacts, name: string): readonly ReadableSection[] {
  const { files } = facts
  const earlier = selectOldCopies(facts, name).map((copy) => withOldCopy(files, copy))
  return [files, ...earlier].flatMap((each) => readSection(each, name) ?? [])
}

function withOldCopy(files: readonly SourceFile[], { original, file }: OldCopy): readonly SourceFile[] {
  return files.map((each) => (each.path === original ? { ...each, bytes: file.bytes, text: file.text } : each))
}

interface Comparison {
  readonly active: string
  readonly before: ReadableSection
  readonly entry: Device
  readonly after: ReadableSection
  /** Options that the request sets itself. */
  readonly given: ReadonlySet<string>
  /** Whether those must agree with the entry: the request does not name the replica. */
  readonly mustAgree: boolean
}

/** Whether the options that name the array are those of the entry. */
function compare(comparison: Comparison): Evidence {
  const { active, before, after, given, mustAgree } = comparison
  const expected = listExpected(comparison)
  const naming = listNaming(comparison, expected)
  const has = (option: string) => readInheritedValue(after, option)
  const isOld = (option: string) => has(option) !== undefined && has(option) === readInheritedValue(before, option)
  const differs = (option: string) => expected.has(option) && (has(option) ?? null) !== expected.get(option)
  const section = `[${quote(after.name)}]`
  const list = (options: readonly string[]) =>
    formatList(
      options.map((each) => quote(each)),
      ' and ',
    )
  const others = naming.filter(differs)
  const stale = others.filter(isOld)
  if (stale.length > 0)
    return { kind: 'disproven', problem: `${list(stale)} of ${section} still belongs to the old primary` }
  const wrong = others.filter((option) => !isPath(has(option)))
  if (wrong.length > 0)
    return { kind: 'disproven', problem: `${list(wrong)} of ${section} is not what the entry of ${quote(active)} gave` }
  if (naming.every((option) => !expected.has(option)) && isSamePrimary(comparison))
    return { kind: 'disproven', problem: `${section} still has the old primary` }
  const unclear = [
    ...others,
    ...naming.filter((option) => !expected.has(option) && isOld(option) && !given.has(option)),
    ...[...given].filter((option) => mustAgree && !naming.includes(option) && differs(option)),
  ]
  if (unclear.length > 0)
    return makeUnknown(`it is not known whether ${list(unclear)} of ${section} belongs to ${quote(active)}`)
  // Arrays can share an address; what else would tell them apart is known of the drivers in the table alone.
  const isKnown = findIdentity(readInheritedValue(after, 'volume_driver') ?? '') !== undefined
  if (!naming.some((option) => expected.has(option) && (isKnown || !isOld(option))))
    return makeUnknown(`nothing shows that the primary of ${section} is ${quote(active)}`)
  return { kind: 'moved', left: [...expected.keys()].filter((option) => differs(option) && !given.has(option)) }
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

/** The options that name the array: by the driver's table, else those of equal name that hold an address. */
function listNaming({ after }: Comparison, expected: ReadonlyMap<string, string | null>): readonly string[] {
  const identity = findIdentity(readInheritedValue(after, 'volume_driver') ?? '')
  if (identity !== undefined) return Object.keys(identity.options)
  return [...expected.keys()].filter((option) => ADDRESS.test(option))
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
    section.assignments
      .filter(({ key }) => key !== 'replication_device')
      .filter((each) => normalizeSection(each.section) === normalizeSection(section.name))
      .map(({ key, value }) => JSON.stringify([key, value]))
      .sort()
      .join()
  return list(before) === list(after)
}
