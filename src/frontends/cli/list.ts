import type { ResultDocument } from '../../model/contract.generated.js'
import { quote } from '../../text/quote.js'
import type { Values } from './options.js'
import { isMarked } from './standing.js'

/** Characters of a name in the tables. */
const LONGEST = 255

/** What `list` was asked for. */
export function chosen(result: ResultDocument, { failedOver = false, cluster = false }: Values): ResultDocument {
  if (result.failed || !(failedOver || cluster)) return result
  const all = cluster ? result.backends.filter((each) => each.cluster !== undefined) : result.backends
  const backends = failedOver ? all.filter(isMarked) : all
  const kind = cluster ? 'clusters' : 'backends'
  const msg = failedOver ? `${backends.length} of ${all.length} ${kind} are failed over` : `Clusters: ${all.length}`
  return { ...result, msg, backends }
}

export function names({ backends }: ResultDocument, { cluster: ofClusters = false }: Values): string {
  const found = backends.flatMap(({ host, cluster, members = [] }) =>
    ofClusters ? (cluster ?? []) : cluster === undefined ? (host ?? []) : members.map((member) => member.host),
  )
  return found.map((name) => `${quote(name, LONGEST)}\n`).join('')
}
