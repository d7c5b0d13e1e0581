import {
  AGENT,
  CHANGING,
  CLUSTER,
  COMMON,
  LIST,
  long,
  type OptionSpec,
  PROMOTION,
  takesValue,
  type Values,
} from './options.js'
import { promotion, targets } from './targets.js'

export interface CommandSpec {
  readonly name: string
  /** As in `HOST...`; undefined for none. */
  readonly argument?: string
  readonly text: string
  readonly options: readonly OptionSpec[]
  /** Command lines that work, each with what it is for. */
  readonly examples: readonly Example[]
  /** The request that it stands for; undefined for a command that asks no database. */
  readonly request?: (names: readonly string[], values: Values) => object
}

export interface Example {
  readonly text: string
  readonly line: string
  /** What is in the file that the line names. */
  readonly file?: { readonly name: string; readonly text: string }
}

const REPORT = Object.values(COMMON)
const CHANGE = [...Object.values(CHANGING), ...REPORT]

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

/** Every command makes one request; what that means is the contract's. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'list',
    text: 'List every volume backend; those that are failed over are marked.',
    options: [...Object.values(LIST), ...REPORT],
    examples: [
      { text: 'Everything that Cinder knows', line: 'cinder-backend list' },
      { text: 'What needs care, for a script', line: 'cinder-backend list --failed-over --json' },
    ],
    request: () => ({ backends: 'all' }),
  },
  {
    name: 'show',
    argument: 'HOST...',
    text: 'Show how backends stand: up or down, disabled, frozen, and which array they run on.',
    options: [CLUSTER, ...REPORT],
    examples: [{ text: 'One backend', line: 'cinder-backend show vol1@arrayA' }],
    request: (names, values) => targets(names, values),
  },
  {
    name: 'reset-active-backend',
    argument: 'HOST...',
    text: 'Reset failed-over backends to their own array: enabled, with replication disabled. Stop cinder-volume, and edit its cinder.conf, before.',
    options: [CLUSTER, ...CHANGE],
    examples: [
      { text: 'See what would be done', line: 'cinder-backend reset-active-backend vol1@arrayA --check' },
      { text: 'Do it without a question', line: 'cinder-backend reset-active-backend vol1@arrayA --yes' },
    ],
    request: (names, values) => ({ ...targets(names, values), active_backend: 'reset' }),
  },
  {
    name: 'replication-enable',
    argument: 'HOST...',
    text: 'Set the replication_status of backends to enabled.',
    options: [CLUSTER, ...CHANGE],
    examples: [{ text: 'After the reset', line: 'cinder-backend replication-enable vol1@arrayA --yes' }],
    request: (names, values) => ({ ...targets(names, values), replication: 'enabled' }),
  },
  {
    name: 'replication-disable',
    argument: 'HOST...',
    text: 'Set the replication_status of backends to disabled.',
    options: [CLUSTER, ...CHANGE],
    examples: [{ text: 'Where there is no replica', line: 'cinder-backend replication-disable vol1@arrayA --yes' }],
    request: (names, values) => ({ ...targets(names, values), replication: 'disabled' }),
  },
  {
    name: 'freeze',
    argument: 'HOST...',
    text: 'Freeze and disable backends, so that nobody creates or deletes volumes there.',
    options: [CLUSTER, ...CHANGE],
    examples: [{ text: 'Before a promotion', line: 'cinder-backend freeze vol1@arrayA --yes' }],
    request: (names, values) => ({ ...targets(names, values), frozen: true }),
  },
  {
    name: 'thaw',
    argument: 'HOST...',
    text: 'Thaw and enable backends that are frozen.',
    options: [CLUSTER, ...CHANGE],
    examples: [{ text: 'After a promotion', line: 'cinder-backend thaw vol1@arrayA --yes' }],
    request: (names, values) => ({ ...targets(names, values), frozen: false }),
  },
  {
    name: 'promote',
    argument: 'HOST',
    text: 'Make the replica that a backend runs on its primary: its section in cinder.conf, the reset, and replication. With --service cinder-volume is stopped and started too, and the backend thawed; without it the backend stays frozen. A copy of cinder.conf is left beside it. For a cluster use apply.',
    options: [...Object.values(PROMOTION), ...CHANGE],
    examples: [
      {
        text: 'All of it, on the host of cinder-volume; first to see what would be done',
        line: 'cinder-backend promote vol1@arrayA --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 --service systemd --check',
      },
    ],
    request: promotion,
  },
  {
    name: 'apply',
    argument: 'FILE',
    text: 'Bring backends into the state that a file describes: a request in JSON or YAML; - is standard input.',
    options: CHANGE,
    examples: [
      {
        text: 'The whole promotion, with the secrets in a file; first to see what would be done',
        line: 'cinder-backend apply promotion.yml --check',
        file: { name: 'promotion.yml', text: PROMOTION_FILE },
      },
    ],
  },
  {
    name: 'undo',
    argument: 'FILE',
    text: 'Put the rows back that a run has changed, by its result in a file (from --save, or --json), if nobody has changed them since; - is standard input.',
    options: CHANGE,
    examples: [
      { text: 'A change that can be taken back', line: 'cinder-backend freeze vol2@arrayA --yes --save result.json' },
      { text: 'Take it back', line: 'cinder-backend undo result.json --yes' },
    ],
  },
  {
    name: 'schema',
    argument: '[request|result]',
    text: 'Print the JSON Schema of the request or the result.',
    options: [],
    examples: [{ text: 'For an editor', line: 'cinder-backend schema request' }],
  },
  {
    name: 'completion',
    argument: 'bash|zsh|fish',
    text: 'Print a script that completes command lines in a shell.',
    options: [],
    examples: [{ text: 'For bash', line: 'cinder-backend completion bash' }],
  },
]

/** The command line with the options that were given before the command behind it; undefined where there is no command. */
export function commandFirst(args: readonly string[]): readonly string[] | undefined {
  const options = [...AGENT, ...COMMANDS.flatMap((command) => command.options)]
  const withValue = options.filter(takesValue).map(long)
  const at = args.findIndex(
    (word, index) => COMMANDS.some(({ name }) => name === word) && !withValue.includes(args[index - 1] ?? ''),
  )
  return at < 0 ? undefined : [args[at] ?? '', ...args.slice(0, at), ...args.slice(at + 1)]
}

/** Where the database is, and how the run goes, as every request has it. */
export function given(values: Values): object {
  const { configFile, configDir, connection, timeout, force, wait, waitTimeout } = values
  return {
    ...(configFile !== undefined && { config_file: [...configFile] }),
    ...(configDir !== undefined && { config_dir: [...configDir] }),
    ...(connection !== undefined && { connection }),
    ...(timeout !== undefined && { timeout }),
    ...(force === true && { force }),
    ...((wait === true || waitTimeout !== undefined) && { wait: true }),
    ...(waitTimeout !== undefined && { wait_timeout: waitTimeout }),
  }
}
