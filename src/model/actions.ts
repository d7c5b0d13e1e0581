import type { Action } from './contract.generated.js'

interface ActionWords {
  /** The step as a command. */
  readonly step: string
  /** The backend after it, or what was done. */
  readonly done: string
}

/** Every action by its public name, in the order of a promotion. Actions are labels for reports; nothing decides by them. */
export const ACTIONS: Readonly<Record<Action, ActionWords>> = {
  freeze: { step: 'freeze the backend', done: 'frozen' },
  stop_service: { step: 'stop cinder-volume', done: 'stopped' },
  update_config: { step: 'change cinder.conf', done: 'changed' },
  reset_active_backend: { step: 'reset the active backend', done: 'active backend reset' },
  enable_replication: { step: 'enable replication', done: 'replication enabled' },
  set_active_backend_id: { step: 'set active_backend_id', done: 'active_backend_id set' },
  set_replication_status: { step: 'set replication_status', done: 'replication_status set' },
  restore: { step: 'restore the row', done: 'restored' },
  start_service: { step: 'start cinder-volume', done: 'started' },
  disable_replication: { step: 'disable replication', done: 'replication disabled' },
  thaw: { step: 'thaw the backend', done: 'thawed' },
}

const ORDER = Object.keys(ACTIONS) as readonly Action[] // the keys of a record of all actions

/** Each of the actions once, in the order of a promotion. */
export function sortActions(actions: Iterable<Action>): readonly Action[] {
  const wanted = new Set(actions)
  return ORDER.filter((action) => wanted.has(action))
}
