/**
 * execute/ carries a plan out. It looks, plans, judges, does the first step, and looks again. Every step is made like the next run of a run that
 * was killed before it: nothing is known that is not in the tables, in cinder.conf, and with the manager.
 *
 * It may import model/, plan/, observe/, text/, and from store/ and service/ their ports. It promises that no step is done
 * that a guard forbids on the facts of that moment, that the journal has every step that was done, also after a failure, and that nothing is read
 * again after the last step. It does not promise that a step that failed was not done: the journal then says that it may have been.
 */
import type { Journal } from '../model/journal.js'
import type { Observation } from '../model/observation.js'
import type { Plan, Refusal, Step } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { type Need, observeAgain, observeAll, throwWithTarget } from '../observe/observe.js'
import { NO_CONFIG, type PlanConfig } from '../plan/config-plan.js'
import { makePlan } from '../plan/plan.js'
import { enforceGuards } from './enforce-guards.js'
import { requireEnd, requireNothingUndone, requireProgress, requireSameFailover } from './require-progress.js'
import type { StepResult, StepTools } from './step.js'

export interface ExecuteOptions extends Omit<StepTools, 'judge' | 'onRows'> {
  /** Is shown every plan before a step of it is done, and the steps done so far; what it throws ends the run. */
  readonly approve: (plan: Plan, done: readonly Step[]) => void
}

/** The facts that must be fresh before a step. The writing of rows reads them under lock; a wait reads them itself. */
const NEEDS: Readonly<Record<Step['kind'], readonly Need[]>> = {
  write_rows: [],
  stop_service: ['rows'],
  await_down: [],
  update_config: ['rows', 'config', 'service'],
  remove_old_copy: [],
  start_service: ['rows', 'config', 'service'],
  await_heartbeat: [],
}

/** What may change during a step: the driver writes replication_status at its start, and a deploy tool may write cinder.conf in the meantime. */
const MOVES: Partial<Readonly<Record<Step['kind'], readonly Need[]>>> = {
  stop_service: ['config'],
  await_down: ['config'],
  start_service: ['rows'],
}

/** Carries the request out, or in check mode plans it. It never throws: the journal has the error. */
export async function execute(options: ExecuteOptions): Promise<Journal> {
  const { request } = options
  let planConfig: PlanConfig = () => NO_CONFIG
  let journal = openJournal(request)
  const tried: Step['kind'][] = []
  const onRows = (last: Observation) => {
    journal = { ...journal, first: journal.first ?? last, last }
  }
  const judge = (observation: Observation): Plan => {
    onRows(observation)
    const plan = makePlan(request, observation, planConfig)
    requireProgress(plan, observation, journal)
    requireSameFailover(plan, observation, journal)
    const passed = enforceGuards(plan, request)
    requireNothingUndone(plan, journal)
    options.approve(plan, journal.steps)
    journal = addNotes(journal, plan, passed)
    return plan
  }
  try {
    const sources = { ...options, onRows }
    let observation = await observeAll(sources)
    onRows(observation)
    planConfig = await loadPlanConfig(observation)
    for (;;) {
      const { steps, needsRest } = judge(observation)
      if (needsRest) await options.manager?.requireStaysStopped().catch(throwWithTarget(request))
      const [step, next] = steps
      if (step === undefined || (request.checkMode && !isLook(step, request)))
        return { ...journal, steps: [...journal.steps, ...steps] }
      requireEnd(step, tried)
      tried.push(step.kind)
      const { performStep } = await import('./perform.js')
      const result = await performStep(step, observation, { ...sources, judge })
      journal = addResult(journal, result)
      if (result.error !== undefined) throw result.error
      if (result.isFinal) return journal
      observation =
        next === undefined
          ? result.observation
          : await observeAgain([...NEEDS[next.kind], ...(MOVES[step.kind] ?? [])], result.observation, sources)
    }
  } catch (error) {
    return { ...journal, error, ...planRemaining(journal, planConfig) }
  }
}

/** A wait that only looks whether an old heartbeat stands still decides what is refused. So check mode looks too. */
function isLook({ kind }: Step, { wait }: Request): boolean {
  return kind === 'await_down' && !wait
}

/** Most runs have nothing to do with cinder.conf, and need not load what reads and edits it. */
async function loadPlanConfig({ config }: Observation): Promise<PlanConfig> {
  return config === undefined ? () => NO_CONFIG : (await import('../plan/config.js')).planConfig
}

function openJournal(request: Request): Journal {
  return {
    request,
    first: undefined,
    last: undefined,
    steps: [],
    remaining: [],
    refusal: undefined,
    warnings: [],
    section: undefined,
    passed: [],
    backup: undefined,
    unconfirmed: [],
    mayBeChanged: false,
    error: undefined,
  }
}

/** Only the first plan speaks about the request: a later plan would take this run's own edit for that of another. */
function addNotes(journal: Journal, { warnings, section }: Plan, passed: readonly Refusal[]): Journal {
  const isFirst = journal.steps.length === 0
  const known = new Map([...journal.passed, ...passed].map((each) => [`${each.code} ${each.target.name}`, each]))
  return { ...journal, warnings: isFirst ? warnings : journal.warnings, section, passed: [...known.values()] }
}

function addResult(journal: Journal, result: StepResult): Journal {
  const { done, observation, backup, unconfirmed = [], warnings = [], mayBeDone } = result
  return {
    ...journal,
    warnings: [...journal.warnings, ...warnings],
    last: observation,
    steps: done === undefined ? journal.steps : [...journal.steps, done],
    backup: backup ?? journal.backup,
    unconfirmed: [...journal.unconfirmed, ...unconfirmed],
    mayBeChanged: journal.mayBeChanged || mayBeDone === true,
  }
}

/** What the same request would do now; nothing if that cannot be known. */
function planRemaining(
  { request, last, steps }: Journal,
  planConfig: PlanConfig,
): Pick<Journal, 'remaining' | 'refusal'> {
  const nothing = { remaining: [], refusal: undefined }
  if (last === undefined || steps.length === 0) return nothing
  try {
    const plan = makePlan(request, last, planConfig)
    const [refusal] = request.force ? [] : plan.refusals
    return refusal === undefined ? { remaining: plan.steps, refusal } : { remaining: [], refusal }
  } catch {
    return nothing
  }
}
