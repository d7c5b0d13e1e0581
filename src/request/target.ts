import type { Desired, Scope, Target } from '../model/backend.js'
import type { RequestDocument, TargetDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** The backends, with the state wanted of each. Errors: invalid_request. */
export function parseTargets(document: RequestDocument): Scope {
  const { backends, restore } = document
  if (backends === 'all') {
    requireReportOnly(document, 'backends: all', 'List the backends to change.')
    return 'all'
  }
  const items: readonly TargetDocument[] = Array.isArray(backends) ? backends : (restore ?? [document])
  const targets = items.map((item) => parseTarget(item, document))
  const seen = new Set<string>()
  for (const { kind, name } of targets) {
    if (seen.has(`${kind} ${name}`)) {
      throw new AgentError('invalid_request', `The ${kind} ${quote(name)} occurs twice in backends.`, {
        hint: 'Remove one of the two.',
        [kind]: name,
      })
    }
    seen.add(`${kind} ${name}`)
  }
  return targets
}

function parseTarget(item: TargetDocument, defaults: RequestDocument): Target {
  const kind = item.cluster === undefined ? 'host' : 'cluster'
  const name = item.cluster ?? item.host ?? ''
  const pool = name.indexOf('#')
  if (pool >= 0) {
    throw new AgentError('invalid_request', `"${quote(name)}" names a pool, not a backend.`, {
      hint: `Use the ${kind} alone: "${quote(name.slice(0, pool))}".`,
      [kind]: name,
    })
  }
  const promoted = item.promoted ?? defaults.promoted
  return { kind, name, desired: parseDesired(item, defaults), ...(promoted !== undefined && { promoted }) }
}

function parseDesired(item: TargetDocument, defaults: RequestDocument): Desired {
  const { active_backend_id, replication_status } = defaults
  return {
    active_backend: item.active_backend ?? defaults.active_backend,
    replication: item.replication ?? defaults.replication,
    frozen: item.frozen ?? defaults.frozen,
    ...(active_backend_id !== undefined && { active_backend_id: active_backend_id || null }),
    ...(replication_status !== undefined && { replication_status }),
  }
}

/** Errors: invalid_request if the request asks for a change too. */
export function requireReportOnly(document: RequestDocument, what: string, hint: string): void {
  const asked = [...STATES, 'config', 'service'].find((key) => Object.hasOwn(document, key))
  if (asked === undefined) return
  throw new AgentError('invalid_request', `${what} cannot be combined with ${asked}.`, { hint })
}

const STATES: readonly (keyof Desired)[] = [
  'active_backend',
  'replication',
  'frozen',
  'active_backend_id',
  'replication_status',
]

/** Columns that are set past all guards. Errors: invalid_request. */
export function requireForce(document: RequestDocument): void {
  const set = (['active_backend_id', 'replication_status'] as const).find((key) => document[key] !== undefined)
  if (set === undefined) return
  requireOneBackend(set, document.backends)
  const other = (['active_backend', 'replication'] as const).find((key) => document[key] !== undefined)
  if (other !== undefined) {
    throw new AgentError('invalid_request', `${set} and ${other} cannot be combined.`, {
      hint: 'Remove one of the two.',
    })
  }
  if (document.force === true) return
  throw new AgentError('invalid_request', `${set} bypasses all guards and requires force: true.`, {
    hint: 'Use active_backend: reset and replication: enabled for a backend that is failed over. Else add {force}.',
  })
}

export function requireOneBackend(key: string, backends: RequestDocument['backends']): void {
  if (backends === undefined) return
  throw new AgentError('invalid_request', `${key} is for one backend, but backends names several.`, {
    hint: `Set ${key} with host or cluster.`,
  })
}
