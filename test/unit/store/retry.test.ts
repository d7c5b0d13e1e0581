import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { type Deadline, startDeadline } from '../../../src/store/deadline.js'
import { retry } from '../../../src/store/retry.js'

const BUSY = new AgentError('busy', 'locked', { transient: true })
const never = new AbortController().signal

/** Fails with each error in turn, after so many milliseconds each. */
function failing(errors: readonly unknown[], ms = 0) {
  const turns: Deadline[] = []
  const work = async (deadline: Deadline) => {
    turns.push(deadline)
    await pause(ms)
    const error = errors[turns.length - 1]
    if (error !== undefined) throw error
    return turns.length
  }
  return { turns, work }
}

describe('retry', () => {
  test('runs the work again after transient errors, with one deadline for all attempts', async () => {
    const { turns, work } = failing([BUSY, BUSY])
    expect(await retry(5, never, work)).toBe(3)
    expect(new Set(turns).size).toBe(1)
  })

  test('throws another error at once', async () => {
    const { turns, work } = failing([new AgentError('access_denied', 'no')])
    await expect(retry(5, never, work)).rejects.toMatchObject({ code: 'access_denied' })
    expect(turns).toHaveLength(1)
  })

  test('counts from the start of the first attempt, and throws the last error', async () => {
    const { work } = failing(Array(40).fill(BUSY), 150)
    const start = performance.now()
    await expect(retry(0.5, never, work)).rejects.toBe(BUSY)
    expect(performance.now() - start).toBeLessThan(700)
  })

  test('ends at the signal during a pause', async () => {
    const abort = new AbortController()
    const { work } = failing(Array(40).fill(BUSY))
    setTimeout(() => abort.abort(), 300)
    await expect(retry(30, abort.signal, work)).rejects.toMatchObject({ code: 'interrupted' })
  })
})

test('the remaining time of a deadline falls to 0, and not below', async () => {
  const { seconds, remainingMs } = startDeadline(0.05)
  expect(seconds).toBe(0.05)
  expect(remainingMs()).toBeGreaterThan(0)
  await pause(80)
  expect(remainingMs()).toBe(0)
})
