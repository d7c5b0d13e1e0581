import { AgentError } from './errors.js'
import { backendsOf } from './observe.js'
import { changesOf } from './plan/backend.js'
import { guard } from './plan/guards.js'
import { planStage } from './plan/plan.js'
import { circumstancesOf, did, planNow, saw, sawState, type Work } from './progress.js'
import { writeTables } from './tables.js'
import type { Plan, Row, Stages } from './types.js'
import { ask, beats, look, mustReplicate, untilDown, untilUp } from './waiting.js'

/**
 * Does what is missing, in the order of a promotion, and keeps count of it. Killed anywhere, the next run finds the rest by itself: nothing is
 * known here that is not in the tables, in cinder.conf, and with the manager.
 */
export async function apply(work: Work): Promise<void> {
  const { request } = work
  const actions = planNow(work).flatMap((each) => each.actions)
  const restarts = actions.some((action) => /^(update_config|reset_active_backend|enable_replication)$/.test(action))
  if (work.config !== undefined && actions.includes('update_config')) {
    ;(await import('./oslo/write.js')).mustBeWritable(work.config.file)
  }
  await write(work, 'before')
  if (actions.includes('stop_service')) await stop(work)
  if (actions.includes('reset_active_backend') && request.wait) await untilDown(work)
  if (restarts) await mustBeStopped(work)
  if (actions.includes('update_config')) await edit(work)
  await write(work, 'between')
  if (request.service?.state === 'started') await bringUp(work, actions.includes('start_service'))
  await write(work, 'after')
}

/** One transaction, where anything is to be written. */
async function write(work: Work, stage: keyof Stages): Promise<void> {
  const { store, request, signal } = work
  const { targets, timeout } = request
  const planner = (rows: readonly Row[]): Plan => {
    saw(work, rows)
    const circumstances = circumstancesOf(work)
    const plan = backendsOf(targets, rows).map((backend) => planStage(backend, stage, circumstances))
    for (const refusal of plan.flatMap(({ refusals }) => refusals)) work.passed.set(refusal.code, refusal)
    if (!request.force) guard(plan)
    return plan
  }
  const first = planner(work.rows)
  if (changesOf(first).length === 0) return
  work.say(`writing ${first.flatMap((each) => each.actions).join(', ')}`)
  const written = await writeTables(store, first, planner, { targets, timeout, signal })
  for (const { backend, actions } of written) did(work, backend.target, actions)
  work.rows = written.flatMap(({ rows }) => rows.map(({ row, after }) => ({ ...row, state: after })))
}

/** Before the reset: a service that starts between the two must not find the old array with a row that says all is well. */
async function edit(work: Work): Promise<void> {
  const { config, request } = work
  if (config === undefined) return
  work.say(`changing ${config.file}`)
  work.backup = (await import('./oslo/write.js')).replaceFile(config)
  did(work, request.targets[0], ['update_config'])
}

async function stop(work: Work): Promise<void> {
  const { manager } = work
  if (manager === undefined) return
  work.say(`stopping ${manager.name} (${manager.manager})`)
  await manager.stop()
  sawState(work, 'stopped')
  did(work, work.request.targets[0], ['stop_service'])
  await look(work)
}

/** Somebody else, such as a configuration manager, may have started it while we waited. */
async function mustBeStopped(work: Work): Promise<void> {
  if (work.manager === undefined) return
  await ask(work)
  const { service } = work
  if (service === undefined || service.state === 'stopped') return
  throw new AgentError(
    'service_control_failed',
    `${service.name} was stopped, but ${service.manager} says that somebody has started it again.`,
    { hint: 'See who does that, such as a configuration manager, and run this again.', host: service.host },
  )
}

/** Starts the service where it does not run, and waits where something hangs on its heartbeat. */
async function bringUp(work: Work, starts: boolean): Promise<void> {
  const { manager, request } = work
  if (manager === undefined) return
  if (starts) {
    await ask(work)
    await look(work)
  }
  const toStart = work.service?.state !== 'started'
  if (toStart) {
    work.say(`starting ${manager.name} (${manager.manager})`)
    await manager.start()
    sawState(work, 'started')
    did(work, request.targets[0], ['start_service'])
  }
  if (!request.wait) return
  const thaws = backendsOf(request.targets, work.rows)
    .map((backend) => planStage(backend, 'after', circumstancesOf(work)))
    .some(({ actions }) => actions.length > 0)
  if (!toStart && !thaws && beats(work)) return
  await untilUp(work)
  if (request.targets[0]?.desired.replication === 'enabled') mustReplicate(work)
}
