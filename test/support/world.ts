import { type ExecuteOptions, execute } from '../../src/execute/execute.js'
import { type BackendState, makeRowKey, type Row, type RowChange } from '../../src/model/backend.js'
import { AgentError } from '../../src/model/errors.js'
import { isFailedOver } from '../../src/model/failover.js'
import type { Journal } from '../../src/model/journal.js'
import type { Observation, OldCopy, ServiceState, SourceFile } from '../../src/model/observation.js'
import type { Request } from '../../src/model/request.js'
import { observeAll } from '../../src/observe/observe.js'

/** What a run can change in the world, in the order in which it does so. */
export type Effect =
  | { readonly kind: 'rows'; readonly changes: readonly RowChange[] }
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'start' | 'stop' }

/** A small cloud in memory, with a clock of its own: rows, one cinder.conf, and one cinder-volume that sends a heartbeat each second. */
export interface World {
  rows: readonly WorldRow[]
  file: string
  /** The file from before an edit that took the active array out of it, as long as it is kept. */
  oldCopy?: string | undefined
  /** Whether the copy cannot be removed. */
  readonly keepsCopies?: boolean
  service: ServiceState
  /** `services.host` of the row whose heartbeat the service sends. */
  readonly serviceHost: string
  /** Whether the driver can replicate to what replication_device names. */
  readonly driverReplicates: boolean
  /** Whether something starts the service again while it must be stopped. */
  readonly restarts?: boolean
  timeMs: number
}

export interface WorldRow {
  readonly table: 'services' | 'clusters'
  readonly id: number
  readonly name: string
  readonly clusterName: string | null
  readonly state: BackendState
  /** When its service sent the last heartbeat; undefined: never, or a cluster. */
  readonly beatAtMs: number | undefined
  readonly reportCount: number
  readonly modifiedAt?: string | null
  /** Whether a process that no run controls sends heartbeats. */
  readonly beatsByItself?: boolean
  /** By how much the clock that dates its heartbeats is behind that of the database. */
  readonly lagMs?: number
}

const PATH = '/etc/cinder/cinder.conf'
export const OLD_COPY_PATH = '/etc/cinder/.cinder.conf.before-promotion-arrayA'
const BEAT_MS = 1000
const REPORT_INTERVAL_S = 2
const SERVICE_DOWN_TIME_S = 10

/** A cinder.conf whose section has this primary and these replicas. Both are named by a letter. */
export function makeConf(primary: string, replicas: readonly string[], section = 'arrayA'): string {
  const devices = replicas.map((id) => `replication_device = backend_id:${id},san_ip:ip-${id},api_token:t-${id}\n`)
  return `[DEFAULT]\nreport_interval = ${REPORT_INTERVAL_S}\nhost = vol1\nenabled_backends = ${section}\n[${section}]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = ip-${primary}\npure_api_token = t-${primary}\n${devices.join('')}`
}

export function readPrimary(file: string): string {
  return /^san_ip = ip-(.*)$/m.exec(file)?.[1] ?? ''
}

export function cloneWorld(world: World): World {
  return { ...world }
}

/** What lasts: the state of each row, the file, and the service. */
export function describeWorld({ rows, file, oldCopy, service }: World): string {
  return JSON.stringify([rows.map(({ table, id, state }) => [table, id, state]), file, oldCopy, service])
}

/** A run that was killed; to the run it is an error of the port. */
export class Killed extends Error {}

interface RunHooks {
  /** Is called after each effect; what it throws ends the run there. */
  readonly afterEffect?: (count: number, world: World, effect: Effect) => void
  /** Is told of every call of a port, by its name. */
  readonly onCall?: (name: string) => void
  readonly approve?: ExecuteOptions['approve']
}

export interface WorldRun {
  readonly journal: Journal
  readonly effects: readonly Effect[]
}

/** The real loop over the world. */
export async function runInWorld(world: World, request: Request, hooks: RunHooks = {}): Promise<WorldRun> {
  const { options, effects } = openWorld(world, request, hooks)
  return { journal: await execute(options), effects }
}

/** The first look of a run at the world. */
export function observeWorld(world: World, request: Request): Promise<Observation> {
  return observeAll({ ...openWorld(world, request).options, onRows: () => {} })
}

/** What the loop needs, all of it in memory, and a list that gets the effects. */
export function openWorld(
  world: World,
  request: Request,
  { afterEffect, onCall = () => {}, approve = () => {} }: RunHooks = {},
): { readonly options: ExecuteOptions; readonly effects: readonly Effect[] } {
  const effects: Effect[] = []
  const note = (effect: Effect) => {
    effects.push(effect)
    afterEffect?.(effects.length, world, effect)
  }
  const options: ExecuteOptions = {
    request,
    serviceDownTime: request.serviceDownTime ?? SERVICE_DOWN_TIME_S,
    reportInterval: REPORT_INTERVAL_S,
    signal: new AbortController().signal,
    onProgress: () => {},
    approve: (plan, done) => {
      onCall('approve')
      approve(plan, done)
    },
    clock: {
      now: () => world.timeMs,
      pause: async (ms) => passTime(world, ms),
    },
    readRows: async () => {
      onCall('readRows')
      return readRowsOf(world)
    },
    readConfig: async () => {
      onCall('readConfig')
      return {
        files: [readFile(world.file)],
        oldCopies: listOldCopies(world),
        obstacles: new Map(),
        copyObstacles: new Map(),
        env: {},
        doubt: undefined,
        machine: undefined,
      }
    },
    replaceFile: async ({ before, after, keepsOldCopy }) => {
      onCall('replaceFile')
      if (before.toString() !== world.file) throw new AgentError('conflict', 'The file changed.')
      if (keepsOldCopy) world.oldCopy = world.file
      world.file = after.toString()
      note({ kind: 'file', text: world.file })
      return undefined
    },
    removeOldCopy: async () => {
      if (world.keepsCopies) return OLD_COPY_PATH
      world.oldCopy = undefined
      return undefined
    },
    manager: request.service && makeManager(world, note, onCall),
    store: makeStore(world, note, onCall),
  }
  return { options, effects }
}

type Note = (effect: Effect) => void

/** A transaction is all or nothing: what it updates is seen once it ends. */
function makeStore(world: World, note: Note, onCall: (name: string) => void): ExecuteOptions['store'] {
  return {
    read: async () => readRowsOf(world),
    change: async (work) => {
      const changes: RowChange[] = []
      const result = await work({
        lock: async () => onCall('lock'),
        read: async () => {
          onCall('readLocked')
          return readRowsOf(world)
        },
        update: async (change) => {
          onCall('update')
          changes.push(change)
          return true
        },
      })
      if (changes.length > 0) {
        const byRow = new Map(changes.map((change) => [makeRowKey(change.row), change]))
        world.rows = world.rows.map((row) => {
          const change = byRow.get(makeRowKey(row))
          if (change === undefined) return row
          const { modifiedAt = row.modifiedAt } = change
          return { ...row, state: change.after, ...(modifiedAt !== undefined && { modifiedAt }) }
        })
        note({ kind: 'rows', changes })
      }
      return result
    },
  }
}

const FILES = new Map<string, SourceFile>()

/** One object for one content, so that it is parsed once. */
function readFile(text: string): SourceFile {
  const file = FILES.get(text) ?? { path: PATH, bytes: Buffer.from(text), text }
  FILES.set(text, file)
  return file
}

function listOldCopies({ oldCopy, serviceHost }: World): readonly OldCopy[] {
  if (oldCopy === undefined) return []
  const section = serviceHost.split('@').at(-1) ?? ''
  return [{ section, original: PATH, file: { ...readFile(oldCopy), path: OLD_COPY_PATH } }]
}

function makeManager(world: World, note: Note, onCall: (name: string) => void): NonNullable<ExecuteOptions['manager']> {
  return {
    manager: 'systemd',
    name: 'cinder-volume',
    requireStaysStopped: async () => {
      if (world.restarts) throw new AgentError('service_control_failed', 'A timer would start it again.')
    },
    readConfigPaths: async () => undefined,
    readState: async () => {
      onCall('readState')
      return world.service
    },
    stop: async () => {
      onCall('stop')
      world.service = 'stopped'
      note({ kind: 'stop' })
    },
    start: async () => {
      onCall('start')
      world.service = 'started'
      initialiseDriver(world)
      note({ kind: 'start' })
    },
  }
}

/** cinder/volume/manager.py, init_host: the driver's word on replication, unless the row is failed over; copied to the cluster. */
function initialiseDriver(world: World): void {
  const replicates = world.driverReplicates && world.file.includes('replication_device')
  const own = world.rows.find(({ name }) => name === world.serviceHost)
  if (own === undefined || isFailedOver(own.state)) return
  world.rows = world.rows.map((row) =>
    row.name === world.serviceHost || row.table === 'clusters'
      ? { ...row, state: { ...row.state, replication_status: replicates ? 'enabled' : 'disabled' } }
      : row,
  )
}

function passTime(world: World, ms: number): void {
  const before = world.timeMs
  world.timeMs += ms
  const beats = Math.floor(world.timeMs / BEAT_MS) - Math.floor(before / BEAT_MS)
  if (beats === 0) return
  world.rows = world.rows.map((row) =>
    row.beatsByItself || (row.name === world.serviceHost && world.service === 'started')
      ? { ...row, reportCount: row.reportCount + beats, beatAtMs: world.timeMs }
      : row,
  )
}

function readRowsOf(world: World): readonly Row[] {
  return world.rows.map(({ beatAtMs, reportCount, beatsByItself: _, lagMs = 0, ...row }) => ({
    ...row,
    stored: { ...row.state, disabled: Number(row.state.disabled), frozen: Number(row.state.frozen) },
    heartbeatAge: beatAtMs === undefined ? null : (world.timeMs + lagMs - beatAtMs) / 1000,
    reportCount: row.table === 'clusters' ? null : reportCount,
    modifiedAt: row.modifiedAt ?? null,
    readAt: new Date(world.timeMs).toISOString(),
  }))
}
