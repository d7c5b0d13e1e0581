import type { ServiceState } from '../model/observation.js'

/** What stops and starts cinder-volume on this host. Errors: service_control_failed, interrupted. */
export interface ServiceManager {
  readonly manager: string
  readonly name: string
  state(): Promise<ServiceState>
  /** Done when its manager says so. */
  start(): Promise<void>
  stop(): Promise<void>
}
