import type { ResultDocument } from '../contract.generated.js'
import { AgentError } from '../errors.js'
import { FORMATS } from '../report/formats.js'
import { run, type Surroundings } from '../run.js'
import { finish, leave, print } from '../serve.js'
import { changes, fileDiff } from './changes.js'
import type { CommandSpec } from './commands.js'
import { chosen, names } from './list.js'
import { CHANGING, type Values } from './options.js'
import type { Asked } from './request.js'
import { report } from './standing.js'
import { ask, spinner, type Terminal } from './terminal.js'
import { fitted, problem } from './text.js'

interface Work extends Asked {
  readonly command: CommandSpec
  readonly values: Values
  readonly screen: Terminal
  readonly around: Surroundings
}

/** Has the request run, with a question before a change, and shows what came of it. */
export async function carryOut(work: Work): Promise<never> {
  const { command, values, screen } = work
  const { check = false, yes = false } = values
  if (isReport(command)) return show(work, await attempt(work, { dry: false }), {})
  if (yes && !check) return show(work, await attempt(work, { dry: false }), {})
  const plan = await attempt(work, { dry: true })
  if (check || plan.failed || !plan.changed) return show(work, plan, { would: true })
  if (!screen.answers) {
    throw new AgentError('invalid_request', 'This would change something, and there is no terminal to ask at.', {
      hint: 'Say --yes, or --check to see what it would be.',
    })
  }
  process.stderr.write(fitted(changed(work, plan, { would: true }), process.stderr))
  const answer = await ask('Do it?')
  if (answer !== 'yes') {
    process.stderr.write('Nothing was changed.\n')
    process.exit(answer === 'no' ? 1 : 130)
  }
  mustBeTheSame(plan, await attempt(work, { dry: true }))
  return show(work, await attempt(work, { dry: false }), { wasShown: true })
}

async function attempt(
  { command, values, screen, around, request, notes }: Work,
  { dry }: { readonly dry: boolean },
): Promise<ResultDocument> {
  const progress = spinner(screen.style)
  const result = await run(
    async () => Buffer.from(JSON.stringify(request)),
    { check: dry, diff: dry || values.diff === true }, // whoever is asked sees the lines of cinder.conf too
    { ...around, audience: command.name === 'apply' ? 'request' : 'command', say: progress.say },
  )
  progress.stop(result.failed)
  return { ...result, warnings: [...result.warnings, ...(result.failed ? [] : notes)] }
}

interface Telling {
  /** It is a plan, not yet done. */
  readonly would?: boolean
  /** The rows and lines were shown with the question. */
  readonly wasShown?: boolean
}

function show(work: Work, whole: ResultDocument, telling: Telling): never {
  const { command, values, screen } = work
  const { diff: _, ...withoutDiff } = whole
  const asked = values.diff === true ? whole : withoutDiff
  const result = command.name === 'list' ? chosen(asked, values) : asked
  const detailed = values.detailedExitcode === true
  if (values.json === true) return finish(result, { detailed, format: FORMATS.json })
  if (result.failed) return explain(result, screen)
  if (values.names === true) write(names(result, values))
  else write(fitted(told(work, result, telling), process.stdout))
  return leave(result, detailed)
}

function told(work: Work, result: ResultDocument, telling: Telling): string {
  const { command, screen } = work
  if (!isReport(command)) return changed(work, result, telling)
  return report(result, screen, command.name === 'show' ? 'blocks' : 'table')
}

function changed({ screen }: Work, result: ResultDocument, { would = false, wasShown = false }: Telling): string {
  return changes(result, { would, rows: !wasShown }, screen) + (wasShown ? '' : fileDiff(result, screen))
}

/** What was shown must be what is done; somebody may have changed the rows while the question stood. */
function mustBeTheSame(shown: ResultDocument, now: ResultDocument): void {
  const deeds = ({ backends, diff }: ResultDocument) => JSON.stringify([diff, backends.map(({ actions }) => actions)])
  if (now.failed || deeds(shown) === deeds(now)) return
  throw new AgentError(
    'conflict',
    'Something was changed while the question stood, so another change would be made than the one shown.',
    { hint: 'Nothing was done; run it again to see.' },
  )
}

function isReport({ options }: CommandSpec): boolean {
  return !options.includes(CHANGING.yes)
}

export function explain(result: ResultDocument, screen: Terminal): never {
  process.stderr.write(fitted(problem(result, screen), process.stderr))
  process.exit(1)
}

/** Whoever reads may have seen enough, as `head` does. */
export function write(text: string): void {
  print(text, true)
}
