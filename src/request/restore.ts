import type { BackendState, Restoration } from '../model/backend.js'
import { makeRowName } from '../model/backend.js'
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { requireReportOnly } from './target.js'

/** The rows to put back, by `makeRowName` each. Errors: invalid_request. */
export function parseRestore(document: RequestDocument): ReadonlyMap<string, Restoration> | undefined {
  const { restore } = document
  if (restore === undefined) return undefined
  requireReportOnly(document, 'restore', 'Remove one of the two.')
  return new Map(
    restore.map(({ host, cluster, from, to }) => {
      const row =
        host === undefined
          ? { table: 'clusters' as const, name: cluster ?? '' }
          : { table: 'services' as const, name: host }
      const { modified_at } = to
      return [
        makeRowName(row),
        {
          from: parseColumns(from),
          to: parseColumns(to),
          modifiedAt: typeof modified_at === 'boolean' ? undefined : modified_at,
        },
      ]
    }),
  )
}

/** The columns with the types that they have in a result. Errors: invalid_request. */
function parseColumns(columns: Readonly<Record<string, string | boolean | null>>): BackendState {
  const text = (key: keyof BackendState) => {
    const value = columns[key]
    return value === null || typeof value === 'string' ? value : throwWrongType(key)
  }
  const boolean = (key: keyof BackendState) => {
    const value = columns[key]
    return value === null || typeof value === 'boolean' ? value : throwWrongType(key)
  }
  return {
    disabled: boolean('disabled'),
    disabled_reason: text('disabled_reason'),
    replication_status: text('replication_status'),
    active_backend_id: text('active_backend_id'),
    frozen: boolean('frozen'),
  }
}

function throwWrongType(key: string): never {
  throw new AgentError('invalid_request', `${key} in restore has another type than in the undo of a result.`, {
    hint: 'Copy undo unchanged from the result.',
  })
}
