/**
 * cinder.conf as Cinder reads it (oslo.config), and edits of it that leave every other byte as it was: files.ts finds and reads the files,
 * ini.ts and config.ts read their text, this file one backend's section, editor.ts makes the new content, write.ts replaces the file.
 * Imports model/ and text/ alone.
 *
 * Promised: what is refused here Cinder cannot read either; values read back as they were given; the file is replaced at once or not at all,
 * with its owner, mode and attributes; messages show no values, because they may be secrets.
 * Not promised: that Cinder accepts a value, nor that nobody else edits the file at the same time (a change seen is a conflict).
 */
import type { Backend } from '../model/backend.js'
import { sectionOf } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import type { WantedConfig } from '../model/request.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { type LocatedAssignment, normalizeSection, parseIni, readAssignments, selectAssignments } from './ini.js'
import { type Device, parseDevice } from './value.js'

/** A backend's section: the file to edit, with all that Cinder reads, in its order. */
export interface ConfigSection {
  readonly files: readonly SourceFile[]
  readonly target: SourceFile
  readonly section: string
  /** Of all files, in their order. */
  readonly assignments: readonly LocatedAssignment[]
  readonly lookup: Lookup
}

/** Finds the one file that holds the section. Errors: invalid_request, config_error. */
export function locateSection(
  { file, section: asked }: WantedConfig,
  { target: { name, kind } }: Backend,
  files: readonly SourceFile[],
): ConfigSection {
  const section = asked ?? sectionOf(name)
  if (section === undefined) {
    throw new AgentError('invalid_request', `The name "${quote(name)}" has no "@" and so names no section.`, {
      hint: 'Set {section}.',
      [kind]: name,
    })
  }
  const holding = files.filter(
    ({ path, text }) =>
      (file === undefined || path === file) &&
      parseIni(text, path).headers.some((each) => normalizeSection(each.section) === normalizeSection(section)),
  )
  const [target, ...others] = holding
  if (target === undefined) throw noSectionError(section, file === undefined ? files.map(({ path }) => path) : [file])
  if (others.length > 0) {
    const paths = holding.map(({ path }) => quote(path)).join(', ')
    throw new AgentError('config_error', `The section [${quote(section)}] is in several files: ${paths}.`, {
      hint: 'Set {file} to one of them.',
    })
  }
  return { files, target, section, ...readContent(files) }
}

function noSectionError(section: string, paths: readonly string[]): AgentError {
  const places = paths.map((path) => quote(path)).join(', ')
  return new AgentError(
    'config_error',
    `There is no section [${quote(section)}] in ${places || 'the files that Cinder reads'}.`,
    { hint: 'Set {config_file}, or {section}.' },
  )
}

function readContent(files: readonly SourceFile[]): Pick<ConfigSection, 'assignments' | 'lookup'> {
  return { assignments: readAssignments(files), lookup: readConfig(files, {}) }
}

/** All assignments of an option in the section, over all files. */
export function findAssignments({ assignments, section }: ConfigSection, key: string): readonly LocatedAssignment[] {
  return selectAssignments(assignments, section, key)
}

/** The value as Cinder reads it; undefined if it is not set, or refers to an unset option. */
export function readValue({ lookup, section }: ConfigSection, name: string): string | undefined {
  try {
    return lookup({ group: section, name })?.value
  } catch {
    return undefined
  }
}

/** The same, else from [backend_defaults]. */
export function readInheritedValue(config: ConfigSection, name: string): string | undefined {
  return readValue(config, name) ?? readValue({ ...config, section: 'backend_defaults' }, name)
}

/**
 * An edit must not be overridden by a later file; a removal must not uncover a value in any other file.
 * Errors: config_error.
 */
export function assertDefinedOnce(
  { files, target }: ConfigSection,
  name: string,
  assignments: readonly LocatedAssignment[],
  isRemoval: boolean,
): void {
  const order = files.map(({ path }) => path)
  const other = assignments.find(
    ({ path }) => path !== target.path && (isRemoval || order.indexOf(path) > order.indexOf(target.path)),
  )
  if (other === undefined) return
  const own = assignments.find(({ path }) => path === target.path)
  const place = own === undefined ? quote(target.path) : `${quote(own.path)}, line ${own.line}`
  throw new AgentError(
    'config_error',
    `${quote(name)} cannot be changed in ${place}: ${quote(other.path)}, line ${other.line}, sets it too.`,
    { hint: 'Remove one of the two, or set {file} to the other file.' },
  )
}

/** A `replication_device` with its values as in the file, and as Cinder reads them. */
export interface PresentDevice {
  readonly raw: Device
  readonly read: Device
}

export function readDevices(config: ConfigSection): readonly PresentDevice[] {
  return findAssignments(config, 'replication_device').map(({ value, path, line }) => {
    const place = `${quote(path)}, line ${line}`
    const raw = parseDevice(value)
    const read = parseDevice(config.lookup.expand({ value, place }, config.section))
    if (raw !== undefined && read !== undefined) return { raw, read }
    throw new AgentError('config_error', `${place}: this replication_device is not a list of key:value.`, {
      hint: 'Correct the line; Cinder cannot read it either.',
    })
  })
}

/** The section once the target has the new content. */
export function withContent(config: ConfigSection, bytes: Buffer): ConfigSection {
  const target = { ...config.target, bytes, text: bytes.toString('utf8') }
  const files = config.files.map((file) => (file === config.target ? target : file))
  return { ...config, files, target, ...readContent(files) }
}
