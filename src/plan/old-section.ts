import { quotable } from '../errors.js'
import type { SourceFile } from '../oslo/files.js'
import { normalized, parseIni } from '../oslo/ini.js'
import { deviceOf } from '../oslo/value.js'
import type { Backend } from '../types.js'
import { rowsOf } from './backend.js'

/** Whether the backend's section still has as a replica what shall be its primary after the reset: then it would start on the old one. */
export function oldSection(backend: Backend, files: readonly SourceFile[]): readonly string[] {
  const section = backend.target.name.split('@')[1] ?? ''
  const active = rowsOf(backend).flatMap(({ state }) => state.active_backend_id || [])
  const replicas = files
    .flatMap(({ path, text }) => parseIni(text, path).assignments)
    .filter((each) => each.key === 'replication_device' && normalized(each.section) === normalized(section))
    .flatMap(({ value }) => deviceOf(value)?.get('backend_id') ?? [])
  const [still] = replicas.filter((id) => active.includes(id))
  if (still === undefined) return []
  return [
    `cinder.conf here still has ${quotable(still)} as a replication target of [${quotable(section)}]: after the reset cinder-volume would start on the old primary. Edit it before the start.`,
  ]
}
