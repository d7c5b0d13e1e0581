import { AgentError } from './errors.js'
import { input } from './input.js'
import { FORMATS } from './report/formats.js'
import { failed, finish, print, type ServeOptions, serve } from './serve.js'

declare const VERSION: string

const HELP = `cinder-backend ${VERSION}

Brings OpenStack Cinder volume backends into a desired state: a JSON request on
standard input, a JSON result on standard output.

Usage: cinder-backend [OPTION]... < REQUEST.json
       cinder-backend COMMAND [OPTION]...

  --check               tell what would be changed, and change nothing
                        (check_mode)
  --diff                show the rows before and after (diff)
  --format FORMAT       the form of the result: json (the default), salt or bolt
  --detailed-exitcode   exit with 0: nothing to change, 2: changed (with --check:
                        would change), 1: failed
  --verbose             on an internal error, show the stack on standard error
  -V, --version         show the version
  -h, --help            show this help

Example:
  echo '{"host": "vol1@arrayA", "active_backend": "reset"}' |
    cinder-backend --check --diff

The connection comes from "connection" in the request, else from
OS_DATABASE__CONNECTION, else from the cinder.conf that cinder-volume reads.
Without --detailed-exitcode the exit status is 0 when the result says
"failed": false, else 1.
`

/** With the commands, which are not loaded for anything else. */
async function help(): Promise<string> {
  const { COMMANDS } = await import('./cli/commands.js')
  const wide = Math.max(...COMMANDS.map(({ name }) => name.length))
  const lines = COMMANDS.map(({ name, text }) => `  ${name.padEnd(wide)}  ${text.replace(/[.:;,].*/s, '')}`)
  return `${HELP}\nCommands for people; cinder-backend COMMAND --help has examples:\n\n${lines.join('\n')}\n`
}

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
  if (rest.help) return help()
  if (rest.version) return `${VERSION}\n`
  return { check, diff, verbose, detailed: rest['detailed-exitcode'] ?? false, format: format(rest.format ?? 'json') }
}

async function parsed(args: readonly string[]) {
  const { parseArgs } = await import('node:util')
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    const { COMMANDS } = await import('./cli/commands.js')
    const command = COMMANDS.find(({ name }) => args.includes(name))
    throw command === undefined ? misused(String(error)) : wrongUse(`Options go behind the command ${command.name}.`)
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
  if (/^[a-z][a-z-]*$/.test(args[0] ?? '')) return (await import('./cli/main.js')).main(args, VERSION)
  const wanted = await options(args).catch((error: unknown) =>
    finish(failed(error), { detailed: false, format: FORMATS.json }),
  )
  if (typeof wanted === 'string') print(wanted)
  else await serve(input, wanted)
}

void main(process.argv.slice(2))
