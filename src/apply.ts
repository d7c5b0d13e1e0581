import type { Row } from './model/backend.js'
import { changesOf } from './model/backend.js'
import { AgentError } from './model/errors.js'
import type { Plan, Stages } from './model/plan.js'
import { did, judge, planNow, saw, sawState, soleTarget, stageNow, type Work, wrote } from './progress.js'
import { writeTables } from './tables.js'
import { ask, beats, look, mustReplicate, untilDown, untilUp } from './waiting.js'

/**
 * Does what is missing, in the order of a promotion, and keeps count of it. Killed anywhere, the next run finds the rest by itself: nothing is
 * known here that is not in the tables, in cinder.conf, and with the manager.
 */
export async function apply(work: Work): Promise<void> {
  const { request } = work
  const plan = planNow(work)
  const actions = plan.flatMap((each) => each.actions)
  const restarts = plan.some((each) => each.restarts)
  if (work.config !== undefined && actions.includes('update_config')) {
    ;(await import('./oslo/write.js')).requireWritable(work.config.file)
  }
  await write(work, 'before')
  if (actions.includes('stop_service')) await bring(work, 'stopped')
  if (request.wait && (restarts || request.service?.state === 'stopped')) await untilDown(work)
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
    const plan = stageNow(work, stage)
    judge(work, plan)
    return plan
  }
  const first = planner(work.rows)
  if (changesOf(first).length === 0) return
  const steps = new Set(first.flatMap(({ actions }) => actions.map((action) => action.replaceAll('_', ' '))))
  work.say(`writing the rows: ${[...steps].join(', ')}`)
  const written = await writeTables(store, first, planner, { targets, timeout, signal })
  for (const { backend, actions } of written) did(work, backend.target, actions)
  wrote(work, changesOf(written))
  work.rows = written.flatMap(({ rows }) => rows.map(({ row, after }) => ({ ...row, state: after })))
}

/** Before the reset: a service that starts between the two must not find the old array with a row that says all is well. */
async function edit(work: Work): Promise<void> {
  const { config, request } = work
  if (config === undefined) return
  work.say(`changing ${config.file}`)
  work.backup = (await import('./oslo/write.js')).replaceFile(config)
  did(work, soleTarget(request), ['update_config'])
}

/** Stops or starts the service. Where that fails it may have been done all the same, so its manager is asked once more. */
async function bring(work: Work, aim: 'stopped' | 'started'): Promise<void> {
  const { manager, request } = work
  if (manager === undefined) return
  const starts = aim === 'started'
  const isDone = () => did(work, soleTarget(request), [starts ? 'start_service' : 'stop_service'])
  work.say(`${starts ? 'starting' : 'stopping'} ${manager.name} (${manager.manager})`)
  try {
    await (starts ? manager.start() : manager.stop())
  } catch (error) {
    const before = work.service?.state
    const asked = await ask(work).then(
      () => true,
      () => false, // the first error is the one to tell
    )
    if (asked && work.service?.state === aim) isDone()
    throw asked && [before, aim].includes(work.service?.state) ? error : inDoubt(error)
  }
  sawState(work, aim)
  isDone()
}

function inDoubt(error: unknown): unknown {
  if (!(error instanceof AgentError)) return error
  return new AgentError(error.code, error.problem, { ...error.details, unconfirmed: true })
}

/** Somebody else, such as a configuration manager, may have started it while we waited. */
async function mustBeStopped(work: Work): Promise<void> {
  if (work.manager === undefined) return
  await ask(work)
  const { service } = work
  if (service === undefined || service.state === 'stopped') return
  throw new AgentError(
    'service_control_failed',
    `${service.name} must be stopped at this point, but ${service.manager} says that it is ${service.state}.`,
    {
      hint: 'See who does that, a configuration manager or another run of this, and run it again.',
      host: service.host,
    },
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
  if (toStart) await bring(work, 'started')
  if (!request.wait) return
  const writes = stageNow(work, 'after').some(({ actions }) => actions.length > 0)
  if (!toStart && !writes && beats(work)) return
  await untilUp(work)
  if (soleTarget(request)?.desired.replication === 'enabled') mustReplicate(work)
}
