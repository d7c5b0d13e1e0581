import type { ResultDocument } from '../../model/contract.generated.js'
import type { OptionValues } from './options.js'
import type { PrintableResult } from './printable.js'
import { hasFailedOver } from './status.js'

/** The backends that the options of `list` select. */
export function filterBackends(
  result: ResultDocument,
  { failedOver = false, cluster = false }: OptionValues,
): ResultDocument {
  if (result.failed || !(failedOver || cluster)) return result
  const all = cluster ? result.backends.filter((each) => each.cluster !== undefined) : result.backends
  const backends = failedOver ? all.filter(hasFailedOver) : all
  const kind = cluster ? 'clusters' : 'backends'
  const msg = failedOver ? `${backends.length} of ${all.length} ${kind} are failed over` : `Clusters: ${all.length}`
  return { ...result, msg, backends }
}

/** One name per line: hosts, or with `--cluster` clusters. */
export function renderNames({ backends }: PrintableResult, { cluster: onlyClusters = false }: OptionValues): string {
  const names = backends.flatMap(({ host, cluster, members = [] }) => {
    if (onlyClusters) return cluster ?? []
    return cluster === undefined ? (host ?? []) : members.map((member) => member.host)
  })
  return names.map((name) => `${name}\n`).join('')
}
