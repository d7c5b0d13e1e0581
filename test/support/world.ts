import { type ExecuteOptions, execute } from '../../src/execute/execute.js'
import { type BackendState, makeRowKey, type Row, type RowChange } from '../../src/model/backend.js'
import { AgentError } from '../../src/model/errors.js'
import { isFailedOver } from '../../src/model/failover.js'
import type { Journal } from '../../src/model/journal.js'
import type { ServiceState, SourceFile } from '../../src/model/observation.js'
import type { Request } from '../../src/model/request.js'

/** What a run can change in the world, in the order in which it does so. */
export type Effect =
  | { readonly kind: 'rows'; readonly changes: readonly RowChange[] }
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'start' | 'stop' }

/** A small cloud in memory, with a clock of its own: rows, one cinder.conf, and one cinder-volume that sends a heartbeat each second. */
export interface World {
  rows: readonly WorldRow[]
  file: string
  service: ServiceState
  /** `services.host` of the row whose heartbeat the service sends. */
  readonly serviceHost: string
  /** Whether the driver can replicate to what replication_device names. */
  readonly driverReplicates: boolean
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
  /** Whether a process that no run controls sends heartbeats. */
  readonly beatsByItself?: boolean
}

const PATH = '/etc/cinder/cinder.conf'
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
export function describeWorld({ rows, file, service }: World): string {
  return JSON.stringify([rows.map(({ table, id, state }) => [table, id, state]), file, service])
}

/** A run that was killed; to the run it is an error of the port. */
export class Killed extends Error {}

interface RunHooks {
  /** Is called after each effect; what it throws ends the run there. */
  readonly afterEffect?: (count: number, world: World) => void
}

export interface WorldRun {
  readonly journal: Journal
  readonly effects: readonly Effect[]
}

/** The real loop over the world. */
export async function runInWorld(world: World, request: Request, { afterEffect }: RunHooks = {}): Promise<WorldRun> {
  const effects: Effect[] = []
  const note = (effect: Effect) => {
    effects.push(effect)
    afterEffect?.(effects.length, world)
  }
  const readRows = () => readRowsOf(world)
  const options: ExecuteOptions = {
    request,
    serviceDownTime: SERVICE_DOWN_TIME_S,
    signal: new AbortController().signal,
    onProgress: () => {},
    approve: () => {},
    clock: {
      now: () => world.timeMs,
      pause: async (ms) => passTime(world, ms),
    },
    readRows: async () => readRows(),
    readConfig: async () => ({
      files: [readFile(world.file)],
      obstacles: new Map(),
      env: {},
    }),
    replaceFile: async ({ before, after }) => {
      if (before.toString() !== world.file) throw new AgentError('conflict', 'The file changed.')
      world.file = after.toString()
      note({ kind: 'file', text: world.file })
      return undefined
    },
    manager: request.service && makeManager(world, note),
    store: {
      read: async () => readRows(),
      change: async (work) => {
        const changes: RowChange[] = []
        const result = await work({
          lock: async () => {},
          read: async () => readRows(),
          update: async (change) => {
            changes.push(change)
            return true
          },
        })
        if (changes.length > 0) {
          const states = new Map(changes.map(({ row, after }) => [makeRowKey(row), after]))
          world.rows = world.rows.map((row) => ({ ...row, state: states.get(makeRowKey(row)) ?? row.state }))
          note({ kind: 'rows', changes })
        }
        return result
      },
    },
  }
  const journal = await execute(options)
  return { journal, effects }
}

const FILES = new Map<string, SourceFile>()

/** One object for one content, so that it is parsed once. */
function readFile(text: string): SourceFile {
  const file = FILES.get(text) ?? { path: PATH, bytes: Buffer.from(text), text }
  FILES.set(text, file)
  return file
}

function makeManager(world: World, note: (effect: Effect) => void): NonNullable<ExecuteOptions['manager']> {
  return {
    manager: 'systemd',
    name: 'cinder-volume',
    readState: async () => world.service,
    stop: async () => {
      world.service = 'stopped'
      note({ kind: 'stop' })
    },
    start: async () => {
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
  return world.rows.map(({ beatAtMs, reportCount, beatsByItself: _, ...row }) => ({
    ...row,
    stored: { ...row.state, disabled: Number(row.state.disabled), frozen: Number(row.state.frozen) },
    heartbeatAge: beatAtMs === undefined ? null : (world.timeMs - beatAtMs) / 1000,
    reportCount: row.table === 'clusters' ? null : reportCount,
    modifiedAt: null,
    readAt: '2026-01-01 00:00:00',
  }))
}
