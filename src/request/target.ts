import type { Desired, Scope, Target } from '../model/backend.js'
import type { RequestDocument, TargetDocument } from '../model/contract.generated.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

/** What the request is about, and what it wants of each. Errors: invalid_request. */
export function targetsOf(document: RequestDocument): Scope {
  const { backends, restore } = document
  if (backends === 'all') {
    mustOnlyReport(document, 'backends: all')
    return 'all'
  }
  const items: readonly TargetDocument[] = Array.isArray(backends) ? backends : (restore ?? [document])
  const targets = items.map((item) => toTarget(item, document))
  const seen = new Set<string>()
  for (const { kind, name } of targets) {
    if (seen.has(`${kind} ${name}`)) {
      throw new AgentError('invalid_request', `The ${kind} ${quote(name)} stands twice in backends.`, {
        [kind]: name,
      })
    }
    seen.add(`${kind} ${name}`)
  }
  return targets
}

function toTarget(item: TargetDocument, defaults: RequestDocument): Target {
  const kind = item.cluster === undefined ? 'host' : 'cluster'
  const name = item.cluster ?? item.host ?? ''
  const pool = name.indexOf('#')
  if (pool >= 0) {
    throw new AgentError('invalid_request', `"${quote(name)}" names a pool of a backend.`, {
      hint: `Name the ${kind} alone: "${quote(name.slice(0, pool))}".`,
      [kind]: name,
    })
  }
  return { kind, name, desired: desiredOf(item, defaults) }
}

function desiredOf(item: TargetDocument, defaults: RequestDocument): Desired {
  const { active_backend_id, replication_status } = defaults
  return {
    active_backend: item.active_backend ?? defaults.active_backend,
    replication: item.replication ?? defaults.replication,
    frozen: item.frozen ?? defaults.frozen,
    ...(active_backend_id !== undefined && { active_backend_id: active_backend_id || null }),
    ...(replication_status !== undefined && { replication_status }),
  }
}

/** Errors: invalid_request where anything is asked for beside it. */
export function mustOnlyReport(document: RequestDocument, what: string): void {
  const asked = [...STATES, 'config', 'service'].find((key) => Object.hasOwn(document, key))
  if (asked === undefined) return
  throw new AgentError('invalid_request', `${what} goes without ${asked}.`, { hint: 'Name the backends to change.' })
}

const STATES: readonly (keyof Desired)[] = [
  'active_backend',
  'replication',
  'frozen',
  'active_backend_id',
  'replication_status',
]

/** What may only be set by somebody who knows better than the row. Errors: invalid_request. */
export function mustBeForced(document: RequestDocument): void {
  const set = (['active_backend_id', 'replication_status'] as const).find((key) => document[key] !== undefined)
  if (set === undefined) return
  mustBeOne(set, document.backends)
  const other = (['active_backend', 'replication'] as const).find((key) => document[key] !== undefined)
  if (other !== undefined) {
    throw new AgentError('invalid_request', `${set} and ${other} contradict each other.`, { hint: 'Give one of them.' })
  }
  if (document.force === true) return
  throw new AgentError('invalid_request', `${set} is set as it is, past all guards, so it needs force: true.`, {
    hint: 'To bring a backend back to normal say active_backend: reset and replication: enabled instead.',
  })
}

export function mustBeOne(key: string, backends: RequestDocument['backends']): void {
  if (backends === undefined) return
  throw new AgentError('invalid_request', `${key} is about one backend, but backends names several.`, {
    hint: 'Give it with host or cluster.',
  })
}
