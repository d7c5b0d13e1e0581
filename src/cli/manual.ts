import { COMMANDS, type CommandSpec } from './commands.js'
import type { OptionSpec } from './options.js'

/** cinder-backend(1), in the macros of man(7). */
export function manual(version: string): string {
  return [
    `.TH CINDER\\-BACKEND 1 "" "cinder\\-backend ${version}"`,
    '.SH NAME',
    'cinder\\-backend \\- bring OpenStack Cinder volume backends from failed over back to normal',
    '.SH SYNOPSIS',
    '.B cinder\\-backend',
    '[\\fIOPTION\\fR]... < \\fIREQUEST\\fR',
    '.br',
    '.B cinder\\-backend',
    '\\fICOMMAND\\fR [\\fIOPTION\\fR]...',
    '.SH DESCRIPTION',
    ...paragraph(
      'Without a command it reads one JSON request on standard input and prints one JSON result on standard output. A command makes such a request, and shows the result to people. Before a change it asks, if there is a terminal; elsewhere a change needs --yes.',
    ),
    '.SH OPTIONS WITHOUT A COMMAND',
    ...AGENT.flatMap(([flags, text]) => described(flags, text)),
    '.SH COMMANDS',
    ...COMMANDS.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...paragraph(
      '0: done, or nothing to do. 1: failed, or the question was answered with no. With --detailed-exitcode 2: changed, or with --check would change.',
    ),
    '.SH ENVIRONMENT',
    ...described('OS_DATABASE__CONNECTION', 'the database, where neither the request nor --connection names it'),
    ...described('NO_COLOR', 'no colours'),
    '.SH FILES',
    ...described(
      '/etc/cinder/cinder.conf',
      'what cinder-volume reads by default, and with it the other files that it would read',
    ),
    '',
  ].join('\n')
}

/** The options of the agent itself (main.ts). */
const AGENT: readonly (readonly [string, string])[] = [
  ['--check', 'tell what would be changed, and change nothing'],
  ['--diff', 'show the rows before and after'],
  ['--format FORMAT', 'the form of the result: json, salt or bolt'],
  ['--detailed-exitcode', 'exit with 2 where something was changed, or would be'],
  ['--verbose', 'on an internal error, show the stack on standard error'],
  ['--version, --help', 'what they say'],
]

function commandLines({ name, argument = '', text, options, examples }: CommandSpec): readonly string[] {
  return [
    `.SS "${escaped(`${name} ${argument}`.trim())}"`,
    ...paragraph(text),
    ...options.flatMap(({ flags, text: what }: OptionSpec) => described(flags, what)),
    ...examples.flatMap(({ text: what, line }) => [
      '.PP',
      `${escaped(what)}:`,
      '.PP',
      '.RS',
      '.nf',
      escaped(line),
      '.fi',
      '.RE',
    ]),
  ]
}

function paragraph(text: string): readonly string[] {
  return ['.PP', escaped(text)]
}

function described(flags: string, text: string): readonly string[] {
  return ['.TP', `\\fB${escaped(flags)}\\fR`, escaped(text)]
}

/** What roff would take for its own. */
function escaped(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/, '\\&$1')
}
