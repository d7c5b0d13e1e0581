import type { Backend, Desired, Row, Scope, Target } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'

/**
 * The rows that were read, put together as the backends that the targets mean. A member's host means its cluster; two targets that
 * mean the same cluster and want the same of it are one backend.
 * Errors: service_not_found, ambiguous_service, invalid_request (two targets want different things of one cluster).
 */
export function groupRows(targets: Scope, rows: readonly Row[]): readonly Backend[] {
  if (targets === 'all') return groupAllRows(rows)
  const backends: Backend[] = []
  const clusters = new Map<string, Backend>()
  const index = makeIndex(rows)
  for (const target of targets) {
    const service = target.kind === 'host' ? findService(target, index) : undefined
    const name = service === undefined ? target.name : service.clusterName
    if (service !== undefined && name === null) {
      backends.push({ target, cluster: undefined, services: [service] })
    } else if (name !== null) {
      const twin = clusters.get(name)
      if (twin !== undefined) {
        assertSameDesired(twin.target, target, name)
        continue
      }
      const backend = makeClusterBackend(target, name, service, index)
      clusters.set(name, backend)
      backends.push(backend)
    }
  }
  return backends
}

/** Every backend by name, also those that a request could not name, such as a host with two rows. */
function groupAllRows(rows: readonly Row[]): readonly Backend[] {
  const known = new Set(rows.filter(({ table }) => table === 'clusters').map(({ name }) => name))
  const members = makeIndex(rows).members
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
function makeIndex(rows: readonly Row[]): Index {
  const groupBy = (getKey: (row: Row) => string | null) => {
    const map = new Map<string, Row[]>()
    for (const row of rows) {
      const name = getKey(row)
      if (name === null) continue
      const known = map.get(name)
      if (known === undefined) map.set(name, [row])
      else known.push(row)
    }
    return map
  }
  return {
    hosts: groupBy((row) => (row.table === 'services' ? row.name : null)),
    members: groupBy((row) => row.clusterName),
    clusters: groupBy((row) => (row.table === 'clusters' ? row.name : null)),
  }
}

function findService(target: Target, { hosts }: Index): Row {
  const [service, ...others] = hosts.get(target.name) ?? []
  if (service === undefined) throw makeNotFoundError(target)
  if (others.length > 0) throw makeAmbiguousError([service, ...others])
  return service
}

/** The cluster that the target names, or that its service is a member of, with all members. */
function makeClusterBackend(
  target: Target,
  name: string,
  service: Row | undefined,
  { hosts, members, clusters }: Index,
): Backend {
  const [cluster, ...others] = clusters.get(name) ?? []
  if (cluster === undefined) throw service === undefined ? makeNotFoundError(target) : makeOrphanError(service)
  if (others.length > 0) throw makeAmbiguousError([cluster, ...others])
  const services = [...(members.get(name) ?? [])].sort((a, b) => a.id - b.id)
  const twice = services.find((member) => hosts.get(member.name)?.length !== 1)
  if (twice !== undefined) throw makeAmbiguousError(hosts.get(twice.name) ?? [])
  return { target, cluster, services }
}

function makeAmbiguousError(rows: readonly Row[]): AgentError {
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

function makeNotFoundError({ kind, name }: Target): AgentError {
  const what = kind === 'host' ? 'volume service has the host' : 'volume cluster has the name'
  return new AgentError('service_not_found', `No ${what} "${quote(name)}".`, { [kind]: name })
}

function makeOrphanError({ name, clusterName }: Row): AgentError {
  return new AgentError(
    'service_not_found',
    `${quote(name)} belongs to the cluster "${quote(clusterName ?? '')}", but the clusters table has no such row.`,
    { hint: 'Start cinder-volume once with that cluster set, so that it makes the row.', host: name },
  )
}

function assertSameDesired(one: Target, other: Target, cluster: string): void {
  const keys: readonly (keyof Desired)[] = ['active_backend', 'replication', 'frozen'] // the others go with one backend alone
  if (keys.every((key) => one.desired[key] === other.desired[key]) && one.promoted === other.promoted) return
  throw new AgentError(
    'invalid_request',
    `"${quote(one.name)}" and "${quote(other.name)}" are both the cluster ${quote(cluster)}, but the request wants different states of them.`,
    { hint: 'Name the cluster once.' },
  )
}
