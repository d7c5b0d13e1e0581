import { failed, finish, print, type ServeOptions, serve } from './frontends/process.js'
import { input } from './frontends/stdin.js'
import { AgentError } from './model/errors.js'
import { FORMATS } from './report/formats.js'

declare const VERSION: string

const OPTIONS = {
  check: { type: 'boolean' },
  diff: { type: 'boolean' },
  format: { type: 'string' },
  'detailed-exitcode': { type: 'boolean' },
  verbose: { type: 'boolean' },
  version: { type: 'boolean', short: 'V' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The command line as options of the run, or as text to show instead. Errors: invalid_request. */
async function options(args: readonly string[]): Promise<ServeOptions | string> {
  const { check = false, diff = false, verbose = false, ...rest } = args.length === 0 ? {} : await parsed(args)
  if (rest.help) return (await import('./frontends/cli/help.js')).help(VERSION)
  if (rest.version) return `${VERSION}\n`
  return { check, diff, verbose, detailed: rest['detailed-exitcode'] ?? false, format: format(rest.format ?? 'json') }
}

async function parsed(args: readonly string[]) {
  const { parseArgs } = await import('node:util')
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    throw misused(String(error))
  }
}

function format(name: string): ServeOptions['format'] {
  if (name === 'json' || name === 'salt' || name === 'bolt') return FORMATS[name]
  throw wrongUse(`--format must be one of ${Object.keys(FORMATS).join(', ')}.`)
}

/** Only names of options are repeated: other words on a command line that is wrong may be a request, with its password. */
function misused(said: string): AgentError {
  const option = /^\w*(?:Error)?[^']*'(-{1,2}[\w-]+)/.exec(said)?.[1]
  return wrongUse(
    option === undefined
      ? 'The request goes to standard input, not onto the command line.'
      : `The option ${option} does not exist, or not in this form.`,
  )
}

function wrongUse(problem: string): AgentError {
  return new AgentError('invalid_request', problem, { hint: 'See cinder-backend --help.' })
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === 'help') return main(['--help'])
  if (/^[a-z][a-z-]*$/.test(args[0] ?? '')) return (await import('./frontends/cli/main.js')).main(args, VERSION)
  const wanted = await options(args).catch(async (error: unknown) => {
    const line = (await import('./frontends/cli/commands.js')).commandFirst(args)
    if (line !== undefined) return (await import('./frontends/cli/main.js')).main(line, VERSION)
    return finish(failed(error, 'request'), { detailed: false, format: FORMATS.json })
  })
  if (typeof wanted === 'string') print(wanted)
  else await serve(input, wanted)
}

void main(process.argv.slice(2))
