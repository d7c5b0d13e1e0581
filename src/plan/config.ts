import { isEntryOf } from '../drivers/drivers.js'
import { type Backend, getSectionName, normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, Observation } from '../model/observation.js'
import type { ConfigEdit } from '../model/plan.js'
import type { Request, WantedConfig } from '../model/request.js'
import { parseDevice } from '../oslo/device.js'
import { applyEdit } from '../oslo/editor.js'
import { findOtherBackend, makeOtherBackendError, warnOfOtherMachine } from '../oslo/other-backend.js'
import {
  assertDefinedOnce,
  type ConfigSection,
  findAssignments,
  locateSection,
  type PresentDevice,
  readInheritedValue,
  readSection,
  readValue,
  requireReadableDevices,
  withContent,
} from '../oslo/section.js'
import { type Device, formatDevice, formatValue, isSameDevice } from '../oslo/value.js'
import { readVolumeSettings, type VolumeSettings } from '../oslo/volume-settings.js'
import { quoteAll } from '../text/list.js'
import { quote } from '../text/quote.js'
import { type ConfigPlan, NO_CONFIG, planInDoubt } from './config-plan.js'
import {
  objectToFailedBack,
  objectToPromotion,
  objectToWrongReplica,
  skipPromotion,
  warnOfAssumedPromotion,
} from './config-refusals.js'
import { listEditWarnings } from './config-warnings.js'
import { findActiveEntry, findEvidence } from './evidence.js'
import { listOldCopies } from './old-copies.js'
import { findReplica, type Replica, requireSoundDevices } from './replica.js'
import { withEdit } from './with-edit.js'

/**
 * The edit of cinder.conf that is missing. Errors: config_error if the files leave open what to edit, invalid_request if what is wanted cannot
 * be written.
 */
export function planConfig(request: Request, { backends, config: facts }: Observation): ConfigPlan {
  const [backend] = backends
  if (facts === undefined || backend === undefined) return NO_CONFIG
  if (facts.doubt !== undefined) return planInDoubt(request, backend, facts.doubt)
  const planned = request.config === undefined ? NO_CONFIG : planSection(request.config, backend, facts)
  const settings = readOnce(facts)
  const after = withEdit(facts, planned.edit)
  const settingsAfter = after === facts ? settings : readOnce(after)
  const sight = { before: facts, after, settings }
  return {
    ...planned,
    ...findOtherOwner(backend, request, planned, settings),
    hasReplica: (each) => hasReplica(each, request, after.files, settingsAfter),
    findEvidence: (each) => findEvidence(each, request, sight),
    findActiveEntry: (each, when) =>
      findActiveEntry(each, request, when === 'now' ? { ...sight, after: facts } : sight),
    listOldCopies: (each) => listOldCopies(each, request, facts, settings),
  }
}

/** The settings, parsed at the first call: a request can name thousands of backends. */
function readOnce({ files, env, machine }: ConfigFacts): () => VolumeSettings {
  let known: VolumeSettings | undefined
  return () => {
    known ??= readVolumeSettings(files, env, machine)
    return known
  }
}

type OtherOwner = Pick<ConfigPlan, 'otherBackend' | 'notes'>

/** Whose cinder.conf it is. A reset alone needs none: then the files here may be those of another backend. */
function findOtherOwner(
  backend: Backend,
  { config, service }: Request,
  { section }: ConfigPlan,
  settings: () => VolumeSettings,
): OtherOwner {
  const { otherBackend, notes } = NO_CONFIG
  if (config === undefined && service === undefined) return { otherBackend, notes }
  const name = getSectionName(backend.target.name) ?? section?.name ?? 'DEFAULT'
  const other = findOtherBackend(backend, name, settings())
  return {
    otherBackend: other === undefined ? undefined : makeOtherBackendError(backend, other, settings().readHost(name)),
    notes: [...warnOfDisabledSection(name, settings()), ...warnOfOtherMachine(backend, name, settings())],
  }
}

/** cinder/cmd/volume.py starts what `enabled_backends` names, letter by letter. */
function warnOfDisabledSection(name: string, { enabledBackends }: VolumeSettings): readonly string[] {
  if (enabledBackends.length === 0 || enabledBackends.includes(name)) return []
  return [
    `[${quote(name)}] is not in enabled_backends (${quoteAll(enabledBackends, ', ')}), so cinder-volume here does not serve it and sends no heartbeat for it. Add it to enabled_backends.`,
  ]
}

function planSection(wanted: WantedConfig, backend: Backend, facts: ConfigFacts): ConfigPlan {
  const section = locateSection(wanted, backend.target, facts.files)
  const replica = findReplica(section, wanted, backend)
  const planned = { ...NO_CONFIG, section: { file: section.file.path, name: section.name } }
  const edit = makeEdit(section, wanted, replica)
  const { id, active, entry } = replica
  const isMissing = id !== undefined && entry === undefined
  const refusal = objectToWrongReplica(wanted, backend, replica)
  const mustBeProven = isMissing && active !== undefined
  const warnings =
    isMissing && active === undefined && isPromotionAlone(wanted) ? [warnOfAssumedPromotion(section, id)] : []
  if (edit === undefined) return { ...planned, warnings, refusal, mustBeProven }
  if (wanted.promote === true && id === undefined) return skipPromotion(backend, section, edit.options)
  const isForAnother = (entry !== undefined || (isMissing && replica.dropsOthers)) && active !== id
  return {
    ...planned,
    edit: {
      target: { kind: backend.target.kind, name: backend.target.name },
      backup: wanted.backup,
      keepsOldCopy: takesOutActive(section, edit, replica),
      ...edit,
      warnings: [
        ...warnOfForeignSection(section, backend),
        ...edit.warnings,
        ...(isMissing && active === undefined ? [warnOfAssumedPromotion(section, id)] : []),
      ],
    },
    refusal: isForAnother ? objectToPromotion(backend, id ?? '', active) : (refusal ?? objectToFailedBack(backend)),
    mustBeProven,
  }
}

/** Which `force` alone allows. */
function warnOfForeignSection({ name }: ConfigSection, { target }: Backend): readonly string[] {
  const own = getSectionName(target.name)
  if (own === undefined || normalizeSection(own) === normalizeSection(name)) return []
  return [`[${quote(name)}] is not the section of ${quote(target.name)}, and is edited by force.`]
}

/** Whether nothing in the request but the name tells what the section must have. */
function isPromotionAlone({ options, devices }: WantedConfig): boolean {
  return options.size === 0 && devices === undefined
}

/** Whether the section has the entry of the active array before the edit, and not after it. */
function takesOutActive(section: ConfigSection, { after }: SectionEdit, { active, present }: Replica): boolean {
  if (active === undefined) return false
  const volumeDriver = readInheritedValue(section, 'volume_driver') ?? ''
  const isActive = (entry: Device | undefined) => entry !== undefined && isEntryOf(volumeDriver, entry, active)
  const readText = (text: string) => present.find((each) => each.text === text)?.read ?? parseDevice(text).device
  const left = findAssignments(withContent(section, after), 'replication_device')
  return present.some(({ read }) => isActive(read)) && !left.some(({ value }) => isActive(readText(value)))
}

type SectionEdit = Omit<ConfigEdit, 'target' | 'backup' | 'keepsOldCopy'>

/** The file with all options and devices as wanted; undefined if it is so already. */
function makeEdit(section: ConfigSection, wanted: WantedConfig, replica: Replica): SectionEdit | undefined {
  const { file } = section
  const { settings, dropped, notes } = replica.promoted
  requireSoundDevices(section, replica, wanted.devices ?? replica.others)
  const asked = new Map([...settings, ...wanted.options])
  const devices = listMissingDevices(section, wanted.devices ?? replica.others, replica.present)
  const lacking = listMissingOptions(section, asked)
  const first = applyEdit(file.bytes, file.path, { section: section.name, options: lacking, devices })
  // An option that had the wanted value by a reference may lose it by this edit; then the value itself is written.
  const options = new Map([...lacking, ...listMissingOptions(withContent(section, first), asked)])
  const after = applyEdit(file.bytes, file.path, { section: section.name, options, devices })
  if (after.equals(file.bytes)) return undefined
  const edited = withContent(section, after)
  requireReadableDevices(edited) // the edit may change what an entry refers to
  return {
    file: file.path,
    section: section.name,
    before: file.bytes,
    after,
    options: [...options.keys(), ...(devices ? ['replication_device'] : [])],
    warnings: [
      ...listEditWarnings(section, { after: edited, asked, devices, given: wanted.devices }),
      ...dropped.flatMap((key) => warnOfDroppedKey(key, replica, wanted)),
      ...notes,
    ],
  }
}

/** Values are not shown, because they may be secrets. */
function warnOfDroppedKey(key: string, { id = '', entry }: Replica, { options }: WantedConfig): readonly string[] {
  const given = options.get(key)
  if (given !== undefined && String(given) === entry?.read.get(key)) return []
  const reason = given === undefined ? 'the request sets options instead' : 'the request sets another value'
  return [`${quote(key)} of ${quote(id)} is not copied to the section: ${reason}.`]
}

/** The options whose value is not yet as wanted, as they must stand in the file. */
function listMissingOptions(
  section: ConfigSection,
  wanted: WantedConfig['options'],
): ReadonlyMap<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const [name, value] of wanted) {
    const places = findAssignments(section, name)
    const isMissing = value === null ? places.length > 0 : !isSameValue(readValue(section, name), value)
    if (!isMissing) continue
    assertDefinedOnce(section, name, places, value === null)
    changes.set(name, value === null ? null : formatValue(name, String(value)))
  }
  return changes
}

function isSameValue(present: string | undefined, wanted: string | number | boolean): boolean {
  if (typeof wanted !== 'boolean') return present === String(wanted)
  const words = wanted ? ['true', '1', 'on', 'yes'] : ['false', '0', 'off', 'no'] // oslo_config/types.py, Boolean
  return present !== undefined && words.includes(present.toLowerCase())
}

/** All devices as they must stand in the file, if they are not yet as wanted. Devices that are there already stay as they are written. */
function listMissingDevices(
  section: ConfigSection,
  wanted: readonly Device[] | undefined,
  present: readonly PresentDevice[],
): readonly string[] | undefined {
  if (wanted === undefined) return undefined
  const isSame = (device: Device, { read }: PresentDevice) => isSameDevice(device, read)
  if (wanted.length === present.length && present.every((each, index) => isSame(wanted[index] ?? new Map(), each)))
    return undefined
  assertDefinedOnce(section, 'replication_device', findAssignments(section, 'replication_device'), true)
  return wanted.map((device) => present.find((each) => isSame(device, each))?.text ?? formatDevice(device))
}

/** Whether the backend's section names a replica, its own or one of [backend_defaults]; undefined if it cannot be read. */
function hasReplica(
  { target }: Backend,
  { config: wanted }: Request,
  files: ConfigFacts['files'],
  settings: () => VolumeSettings,
): boolean | undefined {
  const name = getSectionName(target.name) ?? wanted?.section ?? ''
  try {
    return readSection(files, name) && settings().hasReplica(name)
  } catch (error) {
    if (error instanceof AgentError) return undefined // a file that cannot be read shows nothing
    throw error
  }
}
