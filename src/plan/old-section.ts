import type { Backend } from '../model/backend.js'
import { rowsOf, sectionOf } from '../model/backend.js'
import { type LocatedAssignment, selectAssignments } from '../oslo/ini.js'
import { parseDevice } from '../oslo/value.js'
import { quote } from '../text/quote.js'

/** Whether the backend's section still has as a replica what shall be its primary after the reset: then it would start on the old one. */
export function oldSection(backend: Backend, assignments: readonly LocatedAssignment[]): readonly string[] {
  const section = sectionOf(backend.target.name) ?? ''
  const active = rowsOf(backend).flatMap(({ state }) => state.active_backend_id || [])
  const replicas = selectAssignments(assignments, section, 'replication_device').flatMap(
    ({ value }) => parseDevice(value)?.get('backend_id') ?? [],
  )
  const [still] = replicas.filter((id) => active.includes(id))
  if (still === undefined) return []
  return [
    `cinder.conf here still has ${quote(still)} as a replication target of [${quote(section)}]: after the reset cinder-volume would start on the old primary. Edit it before the start.`,
  ]
}
