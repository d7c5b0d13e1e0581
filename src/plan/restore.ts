import type { Backend, Restoration, Row, RowChange } from '../model/backend.js'
import { COLUMNS, nameOf, rowsOf, sameState } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { Action } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { quote } from '../text/quote.js'

/** Rows put back to what they were, where they still hold what they were left with. Errors: conflict, naming what differs. */
export function restored(
  backend: Backend,
  restore: NonNullable<Request['restore']>,
): { actions: ReadonlySet<Action>; rows: readonly RowChange[] } {
  const actions = new Set<Action>()
  const rows = rowsOf(backend).map((row): RowChange => {
    const wanted = restore.get(nameOf(row))
    if (wanted === undefined || sameState(row.state, wanted.to)) return { row, after: row.state }
    if (!sameState(row.state, wanted.from)) throw moved(row, wanted)
    actions.add('restore')
    return { row, after: wanted.to, modifiedAt: wanted.modifiedAt }
  })
  return { actions, rows }
}

function moved(row: Row, { from }: Restoration): AgentError {
  const differing = COLUMNS.filter((column) => row.state[column] !== from[column]).map(
    (column) => `${column} is ${JSON.stringify(row.state[column])}, and was left as ${JSON.stringify(from[column])}`,
  )
  return new AgentError('conflict', `${quote(row.name)} was changed since: ${quote(differing.join('; '), 300)}.`, {
    hint: {
      request: 'Say what it shall be as a desired state, in place of undoing the older change.',
      command: 'Say with the other commands what it shall be, in place of undoing the older change.',
    },
    [row.table === 'services' ? 'host' : 'cluster']: row.name,
  })
}
