import { printResultAndExit, type ServeOptions, serveRequest, writeOutput } from './frontends/process.js'
import { readStdin } from './frontends/stdin.js'
import { AgentError } from './model/errors.js'
import { FORMATS } from './report/formats.js'
import { makeFailure } from './report/result.js'

declare const VERSION: string

const PARSE_OPTIONS = {
  check: { type: 'boolean' },
  diff: { type: 'boolean' },
  format: { type: 'string' },
  'detailed-exitcode': { type: 'boolean' },
  verbose: { type: 'boolean' },
  version: { type: 'boolean', short: 'V' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The options of the run, or a text to print instead. Errors: invalid_request. */
async function readOptions(args: readonly string[]): Promise<ServeOptions | string> {
  const { check = false, diff = false, verbose = false, ...rest } = args.length === 0 ? {} : await parseOptions(args)
  if (rest.help) return (await import('./frontends/cli/entry.js')).renderHelp(VERSION)
  if (rest.version) return `${VERSION}\n`
  const detailedExitcode = rest['detailed-exitcode'] ?? false
  return { check, diff, verbose, detailedExitcode, format: findFormat(rest.format ?? 'json') }
}

async function parseOptions(args: readonly string[]) {
  const { parseArgs } = await import('node:util')
  try {
    return parseArgs({ args: [...args], options: PARSE_OPTIONS }).values
  } catch (error) {
    throw makeOptionError(String(error))
  }
}

function findFormat(name: string): ServeOptions['format'] {
  const format = new Map(Object.entries(FORMATS)).get(name)
  if (format !== undefined) return format
  throw makeUsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}.`)
}

/** The message repeats option names only: another word on the command line can be a request with a password. */
function makeOptionError(parseError: string): AgentError {
  const option = /^\w*(?:Error)?[^']*'(-{1,2}[\w-]+)/.exec(parseError)?.[1]
  return makeUsageError(
    option === undefined
      ? 'The command line must not contain the request. Send the request on standard input.'
      : `Unknown option, or wrong use of an option: ${option}.`,
  )
}

function makeUsageError(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: 'See cinder-backend --help.' })
}

async function startFrontend(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === 'help') return startFrontend(['--help'])
  if (/^[a-z][a-z-]*$/.test(args[0] ?? '')) return startCommand(args)
  const options = await readOptions(args).catch(async (error: unknown) => {
    const reordered = (await import('./frontends/cli/entry.js')).moveCommandFirst(args)
    if (reordered !== undefined) return startCommand(reordered)
    return printResultAndExit(makeFailure(error, { audience: 'request' }), {
      detailedExitcode: false,
      format: FORMATS.json,
    })
  })
  if (typeof options === 'string') writeOutput(options)
  else await serveRequest(readStdin, options)
}

async function startCommand(args: readonly string[]): Promise<never> {
  return (await import('./frontends/cli/entry.js')).runCommandLine(args, VERSION)
}

void startFrontend(process.argv.slice(2))
