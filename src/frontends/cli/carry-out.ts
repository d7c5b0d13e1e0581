import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError } from '../../model/errors.js'
import type { Plan } from '../../model/plan.js'
import { FORMATS } from '../../report/formats.js'
import { readFlags } from '../../request/request.js'
import { run, type Surroundings } from '../../run.js'
import { failed, finish, leave, print } from '../process.js'
import { changes, fileDiff } from './changes.js'
import type { CommandSpec } from './commands.js'
import { chosen, names } from './list.js'
import { CHANGING, type Values } from './options.js'
import type { Asked } from './request.js'
import { saving } from './save.js'
import { report } from './standing.js'
import { ask, noTerminal, type Screen, spinner, type Terminal } from './terminal.js'
import { fitted, inShell, problem } from './text.js'

interface Work extends Asked {
  readonly command: CommandSpec
  readonly values: Values
  readonly screen: Terminal
  readonly around: Surroundings
  /** The request came on standard input, and so the answer cannot. */
  readonly typed: boolean
}

/** Has the request run, with a question before a change, and shows what came of it. */
export async function carryOut(work: Work): Promise<never> {
  const { command, values, screen, request, typed } = work
  if (isReport(command)) return show(work, await attempt(work, { dry: false }), {})
  const done = async (agree?: Surroundings['agree']) => withNext(work, await attempt(work, { dry: false, agree }))
  const check = values.check === true || readFlags(request).check
  const { path: saved, keep } = saving(check ? undefined : values.save)
  if (values.yes === true && !check) return show(work, keep(await done()), { saved })
  const agree = agreed()
  const plan = await attempt(work, { dry: true, agree })
  if (check || plan.failed || !plan.changed) return show(work, withNext(work, plan), { would: true })
  if (!screen.err.isTerminal || !(typed || screen.answers)) throw noTerminal()
  process.stderr.write(fitted(changed(plan, screen.err, { would: true }), screen.err))
  const answer = await ask('Do it?', work.around.signal, typed)
  if (answer !== 'yes') return unchanged(work, answer)
  return show(work, keep(await done(agree)), { shown: plan, saved })
}

async function attempt(
  work: Work,
  { dry, agree }: { readonly dry: boolean } & Pick<Surroundings, 'agree'>,
): Promise<ResultDocument> {
  const { command, values, screen, around, request } = work
  const progress = spinner(screen.err)
  const result = await run(
    async () => Buffer.from(JSON.stringify(request)),
    { check: dry, diff: dry || values.diff === true }, // whoever is asked sees the lines of cinder.conf too
    { ...around, audience: command.name === 'apply' ? 'request' : 'command', say: progress.say, agree },
  )
  progress.stop(result.failed)
  const caveats = result.failed || !result.changed ? [] : (work.caveats ?? [])
  return { ...result, warnings: [...result.warnings, ...caveats] }
}

/** What is to be done next is to end the freeze. */
function withNext({ next = [] }: Work, result: ResultDocument): ResultDocument {
  const held = result.changed && !result.failed && result.backends.some(({ after }) => after.frozen)
  return held ? { ...result, warnings: [...result.warnings, ...next] } : result
}

/**
 * What was shown must be what is done: the first plan is kept, and a later one that does something else is refused. Somebody may have changed the
 * rows or cinder.conf while the question stood. Errors: conflict.
 */
function agreed(): (plan: Plan) => void {
  let shown: string | undefined
  return (plan) => {
    const now = JSON.stringify(
      plan.map(({ actions, rows, config }) => [
        actions,
        rows.map(({ row, after }) => [row.table, row.name, row.state, after]),
        config && [config.file, config.options, config.before.toString('base64'), config.after.toString('base64')],
      ]),
    )
    shown ??= now
    if (now === shown || plan.every(({ actions }) => actions.length === 0)) return
    throw new AgentError('conflict', 'What would be changed is no longer what was shown, so nothing was done.', {
      hint: 'Run it again to see.',
    })
  }
}

function unchanged({ values, screen }: Work, answer: 'no' | 'interrupted'): never {
  const error = new AgentError('interrupted', 'The question was not answered with yes, so nothing was changed.')
  if (values.json === true) print(`${JSON.stringify(failed(error, 'command'))}\n`)
  else process.stderr.write(fitted('Nothing was changed.\n', screen.err))
  process.exit(answer === 'no' ? 1 : 130)
}

interface Telling {
  /** It is a plan, not yet done. */
  readonly would?: boolean
  /** What was shown with the question. */
  readonly shown?: ResultDocument
  /** The file that keeps the result. */
  readonly saved?: string | undefined
}

function show(work: Work, whole: ResultDocument, telling: Telling): never {
  const { command, values, screen } = work
  const { diff: _, ...withoutDiff } = whole
  const asked = values.diff === true || readFlags(work.request).diff ? whole : withoutDiff
  const result = command.name === 'list' ? chosen(asked, values) : asked
  const detailed = values.detailedExitcode === true
  if (values.json === true) return finish(result, { detailed, format: FORMATS.json })
  if (result.failed) return explain(result, screen, wayBack(work, result, telling.saved))
  if (values.names === true) write(names(result, values))
  else write(fitted(told(work, result, telling), screen.out))
  return leave(result, detailed)
}

function told(work: Work, result: ResultDocument, telling: Telling): string {
  const { command, screen } = work
  const onlyChecked = telling.would === true && result.changed ? 'This was a check: nothing was changed.\n' : ''
  if (!isReport(command))
    return changed(result, screen.out, telling) + wayBack(work, result, telling.saved) + onlyChecked
  return report(result, screen.out, command.name === 'show' ? 'blocks' : 'table')
}

/** How to take back what was saved. The connection is not in there, for it is a secret. */
function wayBack({ request }: Work, { undo, backends }: ResultDocument, saved: string | undefined): string {
  if (saved === undefined || undo === undefined) return ''
  const where = 'connection' in request ? ' --connection ...' : ''
  const edited = backends.some(({ config }) => config !== undefined && config.options.length > 0)
  const first = edited ? ', with cinder-volume stopped, and cinder.conf put back by hand' : ''
  return `Taken back by: cinder-backend undo ${inShell(saved)}${where}${first}\n`
}

/** What was shown with the question is not shown again. */
function changed(result: ResultDocument, screen: Screen, { would = false, shown }: Telling): string {
  const warnings = result.warnings.filter((warning) => !shown?.warnings.includes(warning))
  const steps = changes({ ...result, warnings }, { would, rows: shown === undefined }, screen)
  return shown === undefined ? steps + fileDiff(result, screen) : steps
}

function isReport({ options }: CommandSpec): boolean {
  return !options.includes(CHANGING.yes)
}

export function explain(result: ResultDocument, screen: Terminal, more = ''): never {
  process.stderr.write(fitted(problem(result, screen.err) + more, screen.err))
  process.exit(1)
}

/** Whoever reads may have seen enough, as `head` does. */
export function write(text: string): void {
  print(text, true)
}
