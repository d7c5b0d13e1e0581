import type { Backend, Row } from './backend.js'
import type { ServiceResult } from './contract.generated.js'
import type { AgentError } from './errors.js'
import type { HeartbeatHistory } from './heartbeat.js'

/** A file as it was read. */
export interface SourceFile {
  readonly path: string
  readonly bytes: Buffer
  readonly text: string
}

/** changing: neither started nor stopped, such as a unit that fails to start again and again. */
export type ServiceState = ServiceResult['state']

/**
 * A copy of cinder.conf from before the edit that took the entry of the active array out of a section. Nothing else tells later which array the entry
 * meant, so the copy is kept until the promotion is finished.
 */
export interface OldCopy {
  readonly section: string
  /** The file that was edited, by its path in ConfigFacts. */
  readonly original: string
  readonly file: SourceFile
}

/** The files that cinder-volume reads, in its order. */
export interface ConfigFacts {
  readonly files: readonly SourceFile[]
  readonly oldCopies: readonly OldCopy[]
  /** Why a file cannot be replaced, by its path. */
  readonly obstacles: ReadonlyMap<string, AgentError>
  /** Why the old copy of a file cannot be kept, by the path of the file. */
  readonly copyObstacles: ReadonlyMap<string, AgentError>
  /** The environment, whose OS_* variables oslo.config reads first. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Why it is not known whether cinder-volume reads these files: then they show nothing of it. */
  readonly doubt: string | undefined
  /** The machine that cinder-volume runs on; undefined: the request is about neither its files nor the service. */
  readonly machine: Machine | undefined
}

/** A machine by its own name, which Cinder takes if cinder.conf sets no host: socket.gethostname() (cinder/common/config.py). */
export interface Machine {
  readonly name: string
  /** Whether cinder-volume is known to run there, and to see it by this name. */
  readonly isKnown: boolean
}

/** The cinder-volume process on this host. */
export interface ServiceFacts extends ServiceResult {
  /** `services.host` of the row whose heartbeat it sends. */
  readonly host: string
  /** Seconds between two heartbeats (`report_interval`). */
  readonly reportInterval: number
  /** The other backends that the process serves (`enabled_backends`). */
  readonly others: readonly string[]
  /** When this run started it: milliseconds of a monotonic clock. */
  readonly startedAt: number | undefined
}

/** Facts of one moment. A new look makes a new observation; nothing is overwritten. */
export interface Observation {
  /** When the rows were asked for: milliseconds of a monotonic clock. */
  readonly at: number
  readonly backends: readonly Backend[]
  readonly heartbeats: HeartbeatHistory
  /** The rows of the other backends that the service serves. */
  readonly neighbours: readonly Row[]
  /** Their `services.host`. */
  readonly neighbourHosts: readonly string[]
  /** undefined: the request is not about cinder.conf. */
  readonly config: ConfigFacts | undefined
  /** undefined: the request is not about the service. */
  readonly service: ServiceFacts | undefined
  /** Seconds from which on a heartbeat counts as down. */
  readonly serviceDownTime: number
  /** Seconds between two heartbeats (`report_interval`), where the service on this host does not say. */
  readonly reportInterval: number
  /** Whether the time to wait for services to be down is over. */
  readonly waitIsOver: boolean
}
