import type { TableRow } from '../databases.js'
import { until } from '../volume.js'

/** 32 hexadecimal digits, as the API's routes want them. */
const PROJECT = '0123456789abcdef0123456789abcdef'

/** The newest microversion of Debian 12's Cinder. */
const VERSION = 'volume 3.70'

/** A volume or a snapshot. */
interface Thing {
  readonly id: string
  readonly status: string
  readonly size: number
  readonly replication_status?: string
}

/** What the tests ask of the API. Each but `callFailover` returns when Cinder has done it, well or not. */
export function openApi(port: number, host: string, row: (host: string) => Promise<TableRow>) {
  const call = callApi(`http://127.0.0.1:${port}/v3/${PROJECT}`)
  const act = (id: string, action: object) => call('POST', `/volumes/${id}/action`, action)
  const read = (path: string, absent: object) => call('GET', path).catch(() => absent)

  async function untilSettled(path: string): Promise<Thing> {
    return until(`${path} is settled`, async () => {
      const thing = onlyValue<Thing>(await call('GET', path))
      return !thing.status.endsWith('ing') && thing
    })
  }
  async function create(kind: 'volume' | 'snapshot', body: object): Promise<Thing> {
    const { id } = onlyValue<Thing>(await call('POST', `/${kind}s`, { [kind]: body }))
    return untilSettled(`/${kind}s/${id}`)
  }
  async function remove(path: string): Promise<void> {
    await call('DELETE', path)
    await until(`${path} is gone`, async () => !(await succeeds(call('GET', path))))
  }
  async function callFailover(target: string, backend = host): Promise<void> {
    await call('PUT', '/os-services/failover', { host: backend, backend_id: target })
  }
  return {
    /** Whether the API answers, and cinder-scheduler and cinder-volume are up. */
    isUp: async (): Promise<boolean> => {
      const { services } = await read('/os-services', { services: [] })
      return services.length > 1 && services.every(({ state }: { state: string }) => state === 'up')
    },
    /** Whether the scheduler knows the pool of the backend. */
    hasPool: async (backend: string): Promise<boolean> => {
      const { pools } = await read('/scheduler-stats/get_pools', { pools: [] })
      return pools.some(({ name }: { name: string }) => name === `${backend}#pool`)
    },
    /** `freeze`, `thaw` or `failover` of a cluster. Errors: the API does not accept it. */
    manageCluster: (action: string, cluster: string, body: object = {}) =>
      call('PUT', `/os-services/${action}`, { cluster, ...body }),
    createType: (name: string, specs: object) => call('POST', '/types', { volume_type: { name, extra_specs: specs } }),
    createVolume: (type: string) => create('volume', { size: 1, volume_type: type }),
    readVolume: (id: string) => untilSettled(`/volumes/${id}`),
    deleteVolume: (id: string) => remove(`/volumes/${id}`),
    createSnapshot: (volume: string) => create('snapshot', { volume_id: volume }),
    deleteSnapshot: (id: string) => remove(`/snapshots/${id}`),
    extendVolume: async (id: string, size: number) => {
      await act(id, { 'os-extend': { new_size: size } })
      return untilSettled(`/volumes/${id}`)
    },
    /** The address of the array that serves it. Errors: none does. */
    connect: async (id: string): Promise<string> => {
      const { connection_info } = await act(id, { 'os-initialize_connection': { connector: {} } })
      return connection_info.data.array
    },
    /** To `default`: a fail-back. Errors: the API does not accept it. */
    callFailover,
    /** Waits until the API accepts it. The row afterwards. */
    failOver: async (target: string, backend = host): Promise<TableRow> => {
      await until('the API accepts a failover', () => succeeds(callFailover(target, backend)))
      return until('the failover is over', async () => {
        const seen = await row(backend)
        return seen['replication_status'] !== 'failing-over' && seen
      })
    },
  }
}

/** Errors: an answer that is none of 2xx; the message has it. */
function callApi(base: string) {
  const headers = {
    'X-Auth-Token': `admin:${PROJECT}`,
    'OpenStack-API-Version': VERSION,
    'Content-Type': 'application/json',
  }
  return async (method: string, path: string, body?: object) => {
    const signal = AbortSignal.timeout(30_000)
    const json = body === undefined ? null : JSON.stringify(body)
    const answer = await fetch(`${base}${path}`, { method, headers, signal, body: json })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
}

/** The API wraps a thing in an object with one key. */
function onlyValue<T>(body: Record<string, T>): T {
  const [value] = Object.values(body)
  if (value === undefined) throw new Error('an empty answer')
  return value
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )
