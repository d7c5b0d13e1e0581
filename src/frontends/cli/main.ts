/**
 * src/frontends/cli/ is the front end for people: `cinder-backend COMMAND`.
 *
 *   options.ts, commands.ts   tables: the parser, the help, the completion and the manual are made from them
 *   parse-command-line.ts → command-request.ts → run-command.ts   a command line becomes a request; the request runs; the result is shown
 *
 * It may import what src/frontends/ may, and commander and yaml. Promises: a change needs a yes or --yes; what runs is what was shown;
 * everything that is shown of a result is a PrintableResult. A command adds no rule: the same request as JSON does the same.
 */
import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError } from '../../model/errors.js'
import { FORMATS } from '../../report/formats.js'
import { makeFailure } from '../../report/result.js'
import { installProcessHandlers, printResultAndExit, writeOutput } from '../process.js'
import { makeCommandRequest } from './command-request.js'
import { parseCommandLine } from './parse-command-line.js'
import { makePrintable } from './printable.js'
import { readDocument } from './read-document.js'
import { printErrorAndExit, runCommand } from './run-command.js'
import { openTerminal } from './terminal.js'

const MAX_HELP_WIDTH = 100

export async function runCommandLine(args: readonly string[], version: string): Promise<never> {
  const terminal = openTerminal(!args.includes('--no-color'))
  const printsJson = args.includes('--json')
  const exitWithFailure = (result: ResultDocument) =>
    printsJson
      ? printResultAndExit(result, { detailedExitcode: false, format: FORMATS.json })
      : printErrorAndExit(makePrintable(result), terminal)
  const context = installProcessHandlers(args.includes('--verbose'), 'command', exitWithFailure)
  try {
    const parsed = parseCommandLine(args, version, Math.min(terminal.out.width, MAX_HELP_WIDTH))
    if ('text' in parsed) return printAndExit(parsed.text)
    const { command, names, values } = parsed
    const [argument] = names
    if (command.name === 'schema') return printAndExit(await renderSchema(argument))
    if (command.name === 'completion') {
      return printAndExit((await import('./completion/completion.js')).renderCompletion(argument))
    }
    const document = command.makeRequest === undefined ? await readDocument(argument ?? '-', context.signal) : {}
    const request = makeCommandRequest(command, names, values, document)
    return await runCommand({ ...request, command, names, values, terminal, context })
  } catch (error) {
    if (!(error instanceof AgentError)) context.onBug(error)
    return exitWithFailure(makeFailure(error, { audience: 'command' }))
  }
}

async function renderSchema(name = 'request'): Promise<string> {
  const { default: request } = await import('../../../schemas/request.schema.json', { with: { type: 'json' } })
  const { default: result } = await import('../../../schemas/result.schema.json', { with: { type: 'json' } })
  const schema = new Map<string, object>(Object.entries({ request, result })).get(name)
  if (schema !== undefined) return `${JSON.stringify(schema, undefined, 2)}\n`
  throw new AgentError('invalid_request', 'The argument of schema must be request or result.')
}

function printAndExit(text: string): never {
  writeOutput(text, true)
  process.exit(0)
}
