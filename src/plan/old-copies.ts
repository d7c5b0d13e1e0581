import { type Backend, getSectionName, normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, OldCopy } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { findOtherBackend } from '../oslo/other-backend.js'
import type { VolumeSettings } from '../oslo/volume-settings.js'

export function selectOldCopies({ oldCopies }: ConfigFacts, name: string): readonly OldCopy[] {
  return oldCopies.filter(({ section }) => normalizeSection(section) === normalizeSection(name))
}

/** The backend that cinder.conf gives the section to, if it is another one. Any member shows what the section of a cluster is. */
export function findUnrelatedBackend(
  backend: Backend,
  section: string,
  settings: () => VolumeSettings,
): string | undefined {
  const hosts = backend.services.map((row) => row.name)
  return findOtherBackend(backend, section, settings(), hosts)
}

/** Without those beside the cinder.conf of another host, where they are proof for a backend whose section may have the same name. */
export function listOldCopies(
  backend: Backend,
  { config: wanted }: Pick<Request, 'config'>,
  facts: ConfigFacts,
  settings: () => VolumeSettings,
): readonly OldCopy[] {
  const name = getSectionName(backend.target.name) ?? wanted?.section
  const copies = name === undefined ? [] : selectOldCopies(facts, name)
  if (name === undefined || copies.length === 0) return []
  try {
    return findUnrelatedBackend(backend, name, settings) === undefined ? copies : []
  } catch (error) {
    if (error instanceof AgentError) return [] // a file that cannot be read does not tell whose it is
    throw error
  }
}
