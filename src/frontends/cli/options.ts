/** One option, as the command line, the completion and the manual have it. */
export interface OptionSpec {
  /** With its value, as in `--config-file <FILE>`. */
  readonly flags: string
  readonly text: string
  /** May be given several times. */
  readonly repeatable?: true
  /** What completion offers for its value: names of files or folders, or these words. */
  readonly values?: 'files' | 'folders' | readonly string[]
}

/** What every command that asks the database has. */
export const COMMON = {
  configFile: {
    flags: '--config-file <FILE>',
    text: 'a file that cinder-volume reads; instead of the default ones, in the order given',
    repeatable: true,
    values: 'files',
  },
  configDir: {
    flags: '--config-dir <DIR>',
    text: 'a folder that cinder-volume reads',
    repeatable: true,
    values: 'folders',
  },
  connection: {
    flags: '--connection <URL>',
    text: 'the database, an SQLAlchemy URL; safer in the environment, as OS_DATABASE__CONNECTION',
  },
  timeout: {
    flags: '--timeout <SECONDS>',
    text: 'for connecting to the database, and for each statement (default: 30)',
  },
  json: { flags: '--json', text: 'the result as JSON, as without a command' },
  verbose: { flags: '--verbose', text: 'on an internal error, show the stack on standard error' },
  noColor: { flags: '--no-color', text: 'no colours, as with NO_COLOR in the environment' },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** What every command that changes something has too. */
export const CHANGING = {
  yes: { flags: '-y, --yes', text: 'do not ask; needed where there is no terminal to ask at' },
  check: { flags: '--check', text: 'tell what would be changed, and change nothing' },
  diff: { flags: '--diff', text: 'show what changes in cinder.conf, line by line; with --json, in the rows too' },
  force: { flags: '--force', text: 'go on where a guard refuses' },
  wait: { flags: '--wait', text: 'wait for heartbeats instead of refusing' },
  waitTimeout: { flags: '--wait-timeout <SECONDS>', text: 'wait for heartbeats, so long at most (default: 120)' },
  save: {
    flags: '--save <FILE>',
    text: 'keep the result of a change in a new file, for undo: FILE, or FILE.1 and so on where there is one',
    values: 'files',
  },
  detailedExitcode: {
    flags: '--detailed-exitcode',
    text: 'exit with 0: nothing to change, 2: changed (with --check: would change), 1: failed',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const CLUSTER: OptionSpec = { flags: '--cluster', text: 'the names are those of active-active clusters' }

export const PROMOTION = {
  to: {
    flags: '--to <BACKEND_ID>',
    text: 'the replica that becomes the primary: the one that the backend is failed over to',
  },
  replica: {
    flags: '--replica <KEY=VALUE...>',
    text: 'what replicates it from then on, after the HOST, such as backend_id=arrayC san_ip=192.0.2.3; another backend_id begins another replica; with a password or token use apply, for the command line can be seen',
    repeatable: true,
  },
  withoutReplica: {
    flags: '--without-replica',
    text: 'nothing replicates it from then on, and replication is disabled',
  },
  set: {
    flags: '--set <KEY=VALUE...>',
    text: "an option of the section, where the driver's settings are not known to the agent; KEY= takes it out",
    repeatable: true,
  },
  service: {
    flags: '--service <MANAGER[:NAME]>',
    text: 'stop and start cinder-volume on this host: auto, systemd, sysv, docker, podman or pacemaker, with its name there; its heartbeat is waited for',
    values: ['auto', 'systemd', 'sysv', 'docker', 'podman', 'pacemaker'],
  },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const LIST = {
  failedOver: { flags: '--failed-over', text: 'only backends that are failed over' },
  cluster: { flags: '--cluster', text: 'only active-active clusters' },
  names: { flags: '--names', text: 'only the names of hosts, or of clusters, one on a line' },
} as const satisfies Readonly<Record<string, OptionSpec>>

export const HELP: OptionSpec = { flags: '-h, --help', text: 'show the help' }

/** The options of the agent itself, without a command. */
export const AGENT: readonly OptionSpec[] = [
  CHANGING.check,
  { flags: '--diff', text: 'show the rows before and after, and the lines of cinder.conf' },
  {
    flags: '--format <FORMAT>',
    text: 'the form of the result: json (the default), salt or bolt',
    values: ['json', 'salt', 'bolt'],
  },
  CHANGING.detailedExitcode,
  COMMON.verbose,
  { flags: '-V, --version', text: 'show the version' },
  HELP,
]

/** An option without its value: `--config-file`. */
export function long({ flags }: OptionSpec): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? ''
}

/** Whether it is given with a value. */
export function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<')
}

/** The values of a command line, by the names that commander makes of the flags. */
export interface Values {
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
  readonly replica?: readonly string[]
  readonly withoutReplica?: boolean
  readonly set?: readonly string[]
  readonly service?: string
}
