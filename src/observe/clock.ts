import { AgentError } from '../model/errors.js'
import type { Clock } from './observe.js'

/** The machine's clock. A signal ends a pause early. */
export function makeClock(signal: AbortSignal): Clock {
  return {
    now: () => performance.now(),
    pause: async (ms) => {
      const { setTimeout: sleep } = await import('node:timers/promises')
      await sleep(ms, undefined, { signal }).catch(() => {
        throw new AgentError('interrupted', 'The run was interrupted by a signal while it waited for a heartbeat.', {
          hint: 'Run it again.',
        })
      })
    },
  }
}
