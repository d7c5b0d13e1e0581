import { resolve } from 'node:path'
import { isChange, makeTargetKey } from '../model/backend.js'
import type { ResultDocument } from '../model/contract.generated.js'
import type { Journal } from '../model/journal.js'
import type { BackendSummary } from '../plan/summary.js'

/**
 * A request that restores the rows that this run wrote; nothing if it wrote none. Rows that another run may have written are left out. The
 * connection is left out too, because it is a secret.
 */
export function makeUndo(
  summaries: readonly BackendSummary[],
  { request, unconfirmed }: Pick<Journal, 'request' | 'unconfirmed'>,
): Pick<ResultDocument, 'undo'> {
  const unknown = new Set(unconfirmed.map(makeTargetKey))
  const changes = summaries
    .filter(({ backend }) => !unknown.has(makeTargetKey(backend.target)))
    .flatMap(({ written }) => written.filter(isChange))
  if (request.checkMode || changes.length === 0) return {}
  const restore = changes.map(({ row, after }) => ({
    [row.table === 'services' ? 'host' : 'cluster']: row.name,
    from: after,
    to: {
      ...row.state,
      ...(row.table === 'services' && row.state.disabled !== after.disabled && { modified_at: row.modifiedAt }),
    },
  }))
  const { connection: _, ...source } = request.source
  const files = Object.fromEntries(
    Object.entries(source).map(([key, paths]) => [key, paths.map((path) => resolve(path))]),
  )
  return { undo: { restore, ...files } }
}
