/**
 * cinder.conf as Cinder reads it (oslo.config), and edits of it that leave every other byte as it was: files.ts finds and reads the files,
 * ini.ts, config.ts and device.ts read their text, this file one backend's section, editor.ts makes the new content, write.ts replaces the file.
 * Imports model/ and text/ alone.
 *
 * Promised: what is refused here Cinder cannot read either; values read back as they were given; the file is replaced at once or not at all,
 * with its owner, mode and attributes; messages show no values, because they may be secrets.
 * Not promised: that Cinder accepts a value, nor that nobody else edits the file at the same time (a change seen is a conflict).
 */
import { type BackendName, getSectionName, normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import type { WantedConfig } from '../model/request.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { type DeviceFault, findOddity, parseDevice } from './device.js'
import { hasSection, type LocatedAssignment, readAssignments, selectAssignments } from './ini.js'
import type { Device } from './value.js'

/** A backend's section, with all files that Cinder reads, in its order. */
export interface ConfigSection {
  readonly files: readonly SourceFile[]
  /** The file to edit. */
  readonly file: SourceFile
  readonly name: string
  /** Of all files, in their order. */
  readonly assignments: readonly LocatedAssignment[]
  readonly lookup: Lookup
}

/** What is needed to read the section's options. */
export type ReadableSection = Pick<ConfigSection, 'name' | 'assignments' | 'lookup'>

/** Finds the one file that holds the section. Errors: invalid_request, config_error. */
export function locateSection(
  { file: path, section: asked }: WantedConfig,
  { name: backend, kind }: BackendName,
  files: readonly SourceFile[],
): ConfigSection {
  const name = asked ?? getSectionName(backend)
  if (name === undefined) {
    throw new AgentError('invalid_request', `The name "${quote(backend)}" has no "@" and so names no section.`, {
      hint: 'Set {section}.',
      [kind]: backend,
    })
  }
  const holding = files.filter((each) => (path === undefined || each.path === path) && hasSection(each, name))
  const [file, ...others] = holding
  if (file === undefined) throw noSectionError(name, path === undefined ? files.map((each) => each.path) : [path])
  if (others.length > 0) {
    const paths = holding.map((each) => quote(each.path)).join(', ')
    throw new AgentError('config_error', `The section [${quote(name)}] is in several files: ${paths}.`, {
      hint: 'Set {file} to one of them.',
    })
  }
  return { files, file, name, ...readContent(files) }
}

function noSectionError(section: string, paths: readonly string[]): AgentError {
  const places = paths.map((path) => quote(path)).join(', ')
  return new AgentError(
    'config_error',
    `There is no section [${quote(section)}] in ${places || 'the files that Cinder reads'}.`,
    { hint: 'Set {config_file}, or {section}.' },
  )
}

const HEADERS = new WeakMap<readonly SourceFile[], ReadonlySet<string>>()

/** The names of all sections, normalized. Without parsing: most resets are not about a section of the cinder.conf that is here. */
function listHeaders(files: readonly SourceFile[]): ReadonlySet<string> {
  const known = HEADERS.get(files)
  if (known !== undefined) return known
  const names = files.flatMap(({ text }) =>
    [...text.matchAll(/^\[(.*)\]/gm)].map(([, name = '']) => normalizeSection(name)),
  )
  const headers = new Set(names)
  HEADERS.set(files, headers)
  return headers
}

type Content = Pick<ConfigSection, 'assignments' | 'lookup'>

/** Files do not change once they were read, and a request may name thousands of sections. */
const CONTENTS = new WeakMap<readonly SourceFile[], Content>()

function readContent(files: readonly SourceFile[]): Content {
  const known = CONTENTS.get(files)
  if (known !== undefined) return known
  const content = { assignments: readAssignments(files), lookup: readConfig(files, {}) }
  CONTENTS.set(files, content)
  return content
}

/** The section as all files together have it; undefined if none has it. Errors: config_error. */
export function readSection(files: readonly SourceFile[], name: string): ReadableSection | undefined {
  return listHeaders(files).has(normalizeSection(name)) ? { name, ...readContent(files) } : undefined
}

/** All assignments of an option in the section, over all files. */
export function findAssignments({ assignments, name }: ReadableSection, key: string): readonly LocatedAssignment[] {
  return selectAssignments(assignments, name, key)
}

/** The value as Cinder reads it; undefined if it is not set, or refers to an unset option. */
export function readValue({ lookup, name }: ReadableSection, option: string): string | undefined {
  try {
    return lookup({ group: name, name: option })?.value
  } catch {
    return undefined
  }
}

/** The same, else from [backend_defaults]. */
export function readInheritedValue(section: ReadableSection, option: string): string | undefined {
  return readValue(section, option) ?? readValue({ ...section, name: 'backend_defaults' }, option)
}

/**
 * An edit must not be overridden by a later file; a removal must not uncover a value in any other file.
 * Errors: config_error.
 */
export function assertDefinedOnce(
  { files, file }: ConfigSection,
  option: string,
  assignments: readonly LocatedAssignment[],
  isRemoval: boolean,
): void {
  const order = files.map(({ path }) => path)
  const other = assignments.find(
    ({ path }) => path !== file.path && (isRemoval || order.indexOf(path) > order.indexOf(file.path)),
  )
  if (other === undefined) return
  const own = assignments.find(({ path }) => path === file.path)
  const place = own === undefined ? quote(file.path) : `${quote(own.path)}, line ${own.line}`
  throw new AgentError(
    'config_error',
    `${quote(option)} cannot be changed in ${place}: ${quote(other.path)}, line ${other.line}, sets it too.`,
    { hint: 'Remove one of the two. Where the options of the section are in several files, move all of them to one.' },
  )
}

/** A `replication_device` of the files. */
export interface PresentDevice {
  /** As the file has it, its lines without their indentation. */
  readonly text: string
  /** As Cinder reads it. */
  readonly read: Device
  readonly assignment: LocatedAssignment
}

/** Errors: config_error, with file and line, for a device that oslo.config refuses. */
export function readDevices(section: ReadableSection): readonly PresentDevice[] {
  return findAssignments(section, 'replication_device').map((assignment) => readDevice(section, assignment))
}

function readDevice({ lookup, name }: ReadableSection, assignment: LocatedAssignment): PresentDevice {
  const { value: text } = assignment
  const { device, fault } = parseDevice(lookup.expand({ value: text, place: placeOf(assignment) }, name))
  if (device !== undefined) return { text, read: device, assignment }
  throw makeDeviceError(assignment, parseDevice(text).fault ?? { ...fault, line: 0 }, 'Cinder cannot read it either.')
}

/** A device that oslo.config reads, but hardly as it is meant. `keys`: those that the driver knows. */
export function objectToDevice({ text, assignment }: PresentDevice, keys: readonly string[]): AgentError | undefined {
  const oddity = findOddity(text, keys)
  return oddity && makeDeviceError(assignment, oddity, 'Cinder reads it in the same way.')
}

function makeDeviceError(
  assignment: LocatedAssignment,
  { problem, hint, line }: DeviceFault,
  note: string,
): AgentError {
  const place = placeOf({ ...assignment, line: assignment.line + line })
  return new AgentError('config_error', `${place}: this replication_device ${problem}. ${note}`, { hint })
}

function placeOf({ path, line }: Pick<LocatedAssignment, 'path' | 'line'>): string {
  return `${quote(path)}, line ${line}`
}

/**
 * Errors: config_error for a device that oslo.config would refuse, of the section or else of [backend_defaults]. One that refers to an option that is not
 * set is not judged: Cinder may have a default for it.
 */
export function requireReadableDevices(section: ReadableSection): void {
  for (const each of findInheritedAssignments(section, 'replication_device')) {
    if (canExpand(section.lookup, each)) readDevice({ ...section, name: each.section }, each)
  }
}

function canExpand({ expand }: Lookup, { value, section }: LocatedAssignment): boolean {
  try {
    expand({ value, place: '' }, section)
    return true
  } catch {
    return false
  }
}

/** The devices of the section, or those of [backend_defaults] if it has none of its own. Errors: those of readDevices. */
export function readInheritedDevices(section: ReadableSection): readonly PresentDevice[] {
  return findInheritedAssignments(section, 'replication_device').map((each) =>
    readDevice({ ...section, name: each.section }, each),
  )
}

/** Those of the section, or of [backend_defaults] if it has none of its own (cinder/volume/configuration.py). */
function findInheritedAssignments(section: ReadableSection, key: string): readonly LocatedAssignment[] {
  const own = findAssignments(section, key)
  return own.length > 0 ? own : findAssignments({ ...section, name: 'backend_defaults' }, key)
}

const EDITED = new WeakMap<Buffer, SourceFile>()

/** The file with new content. The same bytes are the same file, so that it is parsed once. */
export function makeEditedFile(file: SourceFile, bytes: Buffer): SourceFile {
  const known = EDITED.get(bytes)
  if (known !== undefined) return known
  const edited = { ...file, bytes, text: bytes.toString('utf8') }
  EDITED.set(bytes, edited)
  return edited
}

/** The section once its file has the new content. */
export function withContent(section: ConfigSection, bytes: Buffer): ConfigSection {
  const file = makeEditedFile(section.file, bytes)
  const files = section.files.map((each) => (each === section.file ? file : each))
  return { ...section, files, file, ...readContent(files) }
}
