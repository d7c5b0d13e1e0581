import { COMMANDS, type CommandSpec, type Example } from './commands.js'
import { AGENT, CHANGING, CLUSTER, COMMON, type OptionSpec } from './options.js'

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
    '.SH COMMANDS',
    ...COMMANDS.flatMap(commandLines),
    '.SH OPTIONS OF ALL COMMANDS THAT ASK THE DATABASE',
    ...optionLines(Object.values(COMMON)),
    '.SH OPTIONS OF ALL COMMANDS THAT CHANGE SOMETHING',
    ...optionLines(Object.values(CHANGING)),
    '.SH OPTIONS FOR NAMES OF BACKENDS',
    ...optionLines([CLUSTER]),
    '.SH OPTIONS WITHOUT A COMMAND',
    ...optionLines(AGENT),
    '.SH EXIT STATUS',
    ...paragraph(
      '0: done, or nothing to do. 1: failed, or interrupted, or the question was answered with no. 130: Ctrl-C at the question. With --detailed-exitcode 2: changed, or with --check would change.',
    ),
    '.SH ENVIRONMENT',
    ...described('OS_DATABASE__CONNECTION', 'the database, where neither the request nor --connection names it'),
    ...described('NO_COLOR', 'no colours'),
    ...described('FORCE_COLOR', 'colours where there is no terminal too, as for less -R'),
    '.SH FILES',
    ...described(
      '/etc/cinder/cinder.conf',
      'what cinder-volume reads by default, and with it the other files that it would read',
    ),
    '.SH EXAMPLES',
    ...example({
      text: 'A request, as a playbook or a script gives it',
      line: `echo '{"host": "vol1@arrayA", "active_backend": "reset"}' | cinder-backend --check --diff`,
    }),
    ...example({
      text: 'All that are failed over, one on a line',
      line: 'cinder-backend list --failed-over --names',
    }),
    '.SH SEE ALSO',
    ...paragraph(
      'cinder-manage(1), cinder-volume(1), ansible-doc(1). The keys of a request: cinder-backend schema. What to do after a failover: docs/admin-guide.md, which comes with it.',
    ),
    '',
  ].join('\n')
}

/** The options that only this command has are told here, the others once for all. */
function commandLines({ name, argument = '', text, options, examples }: CommandSpec): readonly string[] {
  const shared: readonly OptionSpec[] = [...Object.values(COMMON), ...Object.values(CHANGING), CLUSTER]
  return [
    `.SS "${escaped(`${name} ${argument}`.trim())}"`,
    ...paragraph(text),
    ...optionLines(options.filter((option) => !shared.includes(option))),
    ...examples.flatMap((each) => example(each)),
  ]
}

function optionLines(options: readonly OptionSpec[]): readonly string[] {
  return options.flatMap(({ flags, text }) => described(flags, text))
}

function example({ text, line, file }: Example): readonly string[] {
  const lines =
    file === undefined ? [line] : [line, '', `${file.name}:`, ...file.text.trimEnd().replace(/^/gm, '    ').split('\n')]
  return ['.PP', `${escaped(text)}:`, '.PP', '.RS', '.nf', ...lines.map(escaped), '.fi', '.RE']
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
