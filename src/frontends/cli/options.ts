import schema from '../../../schemas/request.schema.json' with { type: 'json' }
import { FORMATS } from '../../report/formats.js'

/** One option of the command line. The parser, the help, the completion and the manual are made from it. */
export interface OptionSpec {
  /** With the value, as in `--config-file <FILE>`. */
  readonly flags: string
  readonly text: string
  readonly repeatable?: true
  /** What completion offers as the value: files, folders, or these words. */
  readonly values?: 'files' | 'folders' | readonly string[]
}

const { timeout, wait_timeout } = schema.properties
const FORMAT_NAMES = Object.keys(FORMATS)

/** The service managers that need no commands of the user. */
export const MANAGERS: readonly string[] = schema.$defs.service.properties.manager.enum.filter(
  (name) => name !== 'command',
)

/** Options of every command that reads the database. */
export const DATABASE_OPTIONS = {
  configFile: {
    flags: '--config-file <FILE>',
    text: 'a configuration file of cinder-volume, instead of the default files; repeat it in the order of cinder-volume',
    repeatable: true,
    values: 'files',
  },
  configDir: {
    flags: '--config-dir <DIR>',
    text: 'a configuration folder of cinder-volume',
    repeatable: true,
    values: 'folders',
  },
  connection: {
    flags: '--connection <URL>',
    text: 'the database as an SQLAlchemy URL; other users can see it here, so prefer OS_DATABASE__CONNECTION',
  },
  timeout: {
    flags: '--timeout <SECONDS>',
    text: `maximum time for one database operation (default: ${timeout.default})`,
  },
  json: { flags: '--json', text: 'print the result as JSON' },
  verbose: { flags: '--verbose', text: 'print the stack of an internal error on standard error' },
  noColor: { flags: '--no-color', text: 'no colours, the same as NO_COLOR=1' },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** Options of every command that changes something. */
export const CHANGE_OPTIONS = {
  yes: { flags: '-y, --yes', text: 'do not ask for confirmation; required if there is no terminal' },
  check: { flags: '--check', text: 'preview: show what would change, and change nothing' },
  diff: { flags: '--diff', text: 'show the changed lines of cinder.conf; with --json also the changed rows' },
  force: {
    flags: '--force',
    text: 'DANGEROUS: turn off all safety checks; to skip the question only, use --yes',
  },
  wait: { flags: '--wait', text: 'wait for heartbeats instead of failing at once' },
  waitTimeout: {
    flags: '--wait-timeout <SECONDS>',
    text: `maximum time to wait for a heartbeat (default: ${wait_timeout.default}); includes --wait`,
  },
  save: {
    flags: '--save <FILE>',
    text: 'save the result of a change for undo; if FILE exists, the new file is FILE.1, FILE.2 and so on',
    values: 'files',
  },
  detailedExitcode: {
    flags: '--detailed-exitcode',
    text: 'exit status 0: nothing to change, 2: changed (with --check: would change), 1: failed',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** Options of the commands that can reset a row. */
export const RESET_OPTIONS = {
  promoted: {
    flags: '--promoted <BACKEND_ID>',
    text: 'you have checked that cinder.conf has the settings of this replica as the primary already; the backend must be failed over to it',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const CLUSTER_OPTION: OptionSpec = { flags: '--cluster', text: 'the names are names of active-active clusters' }

export const PROMOTE_OPTIONS = {
  to: {
    flags: '--to <BACKEND_ID>',
    text: 'the replica to promote: the one that the backend is failed over to',
  },
  replica: {
    flags: '--replica <KEY=VALUE...>',
    text: 'settings of the new replica, for example backend_id=arrayC san_ip=192.0.2.3; write HOST before this option; another backend_id (for some drivers: target_device_id) starts another replica; use apply for passwords and tokens, because other users can see the command line',
    repeatable: true,
  },
  withoutReplica: {
    flags: '--without-replica',
    text: 'the backend gets no new replica, and its replication is disabled',
  },
  set: {
    flags: '--set <KEY=VALUE...>',
    text: 'set an option of the section, if promote does not know the driver; KEY= removes the option',
    repeatable: true,
  },
  service: {
    flags: '--service <MANAGER[:NAME]>',
    text: `stop and start cinder-volume on this host, and wait for its heartbeat; MANAGER is one of ${MANAGERS.join(', ')}; NAME is the name of the service in that manager`,
    values: MANAGERS,
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const LIST_OPTIONS = {
  failedOver: { flags: '--failed-over', text: 'only backends that are failed over' },
  cluster: { flags: '--cluster', text: 'only active-active clusters' },
  names: { flags: '--names', text: 'only the names of hosts, or with --cluster of clusters, one per line' },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const HELP_OPTION: OptionSpec = { flags: '-h, --help', text: 'print the help' }

/** Options without a command. */
export const BARE_OPTIONS: readonly OptionSpec[] = [
  CHANGE_OPTIONS.check,
  { flags: '--diff', text: 'add the rows before and after, and the changed lines of cinder.conf' },
  {
    flags: '--format <FORMAT>',
    text: `form of the result: ${FORMAT_NAMES.join(', ')} (default: json)`,
    values: FORMAT_NAMES,
  },
  CHANGE_OPTIONS.detailedExitcode,
  DATABASE_OPTIONS.verbose,
  { flags: '-V, --version', text: 'print the version' },
  HELP_OPTION,
]

/** The long name of an option without its value: `--config-file`. */
export function getLongName({ flags }: OptionSpec): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? ''
}

export function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<')
}

/** The values of a command line. commander derives the keys from the flags. */
export interface OptionValues {
  readonly configFile?: readonly string[]
  readonly configDir?: readonly string[]
  readonly connection?: string
  readonly timeout?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
  readonly yes?: boolean
  readonly check?: boolean
  readonly diff?: boolean
  readonly force?: boolean
  readonly wait?: boolean
  readonly waitTimeout?: string
  readonly save?: string
  readonly detailedExitcode?: boolean
  readonly cluster?: boolean
  readonly failedOver?: boolean
  readonly names?: boolean
  readonly to?: string
  readonly promoted?: string
  readonly replica?: readonly string[]
  readonly withoutReplica?: boolean
  readonly set?: readonly string[]
  readonly service?: string
}
