import { COMMANDS } from './commands.js'
import { AGENT } from './options.js'
import { broken } from './text.js'

/** Columns: what fits everywhere. */
const WIDTH = 80

/** What `--help` without a command shows. */
export function help(version: string): string {
  return `cinder-backend ${version}

Brings OpenStack Cinder volume backends into a desired state: a JSON request on
standard input, a JSON result on standard output.

Usage: cinder-backend [OPTION]... < REQUEST.json
       cinder-backend COMMAND [OPTION]...

Commands for people; cinder-backend COMMAND --help has examples:

${table(COMMANDS.map(({ name, text }) => [name, text.replace(/[.:;,].*/s, '')]))}

Options without a command:

${table(AGENT.map(({ flags, text }) => [flags.replace(/[<>]/g, ''), text]))}

Example:
  echo '{"host": "vol1@arrayA", "active_backend": "reset"}' |
    cinder-backend --check --diff

The connection comes from "connection" in the request, else from
OS_DATABASE__CONNECTION, else from the cinder.conf that cinder-volume reads.
Without --detailed-exitcode the exit status is 0 when the result says
"failed": false, else 1. What to do after a failover: docs/admin-guide.md.
`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const wide = Math.max(...rows.map(([word]) => word.length)) + 4
  return rows
    .map(([word, text]) => `  ${word}`.padEnd(wide) + broken(' '.repeat(wide) + text, WIDTH, 0).slice(wide))
    .join('\n')
}
