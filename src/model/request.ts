import type { Restoration, Scope } from './backend.js'
import type { RequestDocument, ServiceDocument } from './contract.generated.js'

/** Where the database's URL comes from. */
type ConnectionSource = Pick<RequestDocument, 'connection' | 'config_file' | 'config_dir'>

/** What the backend's section of cinder.conf must hold. */
export interface WantedConfig {
  readonly file: string | undefined
  readonly section: string | undefined
  /** Values as Cinder must read them; null removes an option. */
  readonly options: ReadonlyMap<string, string | number | boolean | null>
  /** All `replication_device` entries; undefined leaves them. */
  readonly devices: readonly ReadonlyMap<string, string>[] | undefined
  /** The replica that becomes the primary; true: the one that the backend is failed over to. */
  readonly promote: string | true | undefined
  readonly backup: boolean
}

/** The cinder-volume on this host, and whether it must run in the end. */
export interface WantedService {
  readonly manager: NonNullable<ServiceDocument['manager']>
  /** undefined: the manager's usual name for it. */
  readonly name: string | undefined
  readonly state: 'started' | 'stopped'
  /** Seconds for one start or stop. */
  readonly timeout: number
  /** For the manager `command`: programs with their arguments. */
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly status: readonly string[]
}

export interface Request {
  readonly targets: Scope
  /** By makeRowName; undefined if nothing is to be restored. */
  readonly restore: ReadonlyMap<string, Restoration> | undefined
  readonly source: ConnectionSource
  readonly config: WantedConfig | undefined
  readonly service: WantedService | undefined
  /** Whether heartbeats are waited for, and for how many seconds at most. */
  readonly wait: boolean
  readonly waitTimeout: number
  readonly checkMode: boolean
  readonly diff: boolean
  readonly force: boolean
  /** Seconds; undefined: as cinder.conf says. */
  readonly serviceDownTime: number | undefined
  /** Seconds for one turn to the database: connecting, statements and their retries. */
  readonly timeout: number
}
