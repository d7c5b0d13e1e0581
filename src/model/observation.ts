import type { ServiceResult } from './contract.generated.js'
import type { WantedService } from './request.js'

/** A file as it was read. */
export interface SourceFile {
  readonly path: string
  readonly bytes: Buffer
  readonly text: string
}

/** changing: neither for good, such as a unit that is started again and again. */
export type ServiceState = ServiceResult['state']

/** The service as a plan looks at it. */
export interface ServiceView extends ServiceResult {
  readonly wanted: WantedService['state']
  /** Whether its heartbeat is waited for. */
  readonly waits: boolean
  /** `services.host` of the row whose heartbeat is its. */
  readonly host: string
  /** Seconds between two heartbeats (`report_interval`). */
  readonly reportInterval: number
  /** Whether its section names a replication target, after the edit that is asked for. */
  readonly replicates: boolean
  /** What cinder.conf here makes the row's host, where that is another one. */
  readonly otherHost: string | undefined
  /** Other backends that the same process serves (`enabled_backends`). */
  readonly others: readonly string[]
}
