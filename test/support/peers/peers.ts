import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { canIsolate } from './cgroups.js'
import { canMakeImmutable, canMount, canMountOver } from './rights.js'

export interface PeerProgram {
  readonly present: () => boolean
  /** Debian's packages that bring it. */
  readonly packages: readonly string[]
  /** What the tests do with it. */
  readonly use: string
  /** Why it is missing, if not for the packages. */
  readonly problem?: string
  /** It needs nothing that a Debian lacks: `PEERS=none` does not hide it. */
  readonly essential?: boolean
}

/** The real programs that tests talk to. */
export const PEERS = {
  mariadb: {
    present: () => ['mariadbd', 'mariadb-install-db', 'my_print_defaults'].every(isOnPath),
    packages: ['mariadb-server-core', 'mariadb-client-core'], // the second for my_print_defaults, which the first's scripts call
    use: 'the database server, started on loopback with its data in a temporary folder',
  },
  openssl: { present: () => isOnPath('openssl'), packages: ['openssl'], use: 'certificates for MariaDB with TLS' },
  cinder: {
    present: () => isOnPath('cinder-manage'),
    packages: ['cinder-common'],
    use: "Cinder's tables, Cinder's drivers, the comparison with cinder-manage",
  },
  cinderVolume: {
    present: () => isOnPath('cinder-volume'),
    packages: ['cinder-volume'],
    use: 'the service whose backend is promoted',
  },
  cinderApi: {
    present: () => ['cinder-api', 'cinder-scheduler'].every(isOnPath),
    packages: ['cinder-api', 'cinder-scheduler'],
    use: 'a whole Cinder, which is failed over by its own API',
  },
  rabbitmq: {
    present: () => isOnPath('rabbitmq-server') && isOnPath('epmd'),
    packages: ['rabbitmq-server'],
    use: 'carries the messages of the whole Cinder, on loopback',
  },
  oslo: {
    present: () => canImport('oslo_config.cfg'),
    packages: ['python3-oslo.config'],
    use: 'judges how cinder.conf is read and edited',
  },
  sqlalchemy: {
    present: () => canImport('sqlalchemy.engine.url'),
    packages: ['python3-sqlalchemy'],
    use: 'judges how database URLs are read',
  },
  python: { present: () => existsSync(PYTHON), packages: ['python3'], use: 'programs that stand in for others' },
  ansible: {
    present: () => isOnPath('ansible-playbook'),
    packages: ['ansible-core'],
    use: 'runs the module and the example playbooks',
  },
  puppet: { present: () => isOnPath('puppet'), packages: ['puppet-agent'], use: 'runs the example manifest' },
  man: {
    present: () => isOnPath('man') && isOnPath('col'),
    packages: ['man-db', 'bsdextrautils'],
    use: 'shows the manual',
  },
  zsh: { present: () => isOnPath('zsh'), packages: ['zsh'], use: 'completes command lines' },
  fish: { present: () => isOnPath('fish'), packages: ['fish'], use: 'completes command lines' },
  strace: { present: () => isOnPath('strace'), packages: ['strace'], use: 'kills the agent at a system call' },
  ps: { present: () => isOnPath('ps'), packages: ['procps'], use: 'tells whether a process has ended' },
  namespaces: {
    present: canIsolate,
    packages: ['util-linux', 'procps'],
    problem: 'namespaces and control groups of its own are not permitted here',
    use: 'keep the service managers apart from this machine',
  },
  mountNamespaces: {
    present: canMountOver,
    packages: ['util-linux'],
    problem: 'a mount namespace may not be made here',
    use: 'put other files in the place of /etc for one run',
    essential: true,
  },
  mounts: {
    present: canMount,
    packages: ['mount'],
    problem: 'only root may mount a file system, and not in every container',
    use: 'a file system that is full, or read-only',
    essential: true,
  },
  immutableFiles: {
    present: canMakeImmutable,
    packages: ['e2fsprogs'],
    problem: 'only root may make a file immutable, and not on every file system',
    use: 'a file that not even root may replace',
    essential: true,
  },
  systemd: {
    present: () => isOnPath('systemctl') && existsSync('/lib/systemd/systemd'),
    packages: ['systemd'],
    use: 'starts and stops services, in namespaces of its own',
  },
  sysv: {
    present: () => ['service', 'start-stop-daemon', 'pidof'].every(isOnPath) && existsSync('/etc/init.d/cinder-volume'),
    packages: ['init-system-helpers', 'sysvinit-utils', 'lsb-base', 'cinder-volume'],
    use: "starts and stops a service by Debian's init script of cinder-volume",
  },
  podman: {
    present: () => ['podman', 'crun', 'busybox'].every(isOnPath),
    packages: ['podman', 'crun', 'busybox-static'],
    use: 'starts and stops containers, with all its files in a temporary folder',
  },
  docker: { present: () => isOnPath('docker'), packages: ['docker.io'], use: 'talks to podman' },
  pacemaker: {
    present: () => ['pcs', 'corosync', 'pacemakerd', 'cibadmin', 'crm_mon'].every(isOnPath),
    packages: ['pacemaker', 'corosync', 'pcs', 'pacemaker-cli-utils', 'resource-agents'],
    use: 'starts and stops resources of a cluster of one node, in namespaces of its own',
  },
  bash: { present: () => isOnPath('bash'), packages: ['bash'], use: 'runs command lines', essential: true },
  script: {
    present: () => spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true,
    packages: ['bsdutils'],
    use: 'gives the agent a terminal',
    essential: true,
  },
  setpriv: {
    present: () => process.getuid?.() !== 0 || isOnPath('setpriv'),
    packages: ['util-linux'],
    use: "takes root's rights away from the agent",
    essential: true,
  },
} as const satisfies Record<string, PeerProgram>

export type Peer = keyof typeof PEERS

/** Debian's Python, which has Debian's modules; another one may come first on PATH. */
export const PYTHON = '/usr/bin/python3'

export const PEER_NAMES = Object.keys(PEERS) as readonly Peer[]

/** `ENGINE=embedded` runs the tests on that engine alone: these peers are not started then. */
const UNUSED_BY_ENGINE = { embedded: ['mariadb', 'cinder'], sqlite: ['mariadb'], mariadb: [] } as const

export type EngineName = keyof typeof UNUSED_BY_ENGINE

/** Why an engine is left out, or null where it is not. Errors: an engine that does not exist. */
export function whyLeftOut(engine: EngineName): string | null {
  const chosen = process.env['ENGINE']
  if (chosen === undefined) return null
  if (!Object.hasOwn(UNUSED_BY_ENGINE, chosen))
    throw new Error(`ENGINE must be one of ${Object.keys(UNUSED_BY_ENGINE).join(', ')}, not ${chosen}`)
  return chosen === engine ? null : `ENGINE=${chosen} leaves it out`
}

/** For each peer why it is missing, or null where it is there. `PEERS=none` hides those that a bare machine lacks. */
export function findPeers(): Record<Peer, string | null> {
  const unused = whyLeftOut('mariadb') === null ? [] : UNUSED_BY_ENGINE[process.env['ENGINE'] as EngineName]
  const found = PEER_NAMES.map((name) => {
    const leftOut = unused.some((each) => each === name) ? `ENGINE=${process.env['ENGINE']} leaves it out` : null
    return [name, leftOut ?? whyMissing(PEERS[name])] as const
  })
  return Object.fromEntries(found) as Record<Peer, string | null> // one entry a peer
}

/** Errors: with CI=true a missing peer. */
export function requirePeersInCi(missing: Record<Peer, string | null>): void {
  const absent = Object.entries(missing).flatMap(([name, reason]) => (reason === null ? [] : `${name}: ${reason}`))
  if (process.env['CI'] !== 'true' || absent.length === 0) return
  throw new Error(`With CI=true every peer must be there. ${absent.join('; ')}. Run npm run peers.`)
}

function whyMissing({ present, packages, problem, essential }: PeerProgram): string | null {
  if (process.env['PEERS'] === 'none' && !essential) return 'PEERS=none hides it'
  return present() ? null : (problem ?? `${packages.join(', ')} is not installed`)
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin']
  return folders.some((folder) => existsSync(`${folder}/${program}`))
}

function canImport(module: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}
