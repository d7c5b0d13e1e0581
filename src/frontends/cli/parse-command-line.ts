import { Command, CommanderError, Option } from 'commander'
import { distance } from 'fastest-levenshtein'
import { AgentError } from '../../model/errors.js'
import { quote } from '../../text/quote.js'
import { COMMANDS, type CommandExample, type CommandSpec } from './commands.js'
import { HELP_OPTION, type OptionSpec, type OptionValues } from './options.js'

/** A command with its arguments, or a text to print instead, as after --help. */
export type CommandLine =
  | { readonly command: CommandSpec; readonly names: readonly string[]; readonly values: OptionValues }
  | { readonly text: string }

/** Errors: invalid_request. `helpWidth` is in columns. */
export function parseCommandLine(args: readonly string[], version: string, helpWidth: number): CommandLine {
  let parsed: CommandLine | undefined
  let text = ''
  const program = new Command('cinder-backend').version(version)
  program.configureHelp({ minWidthToWrap: 20 })
  for (const spec of COMMANDS) {
    const command = program.command(spec.name).description(spec.text)
    if (spec.argument !== undefined) command.argument(formatArgument(spec.argument))
    for (const option of spec.options) command.addOption(makeOption(option))
    command.addHelpText('after', () => `\nExamples:\n${spec.examples.map(formatExample).join('')}`)
    command.action((...received: unknown[]) => {
      checkOptionValues(command.opts())
      const names = received
        .slice(0, -2)
        .flat()
        .filter((name) => typeof name === 'string')
      parsed = { command: spec, names, values: command.opts() }
    })
  }
  const collectText = (more: string) => {
    text += more
  }
  for (const each of [program, ...program.commands]) {
    each
      .exitOverride()
      .helpOption(HELP_OPTION.flags, HELP_OPTION.text)
      .configureOutput({ writeOut: collectText, writeErr: () => {}, getOutHelpWidth: () => helpWidth })
  }
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { text }
    throw makeParseError(error, args)
  }
  return parsed ?? { text: program.helpInformation() }
}

function formatExample({ text, line, file }: CommandExample): string {
  const content = file?.text.replace(/^/gm, '      ').trimEnd()
  return `  # ${text}\n  ${line}\n${file === undefined ? '' : `    ${file.name}:\n${content}\n`}`
}

/** An option without its value takes the next option as the value: `--to --check` would become a real run. */
function checkOptionValues(values: Readonly<Record<string, unknown>>): void {
  const wrong = Object.entries(values).find(([, value]) => [value].flat().some((each) => String(each).startsWith('--')))
  if (wrong === undefined) return
  const option = wrong[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new AgentError('invalid_request', `Missing value: --${option}.`)
}

function formatArgument(argument: string): string {
  return argument.startsWith('[') ? argument : `<${argument}>`
}

function makeOption({ flags, text, repeatable }: OptionSpec): Option {
  const option = new Option(flags, text)
  if (repeatable && !flags.includes('...'))
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  return option
}

/** The message repeats the command and option names only: another word can be a password. */
function makeParseError({ code, message }: CommanderError, args: readonly string[]): AgentError {
  const command = COMMANDS.find(({ name }) => name === args[0])
  const option = /'(-{1,2}[\w-]+)/.exec(message)?.[1] ?? 'an option'
  const problems: Readonly<Record<string, string>> = {
    'commander.unknownCommand': `Unknown command: ${quote(args[0] ?? '')}.`,
    'commander.unknownOption': `Unknown option: ${option}.`,
    'commander.optionMissingArgument': `Missing value: ${option}.`,
    'commander.missingArgument': `Missing argument: ${(command?.argument ?? '').replace('...', '')}.`,
    'commander.excessArguments': 'Too many arguments.',
  }
  const similar = findSuggestions(message, code === 'commander.unknownCommand' ? (args[0] ?? '') : option)
  const swallowed = code === 'commander.missingArgument' && args.some((word) => /^--(replica|set)$/.test(word))
  const hints = [
    ...(similar.length === 0 ? [] : [`Did you mean ${similar.join(' or ')}?`]),
    ...(swallowed ? ['Write it before --replica and --set: they take all words that follow.'] : []),
    `See cinder-backend ${command === undefined ? '' : `${command.name} `}--help.`,
  ]
  return new AgentError('invalid_request', problems[code] ?? 'The command line is not valid.', {
    hint: hints.join(' '),
  })
}

/** A word with more typing errors is another word. */
const MAX_TYPING_ERRORS = 2

/** commander suggests words that are less similar too. */
function findSuggestions(message: string, typed: string): readonly string[] {
  const words = /\(Did you mean (?:one of )?([\w, -]+)\?\)/.exec(message)?.[1]?.split(', ') ?? []
  return words.filter((word) => distance(word, typed) <= MAX_TYPING_ERRORS)
}
