import { AgentError } from '../../model/errors.js'
import type { Plan } from '../../model/plan.js'

/**
 * Keeps the first plan, and refuses a later plan that does something else: somebody can change the rows or cinder.conf before the user has
 * answered. Errors: conflict.
 */
export function requireSamePlan(): (plan: Plan) => void {
  let first: string | undefined
  return (plan) => {
    const current = JSON.stringify(
      plan.map(({ actions, rows, config }) => [
        actions,
        rows.map(({ row, after }) => [row.table, row.name, row.state, after]),
        config && [config.file, config.options, config.before.toString('base64'), config.after.toString('base64')],
      ]),
    )
    first ??= current
    if (current === first || plan.every(({ actions }) => actions.length === 0)) return
    throw new AgentError('conflict', 'The plan is not the one that was shown. Nothing was changed.', {
      hint: 'Run it again to see the new plan.',
    })
  }
}
