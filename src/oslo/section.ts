import type { Backend } from '../model/backend.js'
import { sectionOf } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import type { WantedConfig } from '../model/request.js'
import { quote } from '../text/quote.js'
import { type Lookup, readConfig } from './config.js'
import { assignedIn, assignmentsIn, normalized, type Placed, parseIni } from './ini.js'
import { type Device, deviceOf } from './value.js'

/** The file to edit with the others that Cinder reads, in its order, and what stands in the section. */
export interface Site {
  readonly files: readonly SourceFile[]
  readonly target: SourceFile
  readonly section: string
  /** Of all files, in their order. */
  readonly assignments: readonly Placed[]
  readonly lookup: Lookup
}

export function siteOf(
  { file, section: asked }: WantedConfig,
  { target: { name, kind } }: Backend,
  files: readonly SourceFile[],
): Site {
  const section = asked ?? sectionOf(name)
  if (section === undefined) {
    throw new AgentError('invalid_request', `The section of "${quote(name)}" is not told by its name.`, {
      hint: { request: 'Give config.section.', command: 'Use apply with config.section.' },
      [kind]: name,
    })
  }
  const holding = files.filter(
    ({ path, text }) =>
      (file === undefined || path === file) &&
      parseIni(text, path).headers.some((each) => normalized(each.section) === normalized(section)),
  )
  const [target, ...others] = holding
  if (target === undefined) {
    const where = (file === undefined ? files.map(({ path }) => path) : [file]).map((path) => quote(path)).join(', ')
    throw new AgentError(
      'config_error',
      `There is no section [${quote(section)}] in ${where || 'the files that Cinder reads'}.`,
      {
        hint: {
          request: 'Give config.section, or config.file.',
          command: 'Give --config-file, or use apply with config.section or config.file.',
        },
      },
    )
  }
  if (others.length > 0) {
    const where = holding.map(({ path }) => quote(path)).join(', ')
    throw new AgentError('config_error', `The section [${quote(section)}] stands in several files: ${where}.`, {
      hint: { request: 'Name one of them in config.file.', command: 'Use apply, and name one of them in config.file.' },
    })
  }
  return { files, target, section, ...contentOf(files) }
}

function contentOf(files: readonly SourceFile[]): Pick<Site, 'assignments' | 'lookup'> {
  return { assignments: assignmentsIn(files), lookup: readConfig(files, {}) }
}

/** All assignments of an option in the section, over all files. */
export function placesOf({ assignments, section }: Site, key: string): readonly Placed[] {
  return assignedIn(assignments, section, key)
}

/** The value as Cinder gets it; undefined where it is not set, or refers to what is not there. */
export function readValue({ lookup, section }: Site, name: string): string | undefined {
  try {
    return lookup({ group: section, name })?.value
  } catch {
    return undefined
  }
}

/** The same, else as [backend_defaults] has it. */
export function inheritedValue(site: Site, name: string): string | undefined {
  return readValue(site, name) ?? readValue({ ...site, section: 'backend_defaults' }, name)
}

/** An edit in one file must not be undone by another one that Cinder reads, nor let that one shine through. */
export function mustBeAlone({ files, target }: Site, name: string, places: readonly Placed[], toRemove: boolean): void {
  const order = files.map(({ path }) => path)
  const other = places.find(
    ({ path }) => path !== target.path && (toRemove || order.indexOf(path) > order.indexOf(target.path)),
  )
  if (other === undefined) return
  const own = places.find(({ path }) => path === target.path)
  const where = own === undefined ? quote(target.path) : `${quote(own.path)}, line ${own.line}`
  throw new AgentError(
    'config_error',
    `${quote(name)} is to be changed in ${where}, but ${quote(other.path)}, line ${other.line}, sets it too.`,
    {
      hint: {
        request: 'Take it out there, or name that file in config.file.',
        command: 'Take it out there, or use apply, and name that file in config.file.',
      },
    },
  )
}

/** A `replication_device` as it stands in the file, and as Cinder gets it. */
export interface PresentDevice {
  readonly raw: Device
  readonly read: Device
}

export function devicesOf(site: Site): readonly PresentDevice[] {
  return placesOf(site, 'replication_device').map(({ value, path, line }) => {
    const place = `${quote(path)}, line ${line}`
    const raw = deviceOf(value)
    const read = deviceOf(site.lookup.expand({ value, place }, site.section))
    if (raw !== undefined && read !== undefined) return { raw, read }
    throw new AgentError('config_error', `${place}: this replication_device is not a list of key:value.`, {
      hint: 'Correct it; Cinder cannot read it either.',
    })
  })
}

/** The same place once the target holds the new content. */
export function siteAfter(site: Site, bytes: Buffer): Site {
  const target = { ...site.target, bytes, text: bytes.toString('utf8') }
  const files = site.files.map((file) => (file === site.target ? target : file))
  return { ...site, files, target, ...contentOf(files) }
}
