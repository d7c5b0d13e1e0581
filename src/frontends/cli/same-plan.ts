import { COLUMNS, makeRowKey } from '../../model/backend.js'
import { AgentError } from '../../model/errors.js'
import type { Plan, Step } from '../../model/plan.js'

/**
 * Keeps what the first plan does, and refuses later plans that do anything else: somebody can change the rows or cinder.conf before the user has
 * answered, or while the run is under way. Until a step is done, a plan must find every row as it was shown, or have nothing to do. Later plans may
 * do less, because the driver sets replication_status at its start. Errors: conflict.
 */
export function requireSamePlan(): (plan: Plan, done: readonly Step[]) => void {
  let shown: { readonly effects: ReadonlySet<string>; readonly whole: string } | undefined
  return ({ steps }, done) => {
    const effects = steps.flatMap(listEffects)
    const whole = JSON.stringify([effects, steps.flatMap(listStates)])
    shown ??= { effects: new Set(effects), whole }
    const { effects: expected } = shown
    if (effects.length === 0 || whole === shown.whole) return
    if (done.length > 0 && effects.every((effect) => expected.has(effect))) return
    throw new AgentError('conflict', 'What is to be changed now is no longer what was shown.', {
      hint: 'Run it again to see the new plan.',
    })
  }
}

/** What a step changes, each change with what it finds before. Waiting changes nothing. */
function listEffects(step: Step): readonly string[] {
  switch (step.kind) {
    case 'write_rows':
      return step.changes
        .flatMap(({ rows }) => rows)
        .flatMap(({ row, after }) =>
          COLUMNS.filter((column) => row.state[column] !== after[column]).map((column) =>
            JSON.stringify([makeRowKey(row), row.name, column, row.state[column], after[column]]),
          ),
        )
    case 'update_config':
      return step.edits.map(({ file, before, after }) =>
        JSON.stringify([file, before.toString('base64'), after.toString('base64')]),
      )
    case 'stop_service':
    case 'start_service':
      return [step.kind]
    case 'remove_old_copy':
    case 'await_down':
    case 'await_heartbeat':
      return []
  }
}

/** The rows that a step writes, as they are before it. */
function listStates(step: Step): readonly unknown[] {
  return step.kind === 'write_rows' ? step.changes.flatMap(({ rows }) => rows.map(({ row }) => row.state)) : []
}
