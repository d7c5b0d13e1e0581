import { AgentError } from '../model/errors.js'

const MOST_TRIES = 40

/**
 * Does the work again while it fails with a transient error: at most 40 times, with a growing, jittered pause, and for no longer than
 * `timeout` seconds after the first failure. The last error is the one thrown.
 */
export async function retrying<T>(timeout: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let deadline = Number.POSITIVE_INFINITY
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      deadline = Math.min(deadline, Date.now() + timeout * 1000)
      const longest = Math.min(2000, 10 * 2 ** attempt)
      const wait = longest * (0.5 + Math.random() / 2)
      const again = error instanceof AgentError && error.details.transient === true
      if (!again || attempt >= MOST_TRIES || Date.now() + wait > deadline) throw error
      await pause(wait, signal)
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
      reject(interrupted())
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

export function interrupted(): AgentError {
  return new AgentError(
    'interrupted',
    'The run was interrupted by a signal; a transaction that was open was rolled back.',
    {
      hint: 'Run it again.',
    },
  )
}
