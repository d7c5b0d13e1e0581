import { AgentError } from '../model/errors.js'
import type { Plan, Refusal } from '../model/plan.js'
import type { Request } from '../model/request.js'

/** Throws the first refusal, or the obstacle that not even `force` passes. Returns the refusals that `force` passed over. */
export function enforceGuards({ refusals, obstacle }: Plan, { force }: Request): readonly Refusal[] {
  const [first] = force ? [] : refusals
  if (first !== undefined) {
    const { code, problem, hint, target } = first
    throw new AgentError(code, problem, { hint, [target.kind]: target.name })
  }
  if (obstacle !== undefined) throw obstacle
  return refusals
}
