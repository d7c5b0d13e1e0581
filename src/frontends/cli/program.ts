import { Command, CommanderError, Option } from 'commander'
import { AgentError } from '../../model/errors.js'
import { quote } from '../../text/quote.js'
import { COMMANDS, type CommandSpec, type Example } from './commands.js'
import type { OptionSpec, Values } from './options.js'

/** A command line that was understood; or a text to show instead, as after --help. */
export type Parsed =
  | { readonly command: CommandSpec; readonly names: readonly string[]; readonly values: Values }
  | { readonly text: string }

/** Errors: invalid_request. `width`: columns for the help. */
export function parse(args: readonly string[], version: string, width: number): Parsed {
  let parsed: Parsed | undefined
  let text = ''
  const program = new Command('cinder-backend').version(version)
  program.configureHelp({ minWidthToWrap: 20 })
  for (const spec of COMMANDS) {
    const command = program.command(spec.name).description(spec.text)
    if (spec.argument !== undefined) command.argument(argumentOf(spec.argument))
    for (const option of spec.options) command.addOption(optionOf(option))
    command.addHelpText('after', () => `\nExamples:\n${spec.examples.map(exampleText).join('')}`)
    command.action((...given: unknown[]) => {
      mustBeValues(command.opts())
      const names = given
        .slice(0, -2)
        .flat()
        .filter((name) => typeof name === 'string')
      parsed = { command: spec, names, values: command.opts() }
    })
  }
  const write = (more: string) => {
    text += more
  }
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ writeOut: write, writeErr: () => {}, getOutHelpWidth: () => width })
  }
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { text }
    throw misused(error, args)
  }
  return parsed ?? { text: program.helpInformation() }
}

function exampleText({ text, line, file }: Example): string {
  const content = file?.text.replace(/^/gm, '      ').trimEnd()
  return `  # ${text}\n  ${line}\n${file === undefined ? '' : `    ${file.name}:\n${content}\n`}`
}

/** An option whose value was forgotten takes the next option for it, and a dry run may become a real one. */
function mustBeValues(values: Readonly<Record<string, unknown>>): void {
  const taken = Object.entries(values).find(([, value]) => [value].flat().some((each) => String(each).startsWith('--')))
  if (taken === undefined) return
  const option = taken[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new AgentError('invalid_request', `The option --${option} lacks its value.`)
}

function argumentOf(argument: string): string {
  return argument.startsWith('[') ? argument : `<${argument}>`
}

function optionOf({ flags, text, repeatable }: OptionSpec): Option {
  const option = new Option(flags, text)
  if (repeatable && !flags.includes('...'))
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  return option
}

/** Only the first word and names of options are repeated: other words may be a password. */
function misused({ code, message }: CommanderError, args: readonly string[]): AgentError {
  const command = COMMANDS.find(({ name }) => name === args[0])
  const see = `See cinder-backend ${command === undefined ? '' : `${command.name} `}--help.`
  const option = /'(-{1,2}[\w-]+)/.exec(message)?.[1] ?? 'an option'
  const suggestion = /\(Did you mean ([\w, -]+)\?\)/.exec(message)?.[1]
  const problems: Readonly<Record<string, string>> = {
    'commander.unknownCommand': `There is no command ${quote(args[0] ?? '')}.`,
    'commander.unknownOption': `The option ${option} does not exist here.`,
    'commander.optionMissingArgument': `The option ${option} lacks its value.`,
    'commander.missingArgument': `${command?.name ?? 'The command'} needs ${(command?.argument ?? 'more words').replace('...', '')}.`,
    'commander.excessArguments': `${command?.name ?? 'The command'} takes no more words.`,
  }
  const swallowed = code === 'commander.missingArgument' && args.some((word) => /^--(replica|set)$/.test(word))
  const hints = [
    ...(suggestion === undefined ? [] : [`Did you mean ${suggestion}?`]),
    ...(swallowed ? ['It stands before --replica and --set, which take all words that follow.'] : []),
    see,
  ]
  return new AgentError('invalid_request', problems[code] ?? 'The command line is not understood.', {
    hint: hints.join(' '),
  })
}
