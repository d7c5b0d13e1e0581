import { COMMANDS, type CommandExample, type CommandSpec } from './commands.js'
import { BARE_OPTIONS, CHANGE_OPTIONS, CLUSTER_OPTION, DATABASE_OPTIONS, type OptionSpec } from './options.js'

/** cinder-backend(1), in the macros of man(7). */
export function renderManual(version: string): string {
  return [
    `.TH CINDER\\-BACKEND 1 "" "cinder\\-backend ${version}"`,
    '.SH NAME',
    'cinder\\-backend \\- promote the replica of an OpenStack Cinder volume backend after a failover',
    '.SH SYNOPSIS',
    '.B cinder\\-backend',
    '\\fICOMMAND\\fR [\\fIOPTION\\fR]...',
    '.br',
    '.B cinder\\-backend',
    '[\\fIOPTION\\fR]... < \\fIREQUEST\\fR',
    '.SH DESCRIPTION',
    ...formatParagraph(
      'A command makes a request, runs it and shows the result. Before a change it asks for confirmation. Without a terminal, a change needs --yes. Without a command, cinder-backend reads one JSON request on standard input and prints one JSON result on standard output. It never asks then.',
    ),
    '.SH COMMANDS',
    ...COMMANDS.flatMap(formatCommand),
    '.SH OPTIONS OF ALL COMMANDS THAT READ THE DATABASE',
    ...formatOptions(Object.values(DATABASE_OPTIONS)),
    '.SH OPTIONS OF ALL COMMANDS THAT CHANGE SOMETHING',
    ...formatOptions(Object.values(CHANGE_OPTIONS)),
    '.SH OPTIONS FOR NAMES OF BACKENDS',
    ...formatOptions([CLUSTER_OPTION]),
    '.SH OPTIONS WITHOUT A COMMAND',
    ...formatOptions(BARE_OPTIONS),
    '.SH EXIT STATUS',
    ...formatEntry('0', 'success: changed, or nothing to change'),
    ...formatEntry('1', 'failure, interruption of a run, or the answer no'),
    ...formatEntry('2', 'with --detailed-exitcode: changed, or with --check would change'),
    ...formatEntry('130', 'Ctrl-C or another signal at the question'),
    '.SH ENVIRONMENT',
    ...formatEntry('OS_DATABASE__CONNECTION', 'the database, if neither the request nor --connection names it'),
    ...formatEntry('NO_COLOR', 'no colours'),
    ...formatEntry('FORCE_COLOR', 'colours without a terminal too, as for less -R'),
    '.SH FILES',
    ...formatEntry(
      '/etc/cinder/cinder.conf',
      'the default configuration file of cinder-volume; the other default files of cinder-volume are read too',
    ),
    '.SH EXAMPLES',
    ...formatManualExample({
      text: 'Send a request from a script',
      line: `echo '{"host": "vol1@arrayA", "active_backend": "reset"}' | cinder-backend --check --diff`,
    }),
    ...formatManualExample({
      text: 'List all failed-over backends, one per line',
      line: 'cinder-backend list --failed-over --names',
    }),
    '.SH SEE ALSO',
    ...formatParagraph(
      'cinder-manage(1), cinder-volume(1), ansible-doc(1). For the keys of a request: cinder-backend schema. After a failover: docs/admin-guide.md in the package.',
    ),
    '',
  ].join('\n')
}

/** The options that several commands share have sections of their own. */
function formatCommand({ name, argument = '', text, options, examples }: CommandSpec): readonly string[] {
  const shared: readonly OptionSpec[] = [
    ...Object.values(DATABASE_OPTIONS),
    ...Object.values(CHANGE_OPTIONS),
    CLUSTER_OPTION,
  ]
  return [
    `.SS "${escapeRoff(`${name} ${argument}`.trim())}"`,
    ...formatParagraph(text),
    ...formatOptions(options.filter((option) => !shared.includes(option))),
    ...examples.flatMap((each) => formatManualExample(each)),
  ]
}

function formatOptions(options: readonly OptionSpec[]): readonly string[] {
  return options.flatMap(({ flags, text }) => formatEntry(flags, text))
}

function formatManualExample({ text, line, file }: CommandExample): readonly string[] {
  const lines =
    file === undefined ? [line] : [line, '', `${file.name}:`, ...file.text.trimEnd().replace(/^/gm, '    ').split('\n')]
  return ['.PP', `${escapeRoff(text)}:`, '.PP', '.RS', '.nf', ...lines.map(escapeRoff), '.fi', '.RE']
}

function formatParagraph(text: string): readonly string[] {
  return ['.PP', escapeRoff(text)]
}

function formatEntry(term: string, text: string): readonly string[] {
  return ['.TP', `\\fB${escapeRoff(term)}\\fR`, escapeRoff(text)]
}

/** Backslashes, hyphens, and a dot or quote at the beginning of a line have a meaning in roff. */
function escapeRoff(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/, '\\&$1')
}
