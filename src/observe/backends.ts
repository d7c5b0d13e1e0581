import type { Backend, Desired, Row, Scope, Target } from '../model/backend.js'
import { AgentError, type Hint } from '../model/errors.js'
import type { Deadline } from '../store/deadline.js'
import type { Store } from '../store/store.js'
import { quote } from '../text/quote.js'
import { findSimilar } from '../text/similar.js'

/**
 * The rows that were read, put together as the backends that the targets mean. A member's host means its cluster; two targets that
 * mean the same cluster and want the same of it are one backend.
 * Errors: service_not_found, ambiguous_service, invalid_request (two targets want different things of one cluster).
 */
export function backendsOf(targets: Scope, rows: readonly Row[]): readonly Backend[] {
  if (targets === 'all') return everyBackend(rows)
  const backends: Backend[] = []
  const clusters = new Map<string, Backend>()
  const index = indexed(rows)
  for (const target of targets) {
    const service = target.kind === 'host' ? serviceOf(target, index) : undefined
    const name = service === undefined ? target.name : service.clusterName
    if (service !== undefined && name === null) {
      backends.push({ target, cluster: undefined, services: [service] })
    } else if (name !== null) {
      const twin = clusters.get(name)
      if (twin !== undefined) {
        mustAgree(twin.target, target, name)
        continue
      }
      const backend = clusterOf(target, name, service, index)
      clusters.set(name, backend)
      backends.push(backend)
    }
  }
  return backends
}

/** All that there is, by name, and also what a request could not name, such as a host twice. */
function everyBackend(rows: readonly Row[]): readonly Backend[] {
  const known = new Set(rows.filter(({ table }) => table === 'clusters').map(({ name }) => name))
  const members = indexed(rows).members
  return rows
    .filter(({ table, clusterName }) => table === 'clusters' || clusterName === null || !known.has(clusterName))
    .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : one.id - other.id))
    .map((row) =>
      row.table === 'clusters'
        ? {
            target: { kind: 'cluster', name: row.name, desired: {} },
            cluster: row,
            services: members.get(row.name) ?? [],
          }
        : { target: { kind: 'host', name: row.name, desired: {} }, cluster: undefined, services: [row] },
    )
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
      if (name === null) continue
      const known = map.get(name)
      if (known === undefined) map.set(name, [row])
      else known.push(row)
    }
    return map
  }
  return {
    hosts: by((row) => (row.table === 'services' ? row.name : null)),
    members: by((row) => row.clusterName),
    clusters: by((row) => (row.table === 'clusters' ? row.name : null)),
  }
}

function serviceOf(target: Target, { hosts }: Index): Row {
  const [service, ...others] = hosts.get(target.name) ?? []
  if (service === undefined) throw notFound(target)
  if (others.length > 0) throw ambiguous([service, ...others])
  return service
}

/** The cluster that the target names, or that its service is a member of, with all members. */
function clusterOf(
  target: Target,
  name: string,
  service: Row | undefined,
  { hosts, members, clusters }: Index,
): Backend {
  const [cluster, ...others] = clusters.get(name) ?? []
  if (cluster === undefined) throw service === undefined ? notFound(target) : orphan(service)
  if (others.length > 0) throw ambiguous([cluster, ...others])
  const services = [...(members.get(name) ?? [])].sort((a, b) => a.id - b.id)
  const twice = services.find((member) => hosts.get(member.name)?.length !== 1)
  if (twice !== undefined) throw ambiguous(hosts.get(twice.name) ?? [])
  return { target, cluster, services }
}

function ambiguous(rows: readonly Row[]): AgentError {
  const { table, name } = rows[0] ?? { table: 'services', name: '' }
  const ids = rows.map(({ id }) => id).join(', ')
  const [what, hint] =
    table === 'services'
      ? ['volume services', 'Remove the stale ones with cinder-manage service remove, or mark them deleted.']
      : ['rows in clusters', 'Mark the stale ones deleted.']
  return new AgentError('ambiguous_service', `${quote(name)} has ${rows.length} ${what} (ids ${ids}).`, {
    hint,
    [table === 'services' ? 'host' : 'cluster']: name,
  })
}

function notFound({ kind, name }: Target): AgentError {
  const what = kind === 'host' ? 'volume service has the host' : 'volume cluster has the name'
  return new AgentError('service_not_found', `No ${what} "${quote(name)}".`, { [kind]: name })
}

function orphan({ name, clusterName }: Row): AgentError {
  return new AgentError(
    'service_not_found',
    `${name} belongs to the cluster "${clusterName}", but the clusters table has no such row.`,
    { hint: 'Start cinder-volume once with that cluster set, so that it makes the row.', host: name },
  )
}

function mustAgree(one: Target, other: Target, cluster: string): void {
  const keys: readonly (keyof Desired)[] = ['active_backend', 'replication', 'frozen'] // the others go with one backend alone
  if (keys.every((key) => one.desired[key] === other.desired[key])) return
  throw new AgentError(
    'invalid_request',
    `"${quote(one.name)}" and "${quote(other.name)}" are both the cluster ${cluster}, but the request wants different states of them.`,
    { hint: 'Name the cluster once.' },
  )
}

/** The same error with similar names offered, where it says that a name was not found. */
export async function withSimilarNames(error: unknown, store: Store, deadline: Deadline): Promise<unknown> {
  if (!(error instanceof AgentError) || error.code !== 'service_not_found' || error.details.hint !== undefined)
    return error
  const { host, cluster } = error.details
  const name = host ?? cluster ?? ''
  const [hosts, clusters] = [await store.listNames('services', deadline), await store.listNames('clusters', deadline)]
  const [known, others, key] =
    host === undefined ? [clusters, hosts, 'host' as const] : [hosts, clusters, 'cluster' as const]
  const similar = findSimilar(name, known, 3)
  let hint: Hint = `There are ${known.length}, none of them similar.`
  if (known.length < 6)
    hint = `There ${known.length === 1 ? 'is' : 'are'} only ${known.map((each) => quote(each)).join(', ')}.`
  if (known.length === 0) hint = host === undefined ? 'There are no volume clusters.' : 'There are no volume services.'
  if (similar.length > 0) hint = `Similar: ${similar.map((each) => quote(each)).join(', ')}.`
  if (others.includes(name)) hint = { request: `It is a ${key}: give it as "${key}".`, command: MISTAKEN[key] }
  return new AgentError('service_not_found', error.problem, { ...error.details, hint })
}

const MISTAKEN = {
  host: 'It is a host: leave --cluster out.',
  cluster: 'It is a cluster: give --cluster. To promote one use apply: see docs/admin-guide.md.',
} as const
