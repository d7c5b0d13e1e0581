import { ID_KEYS } from '../../model/device.js'
import { AgentError } from '../../model/errors.js'
import { quote } from '../../text/quote.js'
import { MANAGERS, type OptionValues } from './options.js'
import { makeTargets } from './targets.js'

/** The request of `promote`. Errors: invalid_request. */
export function makePromoteRequest(names: readonly string[], values: OptionValues): object {
  const { to, replica, withoutReplica, set, service } = values
  if (to === undefined) throw makePromoteError('promote needs --to, the replica to promote.')
  if ((replica === undefined) !== (withoutReplica === true)) {
    throw makePromoteError('promote needs either --replica or --without-replica.')
  }
  return {
    ...makeTargets(names, values),
    active_backend: 'reset',
    replication: replica === undefined ? 'disabled' : 'enabled',
    ...(service !== undefined && { frozen: false, service: parseServiceOption(service) }),
    config: {
      promote: to,
      options: parseOptionPairs(set ?? []),
      replication_device: parseReplicas(replica ?? []),
      backup: true,
    },
  }
}

function parseServiceOption(text: string): object {
  const [manager = '', name] = text.split(/:(.*)/s)
  if (MANAGERS.includes(manager)) return { manager, ...(name && { name }) }
  throw makePromoteError(
    `--service must be MANAGER or MANAGER:NAME; MANAGER is one of ${MANAGERS.join(', ')}. The manager command works with apply only.`,
  )
}

/** `KEY=` removes the option. */
function parseOptionPairs(words: readonly string[]): object {
  const pairs = words.map((word) => parsePair(word))
  if (pairs.some(([key]) => key === 'replication_device')) {
    throw makePromoteError('--set cannot set replication_device. Use --replica instead.')
  }
  return Object.fromEntries(pairs.map(([key, value]) => [key, value === '' ? null : value]))
}

/** A second backend_id, or target_device_id, starts a second replica. */
function parseReplicas(words: readonly string[]): readonly object[] {
  const replicas: Map<string, string>[] = []
  for (const [key, value] of words.map((word) => parsePair(word))) {
    if (value === '') throw makePromoteError(`--replica has no value for ${quote(key)}.`)
    if (value.includes(',')) throw makePromoteError('--replica must have spaces between its pairs, and no commas.')
    const last = replicas.at(-1)
    if (last === undefined || (ID_KEYS.includes(key) && last.has(key))) replicas.push(new Map([[key, value]]))
    else if (last.has(key)) throw makePromoteError(`--replica has ${quote(key)} twice.`)
    else last.set(key, value)
  }
  if (replicas.every((replica) => ID_KEYS.some((key) => replica.has(key))))
    return replicas.map((replica) => Object.fromEntries(replica))
  throw makePromoteError(
    '--replica has no backend_id (for some drivers: target_device_id). Example: backend_id=arrayC san_ip=192.0.2.3.',
  )
}

function parsePair(word: string): [string, string] {
  const at = word.indexOf('=')
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)]
  throw makePromoteError('--replica and --set need pairs of the form KEY=VALUE.')
}

function makePromoteError(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: 'See cinder-backend promote --help.' })
}
