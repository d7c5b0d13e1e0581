import { AgentError } from '../../model/errors.js'
import { quote } from '../../text/quote.js'
import { PROMOTION, type Values } from './options.js'

/** The backends that a command names, as a request names them. */
export function targets(names: readonly string[], { cluster }: Values): object {
  const key = cluster === true ? 'cluster' : 'host'
  const [only, ...others] = new Set(names)
  return others.length === 0 ? { [key]: only } : { backends: [only, ...others].map((name) => ({ [key]: name })) }
}

/** What `promote` asks for. Errors: invalid_request. */
export function promotion(names: readonly string[], values: Values): object {
  const { to, replica, withoutReplica, set = [], service } = values
  if (to === undefined) {
    throw misused('promote needs --to, the replica that becomes the primary.')
  }
  if ((replica === undefined) !== (withoutReplica === true)) {
    throw misused('promote needs either --replica or --without-replica.')
  }
  const [manager, name] = service?.split(/:(.*)/s) ?? []
  const managers: readonly string[] = PROMOTION.service.values
  if (manager !== undefined && !managers.includes(manager)) {
    throw misused(
      `--service must be one of ${managers.join(', ')}, with :NAME where it has another name there; commands of your own go with apply.`,
    )
  }
  if (set.some((word) => word.startsWith('replication_device='))) {
    throw misused('--set goes without replication_device: that is what --replica says.')
  }
  return {
    ...targets(names, values),
    active_backend: 'reset',
    replication: replica === undefined ? 'disabled' : 'enabled',
    ...(service !== undefined && { frozen: false }),
    config: {
      promote: to,
      options: Object.fromEntries(
        set.map((word) => pair(word)).map(([key, value]) => [key, value === '' ? null : value]),
      ),
      replication_device: devices(replica ?? []),
      backup: true,
    },
    ...(manager !== undefined && { service: { manager, ...(name && { name }) } }),
  }
}

/** A backend_id begins a replica; what stands before the first belongs to it too. */
function devices(words: readonly string[]): readonly object[] {
  const list: Record<string, string>[] = []
  for (const [key, value] of words.map((word) => pair(word))) {
    if (value === '') throw misused(`--replica lacks the value of ${quote(key)}.`)
    if (value.includes(',')) throw misused('--replica takes each KEY=VALUE as a word of its own, and no commas.')
    const last = list.at(-1)
    if (last === undefined || (key === 'backend_id' && 'backend_id' in last)) list.push({ [key]: value })
    else if (key in last) throw misused(`--replica has ${quote(key)} twice.`)
    else last[key] = value
  }
  if (list.every((device) => 'backend_id' in device)) return list
  throw misused('--replica lacks the backend_id, as in backend_id=arrayC san_ip=192.0.2.3.')
}

function pair(word: string): [string, string] {
  const at = word.indexOf('=')
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)]
  throw misused('--replica and --set take words of the form KEY=VALUE.')
}

function misused(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: 'See cinder-backend promote --help.' })
}
