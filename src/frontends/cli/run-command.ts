import { type RunContext, runRequest } from '../../agent.js'
import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError } from '../../model/errors.js'
import { FORMATS } from '../../report/formats.js'
import { makeFailure } from '../../report/result.js'
import { readFlags } from '../../request/request.js'
import { toJsonLine } from '../../text/control.js'
import { formatList } from '../../text/list.js'
import { exitWithStatus, printResultAndExit, writeOutput } from '../process.js'
import type { CommandRequest } from './command-request.js'
import type { CommandSpec } from './commands.js'
import { filterBackends, renderNames } from './filter-list.js'
import { renderPromotionSteps, renderUndoSteps } from './next-steps.js'
import { CHANGE_OPTIONS, type OptionValues } from './options.js'
import { makePrintable, type PrintableResult } from './printable.js'
import { getDisplayName, type RenderOptions, renderChanges } from './render-changes.js'
import { renderError } from './render-error.js'
import { requireSamePlan } from './same-plan.js'
import { openSaveFile } from './save-result.js'
import { makeSpinner } from './spinner.js'
import { renderStatus } from './status.js'
import { type Answer, askConfirmation, makeNoTerminalError, type Terminal } from './terminal.js'
import { wrapText } from './wrap.js'

interface CommandRun extends CommandRequest {
  readonly command: CommandSpec
  readonly names: readonly string[]
  readonly values: OptionValues
  readonly terminal: Terminal
  readonly context: RunContext
}

interface ShowOptions extends RenderOptions {
  /** The file with the saved result. */
  readonly savedTo?: string | undefined
}

/** Runs the request, asks before a change, and shows the result. */
export async function runCommand(commandRun: CommandRun): Promise<never> {
  const { command, names, values, terminal, request, context } = commandRun
  if (isReadOnly(command)) return showResult(commandRun, await runOnce(commandRun, { dryRun: false }), {})
  const isCheck = values.check === true || readFlags(request).check
  const { path: savedTo, save } = openSaveFile(isCheck ? undefined : values.save)
  if (values.yes === true && !isCheck) {
    return showResult(commandRun, save(await runOnce(commandRun, { dryRun: false })), { savedTo })
  }
  const approve = requireSamePlan()
  const planned = await runOnce(commandRun, { dryRun: true, approve })
  if (isCheck || planned.failed || !planned.changed) return showResult(commandRun, planned, { isPreview: true })
  const inputIsRead = names[0] === '-'
  if (!terminal.err.isTerminal || !(inputIsRead || terminal.canAnswer)) throw makeNoTerminalError()
  const preview = makePrintable(planned)
  printToUser(renderChanges(preview, { isPreview: true }, terminal.err), terminal)
  const answer = await askConfirmation(formatQuestion(preview), context.signal, inputIsRead)
  if (answer !== 'yes') return exitUnchanged(commandRun, answer)
  return showResult(commandRun, save(await runOnce(commandRun, { dryRun: false, approve })), { preview, savedTo })
}

function isReadOnly({ options }: CommandSpec): boolean {
  return !options.includes(CHANGE_OPTIONS.yes)
}

async function runOnce(
  { command, values, terminal, context, request, warnings }: CommandRun,
  { dryRun, approve }: { readonly dryRun: boolean; readonly approve?: RunContext['approve'] },
): Promise<ResultDocument> {
  const spinner = makeSpinner(terminal.err)
  const result = await runRequest(
    async () => Buffer.from(JSON.stringify(request)),
    { check: dryRun, diff: dryRun || values.diff === true }, // the question shows the lines of cinder.conf
    {
      ...context,
      audience: command.name === 'apply' ? 'request' : 'command',
      onProgress: spinner.showStep,
      approve,
    },
  )
  spinner.stop(result.failed)
  return result.failed || !result.changed ? result : { ...result, warnings: [...result.warnings, ...warnings] }
}

function formatQuestion({ backends }: PrintableResult): string {
  const changed = backends.filter((backend) => backend.changed).map(getDisplayName)
  return `Apply these changes to ${formatList(changed, ', ')}?`
}

function exitUnchanged({ values, terminal }: CommandRun, answer: Exclude<Answer, 'yes'>): never {
  const error = new AgentError('interrupted', 'The answer was not yes. Nothing was changed.')
  if (values.json === true) writeOutput(toJsonLine(makeFailure(error, { audience: 'command' })))
  else printToUser('Nothing was changed.\n', terminal)
  process.exit(answer === 'no' ? 1 : 130)
}

function showResult(commandRun: CommandRun, complete: ResultDocument, options: ShowOptions): never {
  const { command, values, terminal, request } = commandRun
  const { diff: _, ...withoutDiff } = complete
  const wanted = values.diff === true || readFlags(request).diff ? complete : withoutDiff
  const result = command.name === 'list' ? filterBackends(wanted, values) : wanted
  const detailedExitcode = values.detailedExitcode === true
  if (values.json === true) return printResultAndExit(result, { detailedExitcode, format: FORMATS.json })
  const printable = makePrintable(result)
  const nextSteps = renderNextSteps(commandRun, printable, options)
  if (printable.failed) return printErrorAndExit(printable, terminal, nextSteps)
  writeOutput(wrapText(renderResult(commandRun, printable, options), terminal.out.width) + nextSteps, true)
  return exitWithStatus(result, detailedExitcode)
}

function renderResult(
  { command, values, terminal }: CommandRun,
  result: PrintableResult,
  options: ShowOptions,
): string {
  if (values.names === true) return renderNames(result, values)
  if (isReadOnly(command)) return renderStatus(result, terminal.out, command.name === 'show' ? 'blocks' : 'table')
  return renderChanges(result, options, terminal.out)
}

/** Not wrapped: a command that the user copies must stay on one line. */
function renderNextSteps(
  { command, names, values }: CommandRun,
  result: PrintableResult,
  { isPreview = false, savedTo }: ShowOptions,
): string {
  const promotionSteps = command.name === 'promote' ? renderPromotionSteps(result, names[0] ?? '', values) : ''
  const undoSteps = savedTo === undefined ? '' : renderUndoSteps(result, savedTo, values)
  return promotionSteps + undoSteps + (isPreview && result.changed ? 'This was a check: nothing was changed.\n' : '')
}

export function printErrorAndExit(result: PrintableResult, terminal: Terminal, nextSteps = ''): never {
  printToUser(renderError(result, terminal.err.style), terminal)
  process.stderr.write(nextSteps)
  process.exit(1)
}

function printToUser(text: string, { err }: Terminal): void {
  process.stderr.write(wrapText(text, err.width))
}
