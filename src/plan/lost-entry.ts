import { type Backend, getSectionName, listActiveBackendIds } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, OldCopy, SourceFile } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { readInheritedDevices, readSection } from '../oslo/section.js'
import type { VolumeSettings } from '../oslo/volume-settings.js'
import { isEntryOf } from './evidence.js'
import { findForeignBackend, selectOldCopies } from './old-copies.js'

/** The array that a backend runs on, and whose entry its section does not have. */
export interface LostEntry {
  readonly active: string
  readonly section: string
  /** A copy of cinder.conf that still has the entry. */
  readonly copy: OldCopy | undefined
}

/**
 * Without that entry cinder-volume cannot start on the array that its row names: it would be on the primary alone. undefined if the rows name none, if
 * the entry is there, or if no cinder.conf of the backend can be read here.
 */
export function findLostEntry(
  backend: Backend,
  { config: wanted }: Pick<Request, 'config'>,
  facts: ConfigFacts,
  settings: () => VolumeSettings,
): LostEntry | undefined {
  const name = getSectionName(backend.target.name) ?? wanted?.section
  const arrays = listActiveBackendIds(backend)
  if (name === undefined || arrays.length === 0) return undefined
  try {
    if (findForeignBackend(backend, name, settings) !== undefined) return undefined
    const active = arrays.find((each) => hasEntry(facts.files, name, each) === false)
    if (active === undefined) return undefined
    const copy = selectOldCopies(facts, name).find(({ file }) => hasEntry([file], name, active))
    return { active, section: name, copy }
  } catch (error) {
    if (error instanceof AgentError) return undefined // a file that cannot be read shows nothing
    throw error
  }
}

/** undefined: the files do not have the section. */
function hasEntry(files: readonly SourceFile[], name: string, active: string): boolean | undefined {
  const section = readSection(files, name)
  return section && readInheritedDevices(section).some(({ read }) => isEntryOf(read, active))
}
