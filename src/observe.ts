import { AgentError, quotable } from './errors.js'
import { nearest } from './request/nearest.js'
import type { Backend, Desired, Row, Store, Target } from './types.js'

/**
 * The rows that were read, put together as the backends that the targets mean. A member's host means its cluster; two targets that
 * mean the same cluster and want the same of it are one backend.
 * Errors: service_not_found, ambiguous_service, invalid_request (two targets want different things of one cluster).
 */
export function backendsOf(targets: readonly Target[], rows: readonly Row[]): readonly Backend[] {
  const backends: Backend[] = []
  const clusters = new Map<number, Backend>()
  const index = indexed(rows)
  for (const target of targets) {
    const backend = backendOf(target, index)
    const twin = backend.cluster && clusters.get(backend.cluster.id)
    if (twin !== undefined) mustAgree(twin.target, target, backend.cluster?.name ?? '')
    else backends.push(backend)
    if (backend.cluster !== undefined) clusters.set(backend.cluster.id, backend)
  }
  return backends
}

interface Index {
  readonly hosts: ReadonlyMap<string, readonly Row[]>
  readonly members: ReadonlyMap<string, readonly Row[]>
  readonly clusters: ReadonlyMap<string, readonly Row[]>
}

// By exact name: MySQL's collation takes names for equal that differ in case or in trailing blanks.
function indexed(rows: readonly Row[]): Index {
  const by = (key: (row: Row) => string | null) => {
    const map = new Map<string, Row[]>()
    for (const row of rows) {
      const name = key(row)
      if (name !== null) map.set(name, [...(map.get(name) ?? []), row])
    }
    return map
  }
  return {
    hosts: by((row) => (row.table === 'services' ? row.name : null)),
    members: by((row) => row.clusterName),
    clusters: by((row) => (row.table === 'clusters' ? row.name : null)),
  }
}

function backendOf(target: Target, { hosts, members, clusters }: Index): Backend {
  const named = target.kind === 'host' ? hosts.get(target.name) : undefined
  const service = named && only(target, named)
  const clusterName = target.kind === 'cluster' ? target.name : (service?.clusterName ?? null)
  if (clusterName === null) {
    if (service === undefined) throw notFound(target)
    return { target, cluster: undefined, services: [service] }
  }
  const cluster = clusters.get(clusterName)
  if (cluster === undefined) throw service === undefined ? notFound(target) : orphan(service)
  const services = [...(members.get(clusterName) ?? [])].sort((a, b) => a.id - b.id)
  for (const { name } of services)
    only(
      { ...target, name },
      services.filter((row) => row.name === name),
    )
  return { target, cluster: only(target, cluster), services }
}

function only(target: Target, rows: readonly Row[]): Row | undefined {
  if (rows.length <= 1) return rows[0]
  const ids = rows.map(({ id }) => id).join(', ')
  const what = target.kind === 'host' ? 'volume services' : 'rows'
  throw new AgentError('ambiguous_service', `${quotable(target.name)} has ${rows.length} ${what} (ids ${ids}).`, {
    hint: 'Remove the stale ones with cinder-manage service remove, or mark them deleted.',
    [target.kind]: target.name,
  })
}

function notFound({ kind, name }: Target): AgentError {
  const what = kind === 'host' ? 'volume service has the host' : 'volume cluster has the name'
  return new AgentError('service_not_found', `No ${what} "${quotable(name)}".`, { [kind]: name })
}

function orphan({ name, clusterName }: Row): AgentError {
  return new AgentError(
    'service_not_found',
    `${name} belongs to the cluster "${clusterName}", but the clusters table has no such row.`,
    { hint: 'Start cinder-volume once with that cluster set, so that it makes the row.', host: name },
  )
}

function mustAgree(one: Target, other: Target, cluster: string): void {
  const keys: readonly (keyof Desired)[] = ['active_backend', 'replication', 'frozen']
  if (keys.every((key) => one.desired[key] === other.desired[key])) return
  throw new AgentError(
    'invalid_request',
    `"${quotable(one.name)}" and "${quotable(other.name)}" are both the cluster ${cluster}, but the request wants different states of them.`,
    { hint: 'Name the cluster once.' },
  )
}

/** The same error with similar names offered, where it says that a name was not found. */
export async function withSimilarNames(error: unknown, store: Store): Promise<unknown> {
  if (!(error instanceof AgentError) || error.code !== 'service_not_found' || error.details.hint !== undefined)
    return error
  const { host, cluster } = error.details
  const name = host ?? cluster ?? ''
  const [hosts, clusters] = [await store.names('services'), await store.names('clusters')]
  const [known, others, key] = host === undefined ? [clusters, hosts, 'host'] : [hosts, clusters, 'cluster']
  const similar = nearest(name, known, 3)
  let hint = `There are ${known.length} others, none of them similar.`
  if (known.length === 0) hint = host === undefined ? 'There are no volume clusters.' : 'There are no volume services.'
  if (similar.length > 0) hint = `Similar: ${similar.map((each) => quotable(each)).join(', ')}.`
  if (others.includes(name)) hint = `It is a ${key}: give it as "${key}".`
  return new AgentError('service_not_found', error.message, { ...error.details, hint })
}
