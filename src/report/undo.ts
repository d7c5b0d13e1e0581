import { resolve } from 'node:path'
import { type BackendState, COLUMNS, isChange, makeRowKey, makeTargetKey, type RowChange } from '../model/backend.js'
import type { ResultDocument } from '../model/contract.generated.js'
import { isFailedOver } from '../model/failover.js'
import type { Journal } from '../model/journal.js'
import type { BackendSummary } from '../plan/summary.js'

type UndoFacts = Pick<Journal, 'request' | 'unconfirmed'>

/**
 * A request that restores the rows that this run wrote; nothing if it wrote none. Rows that another run may have written, or that somebody has
 * changed since, are left out. The connection is left out too, because it is a secret.
 */
export function makeUndo(summaries: readonly BackendSummary[], facts: UndoFacts): Pick<ResultDocument, 'undo'> {
  const { request } = facts
  const changes = listWritten(summaries, facts).filter((change) => !change.isOverwritten)
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

/** The names of rows that this run wrote, and that a failover or somebody else has changed since. */
export function listRowsBeyondUndo(summaries: readonly BackendSummary[], facts: UndoFacts): readonly string[] {
  if (facts.request.checkMode) return []
  return listWritten(summaries, facts).flatMap(({ row, isOverwritten }) => (isOverwritten ? [row.name] : []))
}

interface WrittenRow extends RowChange {
  readonly isOverwritten: boolean
}

function listWritten(summaries: readonly BackendSummary[], { unconfirmed }: UndoFacts): readonly WrittenRow[] {
  const unknown = new Set(unconfirmed.map(makeTargetKey))
  return summaries
    .filter(({ backend }) => !unknown.has(makeTargetKey(backend.target)))
    .flatMap(({ rows, written }) => {
      const now = new Map(rows.map(({ row, after }) => [makeRowKey(row), after]))
      return written
        .filter(isChange)
        .map((change) => ({ ...change, isOverwritten: isOverwritten(change.after, now.get(makeRowKey(change.row))) }))
    })
}

/** The driver sets replication_status at each start; on a backend that is failed over only a failover does. */
function isOverwritten(written: BackendState, now: BackendState = written): boolean {
  const isDriver = !isFailedOver(written) && !isFailedOver(now)
  return COLUMNS.some((column) => written[column] !== now[column] && !(isDriver && column === 'replication_status'))
}
