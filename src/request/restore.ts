import type { BackendState, Restoration } from '../model/backend.js'
import { makeRowName } from '../model/backend.js'
import type { RequestDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { mustOnlyReport } from './target.js'

/** The rows to be put back, by `makeRowName` each. Errors: invalid_request. */
export function restoreOf(document: RequestDocument): ReadonlyMap<string, Restoration> | undefined {
  const { restore } = document
  if (restore === undefined) return undefined
  mustOnlyReport(document, 'restore')
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
          from: stateOf(from),
          to: stateOf(to),
          modifiedAt: typeof modified_at === 'boolean' ? undefined : modified_at,
        },
      ]
    }),
  )
}

/** The columns with the types that they have in a result. Errors: invalid_request. */
function stateOf(columns: Readonly<Record<string, string | boolean | null>>): BackendState {
  const text = (key: keyof BackendState) => typed(columns[key], 'string', key)
  const boolean = (key: keyof BackendState) => typed(columns[key], 'boolean', key)
  return {
    disabled: boolean('disabled'),
    disabled_reason: text('disabled_reason'),
    replication_status: text('replication_status'),
    active_backend_id: text('active_backend_id'),
    frozen: boolean('frozen'),
  }
}

function typed<T extends 'string' | 'boolean'>(value: unknown, type: T, key: string) {
  if (value === null || typeof value === type) return value as (T extends 'string' ? string : boolean) | null // as just seen
  throw new AgentError('invalid_request', `${key} in restore is not what undo of a result has there.`, {
    hint: 'Give it back as it was.',
  })
}
