import {
  BARE_OPTIONS,
  CHANGE_OPTIONS,
  CLUSTER_OPTION,
  DATABASE_OPTIONS,
  getLongName,
  LIST_OPTIONS,
  type OptionSpec,
  type OptionValues,
  PROMOTE_OPTIONS,
  RESET_OPTIONS,
  takesValue,
} from './options.js'
import { makePromoteRequest } from './promote-request.js'
import { makeTargets } from './targets.js'

export interface CommandSpec {
  readonly name: string
  /** As in `HOST...`; undefined: no argument. */
  readonly argument?: string
  /** The first sentence is the summary in the list of commands. */
  readonly text: string
  readonly options: readonly OptionSpec[]
  /** A test runs every example. */
  readonly examples: readonly CommandExample[]
  /** undefined: the request comes from a file, or the command makes none. */
  readonly makeRequest?: (names: readonly string[], values: OptionValues) => object
}

export interface CommandExample {
  readonly text: string
  readonly line: string
  /** The file that the line names. */
  readonly file?: { readonly name: string; readonly text: string }
}

const READ_OPTIONS = Object.values(DATABASE_OPTIONS)
const WRITE_OPTIONS = [...Object.values(CHANGE_OPTIONS), ...READ_OPTIONS]

const PROMOTION_FILE = `host: vol1@arrayA
active_backend: reset
replication: enabled
frozen: false
config:
  promote: arrayB
  replication_device:
    - backend_id: arrayC
      san_ip: 192.0.2.3
      api_token: token-of-C
service:
  manager: systemd
  name: cinder-volume
`

/** A command makes one request. The rules are those of the request: a command adds none. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'list',
    text: 'List all volume backends. An exclamation mark marks backends that are failed over, or half-thawed: not frozen, and still disabled by a freeze.',
    options: [...Object.values(LIST_OPTIONS), ...READ_OPTIONS],
    examples: [
      { text: 'List all backends', line: 'cinder-backend list' },
      { text: 'List failed-over backends for a script', line: 'cinder-backend list --failed-over --json' },
    ],
    makeRequest: () => ({ backends: 'all' }),
  },
  {
    name: 'show',
    argument: 'HOST...',
    text: 'Show the status of backends. It has the heartbeat, the service, the replication, and the array that a backend runs on.',
    options: [CLUSTER_OPTION, ...READ_OPTIONS],
    examples: [{ text: 'Show one backend', line: 'cinder-backend show vol1@arrayA' }],
    makeRequest: (names, values) => makeTargets(names, values),
  },
  {
    name: 'promote',
    argument: 'HOST',
    text: 'Promote the replica to primary after a failover. Edits cinder.conf and keeps a backup beside it, resets the database row, and enables replication. With --service, it also stops and starts cinder-volume and thaws the backend. Without --service, the backend stays frozen: start cinder-volume, then use thaw. For a cluster, use apply.',
    options: [...Object.values(PROMOTE_OPTIONS), ...Object.values(RESET_OPTIONS), ...WRITE_OPTIONS],
    examples: [
      {
        text: 'Preview the whole promotion, on the host of cinder-volume',
        line: 'cinder-backend promote vol1@arrayA --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 --service systemd --check',
      },
    ],
    makeRequest: makePromoteRequest,
  },
  {
    name: 'apply',
    argument: 'FILE',
    text: 'Run the request in a file. The file is JSON or YAML; - is standard input.',
    options: [...Object.values(RESET_OPTIONS), ...WRITE_OPTIONS],
    examples: [
      {
        text: 'Preview the whole promotion; the secrets are in the file',
        line: 'cinder-backend apply promotion.yml --check',
        file: { name: 'promotion.yml', text: PROMOTION_FILE },
      },
    ],
  },
  {
    name: 'undo',
    argument: 'FILE',
    text: 'Restore the database rows that a run changed. FILE is the result of that run, from --save or --json; - is standard input. Fails if a row has changed since. Does not restore cinder.conf.',
    options: [...Object.values(RESET_OPTIONS), ...WRITE_OPTIONS],
    examples: [
      {
        text: 'Save the result of a change',
        line: 'cinder-backend freeze vol2@arrayA --yes --save result.json',
      },
      { text: 'Restore the rows', line: 'cinder-backend undo result.json --yes' },
    ],
  },
  {
    name: 'freeze',
    argument: 'HOST...',
    text: 'Freeze and disable backends. Cinder creates and deletes no volumes on a frozen backend. Thaw a cluster with thaw too: the thaw of Cinder leaves it disabled until cinder cluster-enable.',
    options: [CLUSTER_OPTION, ...WRITE_OPTIONS],
    examples: [{ text: 'Freeze before a promotion', line: 'cinder-backend freeze vol1@arrayA --yes' }],
    makeRequest: (names, values) => ({ ...makeTargets(names, values), frozen: true }),
  },
  {
    name: 'reset-active-backend',
    argument: 'HOST...',
    text: 'Mark failed-over backends as normal in the database. Does not move data and does not fail back. First edit cinder.conf and stop cinder-volume.',
    options: [CLUSTER_OPTION, ...Object.values(RESET_OPTIONS), ...WRITE_OPTIONS],
    examples: [
      { text: 'Preview the change', line: 'cinder-backend reset-active-backend vol1@arrayA --check' },
      { text: 'Change without a question', line: 'cinder-backend reset-active-backend vol1@arrayA --yes' },
    ],
    makeRequest: (names, values) => ({ ...makeTargets(names, values), active_backend: 'reset' }),
  },
  {
    name: 'replication-enable',
    argument: 'HOST...',
    text: 'Set replication_status of backends to enabled.',
    options: [CLUSTER_OPTION, ...WRITE_OPTIONS],
    examples: [{ text: 'Enable after the reset', line: 'cinder-backend replication-enable vol1@arrayA --yes' }],
    makeRequest: (names, values) => ({ ...makeTargets(names, values), replication: 'enabled' }),
  },
  {
    name: 'replication-disable',
    argument: 'HOST...',
    text: 'Set replication_status of backends to disabled.',
    options: [CLUSTER_OPTION, ...WRITE_OPTIONS],
    examples: [
      { text: 'Disable if there is no replica', line: 'cinder-backend replication-disable vol1@arrayA --yes' },
    ],
    makeRequest: (names, values) => ({ ...makeTargets(names, values), replication: 'disabled' }),
  },
  {
    name: 'thaw',
    argument: 'HOST...',
    text: 'Thaw and enable backends that are frozen.',
    options: [CLUSTER_OPTION, ...WRITE_OPTIONS],
    examples: [{ text: 'Thaw after a promotion', line: 'cinder-backend thaw vol1@arrayA --yes' }],
    makeRequest: (names, values) => ({ ...makeTargets(names, values), frozen: false }),
  },
  {
    name: 'schema',
    argument: '[request|result]',
    text: 'Print the JSON Schema of the request or of the result.',
    options: [],
    examples: [{ text: 'Print it for an editor', line: 'cinder-backend schema request' }],
  },
  {
    name: 'completion',
    argument: 'bash|zsh|fish',
    text: 'Print a completion script for a shell.',
    options: [],
    examples: [{ text: 'Print it for bash', line: 'cinder-backend completion bash' }],
  },
]

/** The command line with its command in front of all options; undefined if it has no command. */
export function moveCommandFirst(args: readonly string[]): readonly string[] | undefined {
  const options = [...BARE_OPTIONS, ...COMMANDS.flatMap((command) => command.options)]
  const withValue = options.filter(takesValue).map(getLongName)
  const at = args.findIndex(
    (word, index) => COMMANDS.some(({ name }) => name === word) && !withValue.includes(args[index - 1] ?? ''),
  )
  return at < 0 ? undefined : [args[at] ?? '', ...args.slice(0, at), ...args.slice(at + 1)]
}

/** The first sentence, without its full stop. */
export function getSummary(text: string): string {
  return text.replace(/\.( .*)?$/s, '')
}
