/**
 * Stops, starts and checks cinder-volume on this host: managers.ts is the table of managers, program.ts runs their programs, open.ts makes
 * the port below of both. Imports model/ and text/ alone.
 *
 * Promised: programs run without a shell, and end with all that they started at their time-out and at a signal; messages show neither
 * secrets nor the arguments of `manager: command`; a start or stop returns when the manager reports the new state; what the manager would start
 * again by itself is not called stopped.
 * Not promised: that this service is the process that sends the heartbeat, nor that a failed start or stop had no effect.
 */
import type { ServiceState } from '../model/observation.js'

/** What cinder-volume is started with, as absolute paths of this host in their order. undefined: its default ones (oslo_config/cfg.py). */
export interface ConfigPaths {
  /** The name that the machine has for cinder-volume, if it runs in a container. */
  readonly machine?: string | undefined
  /** Of `--config-file`. */
  readonly files: readonly string[] | undefined
  /** Of `--config-dir`. */
  readonly folders: readonly string[] | undefined
}

/** `unknown`: such a manager can tell, but it does not tell of this service, whatever the reason. undefined: it never tells. */
export type ToldPaths = ConfigPaths | 'unknown' | undefined

/** cinder-volume on this host, by its manager. Errors: service_control_failed, interrupted. */
export interface ServiceManager {
  readonly manager: string
  readonly name: string
  readState(): Promise<ServiceState>
  start(): Promise<void>
  stop(): Promise<void>
  /** Fails if something would start the service again while it must be stopped, also if it is stopped already. */
  requireStaysStopped(): Promise<void>
  /** Runs programs of the manager. Errors: interrupted. */
  readConfigPaths(): Promise<ToldPaths>
}
