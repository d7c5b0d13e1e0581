import { AgentError } from '../model/errors.js'
import { isBackendFailedOver } from '../model/failover.js'
import { getHeartbeatTimeout } from '../model/heartbeat.js'
import type { Observation, ServiceFacts } from '../model/observation.js'
import type { Step } from '../model/plan.js'
import { observeAgain } from '../observe/observe.js'
import { getReportInterval, hasProvenHeartbeat, judgeLiveness } from '../plan/timing.js'
import { describeHeartbeat } from '../plan/words.js'
import { quote } from '../text/quote.js'
import type { StepResult, StepTools } from './step.js'

const ROW_POLL_MS = 500

/** A manager may take a second to answer. */
const STATUS_POLL_MS = 5000

/** Cinder's default of service_down_time: nobody waits longer than the request says for a time that a site has set high. */
const LONGEST_GROWTH_S = 60

type AwaitHeartbeat = Extract<Step, { readonly kind: 'await_heartbeat' }>

/**
 * Waits until the plan has no service to wait for, or has nothing left to do, because another run may be at work too. A heartbeat that is only to be
 * seen to stand still is waited for as long as that takes, and if the request waits for nothing, no longer. All of it has an end, also if an age that
 * should grow does not.
 * Errors: timeout, except with `force`; those of the planner and the guards.
 */
export async function awaitDown(step: Step, observation: Observation, tools: StepTools): Promise<StepResult> {
  const { request, judge, onProgress, clock } = tools
  const lookSeconds = getHeartbeatTimeout(getReportInterval(observation)) + (2 * ROW_POLL_MS) / 1000
  const seconds = request.wait ? request.waitTimeout : lookSeconds
  const beganAt = clock.now()
  for (let last = observation; ; ) {
    last = await observeAgain(['rows'], last, tools)
    const [next] = judge(last).steps
    if (next?.kind !== 'await_down') return { done: step, observation: last }
    const passed = (clock.now() - beganAt) / 1000
    const isLate = passed >= seconds + lookSeconds + LONGEST_GROWTH_S
    const open = next.hosts.filter((host) => isLate || !isForeseeable(host, last, passed < lookSeconds))
    if (passed >= seconds && open.length > 0) {
      const over = { ...last, waitIsOver: true }
      if (!request.wait) judge(over) // the guard says what it saw, if this is for a reset
      if (request.force) return { done: step, observation: over }
      throw makeStillUpError(open, last, seconds)
    }
    const beating = next.hosts.filter((host) => !isForeseeable(host, last, false))
    const names = (beating.length > 0 ? beating : next.hosts).map((each) => quote(each)).join(', ')
    onProgress(
      `waiting until ${beating.length > 0 ? `the heartbeat of ${names} has stopped` : `Cinder counts ${names} as down`}`,
    )
    await clock.pause(ROW_POLL_MS)
  }
}

/** Whether the wait ends in a foreseeable time: a heartbeat that stands still only has to grow old, or an old one to be looked at. */
function isForeseeable(host: string, observation: Observation, isLooking: boolean): boolean {
  const rows = observation.backends.flatMap(({ services }) => services).filter(({ name }) => name === host)
  return rows.every((row) => {
    const liveness = judgeLiveness(row, observation)
    const age = row.heartbeatAge ?? 0
    const growsOld = age >= 0 && observation.serviceDownTime - age <= LONGEST_GROWTH_S
    return (liveness === 'down' && growsOld) || (liveness === 'unproven' && isLooking)
  })
}

/**
 * Waits for a heartbeat of the service that comes after those seen before: its driver works then (cinder/service.py, report_state).
 * Errors: timeout, and service_control_failed if its manager says that it is stopped.
 */
export async function awaitHeartbeat(
  step: AwaitHeartbeat,
  observation: Observation,
  tools: StepTools,
): Promise<StepResult> {
  const { service } = step
  const { clock } = tools
  const deadline = clock.now() + tools.request.waitTimeout * 1000
  const wasFailedOver = observation.backends.some(isBackendFailedOver)
  let asked = clock.now()
  for (let last = observation; ; ) {
    last = await observeAgain(['rows'], last, tools)
    tools.onRows(last)
    if (hasProvenHeartbeat(last, service)) return { done: step, observation: last }
    // Judged at once: the driver overwrites the row at its start (cinder/volume/manager.py, init_host_with_rpc).
    if (!wasFailedOver && last.backends.some(isBackendFailedOver)) return { done: undefined, observation: last }
    const isOver = clock.now() >= deadline
    if (isOver || clock.now() - asked > STATUS_POLL_MS) {
      last = await observeAgain(['service'], last, tools)
      tools.onRows(last)
      asked = clock.now()
      if (last.service?.state === 'stopped') throw makeStoppedError(service)
    }
    if (isOver) throw makeNoHeartbeatError(service, tools)
    tools.onProgress(`waiting for a heartbeat of ${service.host}`)
    await clock.pause(ROW_POLL_MS)
  }
}

function makeStillUpError(hosts: readonly string[], observation: Observation, seconds: number): AgentError {
  const [host = '', ...others] = hosts
  const { service } = observation
  const row = observation.backends.flatMap(({ services }) => services).find((each) => each.name === host)
  const name = quote(host)
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  const facts = row === undefined ? '' : ` (${describeHeartbeat(row, observation)})`
  if (service?.host !== host) {
    return new AgentError('timeout', `cinder-volume on ${name}${more} was not seen down within ${seconds} s${facts}.`, {
      hint: 'Stop it, and run this again.',
      host,
    })
  }
  if (row !== undefined && judgeLiveness(row, observation) === 'down') {
    const problem = `The heartbeat of ${name} stands still, but to Cinder it is still up, so a failover could come${facts}.`
    return new AgentError('timeout', problem, {
      hint:
        (row.heartbeatAge ?? 0) < 0
          ? 'Correct the clock of its host, and run this again later.'
          : 'Run this again later, or with a longer wait_timeout.',
      host,
    })
  }
  const problem =
    service.state === 'stopped'
      ? `${service.manager} says that ${quote(service.name)} is stopped, but the heartbeat of ${name}${more} did not stand still for ${getHeartbeatTimeout(service.reportInterval)} s within ${seconds} s.`
      : `The heartbeat of ${name} did not stop within ${seconds} s.`
  return new AgentError('timeout', problem, {
    hint: 'Find the other process that serves this backend and stop it, or correct {service_name}.',
    host,
  })
}

function makeNoHeartbeatError({ manager, name, host }: ServiceFacts, { request }: StepTools): AgentError {
  return new AgentError(
    'timeout',
    `${manager} says that ${quote(name)} runs, but no heartbeat of ${quote(host)} was seen within ${request.waitTimeout} s.`,
    {
      hint: 'Check the log of cinder-volume: its driver may not have started. Correct the cause, restart cinder-volume, and run this again.',
      host,
    },
  )
}

function makeStoppedError({ manager, name, host }: ServiceFacts): AgentError {
  return new AgentError(
    'service_control_failed',
    `${manager} says that ${quote(name)} is stopped again, and no heartbeat of ${quote(host)} was seen.`,
    { hint: 'Check the log of cinder-volume, and run this again.', host },
  )
}
