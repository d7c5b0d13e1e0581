import { sortActions } from '../model/actions.js'
import { type Backend, listRows, makeRowKey, makeTargetKey, type Row, type RowChange } from '../model/backend.js'
import type { Action } from '../model/contract.generated.js'
import type { Observation } from '../model/observation.js'
import type { ConfigEdit, Step } from '../model/plan.js'

/** What steps do to one backend, done or to be done. */
export interface BackendSummary {
  readonly backend: Backend
  readonly actions: readonly Action[]
  /** Every row, also one that no step writes: before the first step and after the last. */
  readonly rows: readonly RowChange[]
  /** What the steps write, from before the first of them to after the last. */
  readonly written: readonly RowChange[]
  readonly edit: ConfigEdit | undefined
}

/** What was seen around the steps. */
interface Frame {
  readonly first: Observation
  readonly last: Observation
  /** false: the steps are a plan, whose later rows are predictions. */
  readonly isDone: boolean
}

/** The steps by backend. */
export function summarizeSteps(steps: readonly Step[], { first, last, isDone }: Frame): readonly BackendSummary[] {
  const changes = composeChanges(steps)
  const actions = groupActions(steps)
  const edits = steps.flatMap((step) => (step.kind === 'update_config' ? step.edits : []))
  const before = new Map(first.backends.flatMap(listRows).map((row) => [makeRowKey(row), row]))
  const summarizeRow = (row: Row): RowChange => {
    const key = makeRowKey(row)
    const change = changes.get(key)
    const seen = before.get(key) ?? row
    if (change === undefined) return { row: seen, after: row.state }
    // The driver writes into the row at a start, so only a change before it has the row as the run found it.
    const original = isDone && !change.isAfterStart ? change.row : seen
    return { row: original, after: isDone ? row.state : change.after }
  }
  return last.backends.map((backend) => {
    const key = makeTargetKey(backend.target)
    const edit = edits.find(({ target }) => makeTargetKey(target) === key)
    const rows = listRows(backend).map(summarizeRow)
    return {
      backend,
      actions: sortActions([
        ...(actions.get(key) ?? []),
        ...steps.flatMap((step) => (step.kind === 'stop_service' || step.kind === 'start_service' ? step.actions : [])),
        ...(edit ? (['update_config'] as const) : []),
      ]),
      rows,
      written: listRows(backend).flatMap((row) => changes.get(makeRowKey(row)) ?? []),
      edit,
    }
  })
}

/** What the steps write, by row: from before its first change to after its last. */
function composeChanges(steps: readonly Step[]): ReadonlyMap<string, ComposedChange> {
  const composed = new Map<string, ComposedChange>()
  let isAfterStart = false
  for (const step of steps) {
    if (step.kind === 'start_service') isAfterStart = true
    if (step.kind !== 'write_rows') continue
    for (const change of step.changes.flatMap(({ rows }) => rows)) {
      const key = makeRowKey(change.row)
      const first = composed.get(key)
      composed.set(key, { ...change, row: first?.row ?? change.row, isAfterStart: first?.isAfterStart ?? isAfterStart })
    }
  }
  return composed
}

interface ComposedChange extends RowChange {
  /** Whether its first writing comes after a start of the service. */
  readonly isAfterStart: boolean
}

function groupActions(steps: readonly Step[]): ReadonlyMap<string, readonly Action[]> {
  const grouped = new Map<string, readonly Action[]>()
  for (const step of steps) {
    if (step.kind !== 'write_rows') continue
    for (const { backend, actions } of step.changes) {
      const key = makeTargetKey(backend.target)
      grouped.set(key, [...(grouped.get(key) ?? []), ...actions])
    }
  }
  return grouped
}
