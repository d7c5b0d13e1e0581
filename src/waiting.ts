import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from './model/backend.js'
import { AgentError } from './model/errors.js'
import { isUp, stillTime } from './model/heartbeat.js'
import { asksForDown } from './plan/guards.js'
import { circumstancesOf, saw, sawState, stageNow, type Work } from './progress.js'
import { retry } from './store/retry.js'

/** Milliseconds between two looks at the heartbeats. */
const LOOKS = 500

/** Milliseconds between two questions to the manager, which may take a second to answer. */
const QUESTIONS = 5000

/** Reads the rows again. */
export async function look(work: Work): Promise<void> {
  const { store, request, signal } = work
  saw(work, await retry(request.timeout, signal, (deadline) => store.read(request.targets, deadline)))
}

/** Asks the manager again. */
export async function ask(work: Work): Promise<void> {
  if (work.manager !== undefined) sawState(work, await work.manager.state())
}

/**
 * Waits until the service that was stopped stands still, and until no service of what is to be reset, or put back onto another array, counts
 * as up, or there is nothing left to do, for another run may be at it too. Errors: timeout, save with `force`.
 */
export async function untilDown(work: Work): Promise<void> {
  const { request } = work
  await polling(work, async (expired) => {
    await look(work)
    const { isUp: counts } = circumstancesOf(work)
    const up = stageNow(work, 'between').flatMap((plan) => {
      const all = asksForDown(plan)
      return plan.backend.services.filter((row) => (all || row.name === work.service?.host) && counts(row))
    })
    const [first] = up
    if (first === undefined || (expired && request.force)) return true
    if (expired) throw stillBeats(work, first, up.length - 1)
    work.say(`waiting until the heartbeat of ${named(up)} has stopped`)
    return false
  })
}

/**
 * Waits for a heartbeat of the service that comes after those that were seen: its driver is at work then (cinder/service.py, report_state).
 * Errors: timeout, and service_control_failed where its manager says that it does not run.
 */
export async function untilUp(work: Work): Promise<void> {
  const { service } = work
  if (service === undefined) return
  const before = own(work)?.reportCount
  let asked = performance.now()
  await polling(work, async (expired) => {
    await look(work)
    const row = own(work)
    if (row !== undefined && row.reportCount !== before) return true
    if (expired || performance.now() - asked > QUESTIONS) {
      await ask(work)
      asked = performance.now()
      if (work.service?.state === 'stopped') throw stoppedAgain(work)
    }
    if (expired) throw silent(work)
    work.say(`waiting for a heartbeat of ${service.host}`)
    return false
  })
}

/** Whether the service's last heartbeat is so young that it must be one of the process that runs now. */
export function beats(work: Work): boolean {
  const row = own(work)
  return row !== undefined && work.service !== undefined && isUp(row, stillTime(work.service))
}

/** The driver writes at its start whether it replicates (cinder/volume/manager.py, init_host_with_rpc). Errors: replication_not_enabled. */
export function mustReplicate(work: Work): void {
  const row = own(work)
  if (row === undefined || row.state.replication_status === 'enabled') return
  const status = JSON.stringify(row.state.replication_status)
  throw new AgentError(
    'replication_not_enabled',
    `cinder-volume runs and beats, but its driver set the replication_status of ${row.name} to ${status}.`,
    {
      hint: {
        request:
          'See in its log whether it reaches the array that replication_device names, correct config in the request, or the array, and run it again.',
        command:
          'See in its log whether it reaches the array that replication_device names, correct what --replica says, or the array, and run it again.',
      },
      host: row.name,
    },
  )
}

async function polling(work: Work, poll: (expired: boolean) => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + work.request.waitTimeout * 1000
  while (!(await poll(performance.now() >= deadline))) {
    await sleep(LOOKS, undefined, { signal: work.signal }).catch(() => {
      throw new AgentError('interrupted', 'The run was interrupted by a signal while it waited for a heartbeat.', {
        hint: 'Run it again.',
      })
    })
  }
}

function own({ rows, service }: Work): Row | undefined {
  return rows.find(({ table, name }) => table === 'services' && name === service?.host)
}

function named(rows: readonly Row[]): string {
  return rows.map(({ name }) => name).join(', ')
}

function stillBeats({ service, request, serviceDownTime }: Work, row: Row, others: number): AgentError {
  const more = others > 0 ? ` (and ${others} more)` : ''
  if (service?.host !== row.name) {
    const age = Math.max(0, Math.floor(row.heartbeatAge ?? 0))
    return new AgentError(
      'timeout',
      `cinder-volume on ${row.name}${more} was not seen down within ${request.waitTimeout} s: its last heartbeat is ${age} s old, and it counts as down from ${serviceDownTime} s on.`,
      { hint: 'Stop it, and run this again.', host: row.name },
    )
  }
  const problem =
    service.state === 'stopped'
      ? `${service.manager} says that ${service.name} is stopped, but the heartbeat of ${row.name}${more} did not stand still for ${stillTime(service)} s within ${request.waitTimeout} s.`
      : `The heartbeat of ${row.name} did not stop within ${request.waitTimeout} s.`
  return new AgentError('timeout', problem, {
    hint: {
      request: 'Another process serves this backend: find it and stop it, or correct service.name.',
      command: 'Another process serves this backend: find it and stop it, or give --service MANAGER:NAME.',
    },
    host: row.name,
  })
}

function silent({ service, request }: Work): AgentError {
  const host = service?.host ?? ''
  return new AgentError(
    'timeout',
    `${service?.manager} says that ${service?.name} runs, but no heartbeat of ${host} was seen within ${request.waitTimeout} s: its report_count did not rise.`,
    {
      hint: 'Its driver may not have started: see the log of cinder-volume. What is corrected by hand needs a restart of it too; then run this again.',
      host,
    },
  )
}

function stoppedAgain({ service }: Work): AgentError {
  const host = service?.host ?? ''
  return new AgentError(
    'service_control_failed',
    `${service?.manager} says that ${service?.name} is stopped again, and no heartbeat of ${host} was seen.`,
    { hint: 'See the log of cinder-volume, and run this again.', host },
  )
}
