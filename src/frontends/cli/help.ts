import { COMMANDS, getSummary } from './commands.js'
import { BARE_OPTIONS } from './options.js'
import { wrapLine } from './wrap.js'

const HELP_COLUMNS = 80

/** The help of `--help` without a command. */
export function renderHelp(version: string): string {
  return `cinder-backend ${version}

Promotes the replica of an OpenStack Cinder volume backend to primary after a
failover. You can repeat every run.

Usage: cinder-backend COMMAND [OPTION]...
       cinder-backend [OPTION]... < REQUEST.json

Commands (for options and examples: cinder-backend COMMAND --help):

${formatColumns(COMMANDS.map(({ name, text }) => [name, getSummary(text)]))}

Without a command, cinder-backend reads one JSON request on standard input and
prints one JSON result on standard output. It never asks. Options:

${formatColumns(BARE_OPTIONS.map(({ flags, text }) => [flags.replace(/[<>]/g, ''), text]))}

Example:
  echo '{"host": "vol1@arrayA", "active_backend": "reset"}' |
    cinder-backend --check --diff

The database is the first of these: "connection" in the request,
OS_DATABASE__CONNECTION, the cinder.conf that cinder-volume reads.
Without --detailed-exitcode, exit status 0 means "failed": false in the result,
and 1 means "failed": true. After a failover, read docs/admin-guide.md.
`
}

function formatColumns(rows: readonly (readonly [string, string])[]): string {
  const indent = Math.max(...rows.map(([word]) => word.length)) + 4
  return rows
    .map(
      ([word, text]) => `  ${word}`.padEnd(indent) + wrapLine(' '.repeat(indent) + text, HELP_COLUMNS, 0).slice(indent),
    )
    .join('\n')
}
