import { AgentError } from '../model/errors.js'
import { type Deadline, startDeadline } from './deadline.js'

const MAX_ATTEMPTS = 40
const MAX_PAUSE_MS = 2000

/**
 * Runs the work, and again while it fails with a transient error: at most 40 times, with a growing, jittered pause, until `seconds` have
 * passed. Throws the last error.
 */
export async function retry<T>(
  seconds: number,
  signal: AbortSignal,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(seconds)
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(deadline)
    } catch (error) {
      const pauseMs = Math.min(MAX_PAUSE_MS, 10 * 2 ** attempt) * (0.5 + Math.random() / 2)
      const isTransient = error instanceof AgentError && error.details.transient === true
      if (!isTransient || attempt >= MAX_ATTEMPTS || pauseMs >= deadline.remainingMs()) throw error
      await pause(pauseMs, signal)
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((fulfil, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      fulfil()
    }, milliseconds)
    const stop = () => {
      clearTimeout(timer)
      reject(interruptedError())
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** For a signal during a turn to the database; true of nothing else. */
export function interruptedError(): AgentError {
  return new AgentError(
    'interrupted',
    'The run was interrupted by a signal. A database transaction that was open was rolled back.',
    { hint: 'Run it again.' },
  )
}
