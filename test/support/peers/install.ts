import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** The real programs that tests talk to: how to see whether one is there, and Debian's packages that bring it. */
const PEERS = {
  mariadb: {
    present: () => ['mariadbd', 'mariadb-install-db', 'my_print_defaults'].every(onPath),
    packages: ['mariadb-server-core', 'mariadb-client-core'], // the second for my_print_defaults, which the first's scripts call
  },
  openssl: { present: () => onPath('openssl'), packages: ['openssl'] },
  cinder: { present: () => onPath('cinder-manage'), packages: ['cinder-common'] },
  cinderVolume: { present: () => onPath('cinder-volume'), packages: ['cinder-volume'] },
  oslo: { present: () => imports('oslo_config.cfg'), packages: ['python3-oslo.config'] },
  ansible: { present: () => onPath('ansible-playbook'), packages: ['ansible-core'] },
  puppet: { present: () => onPath('puppet'), packages: ['puppet-agent'] },
  man: { present: () => onPath('man') && onPath('col'), packages: ['man-db', 'bsdextrautils'] },
  zsh: { present: () => onPath('zsh'), packages: ['zsh'] },
  fish: { present: () => onPath('fish'), packages: ['fish'] },
  strace: { present: () => onPath('strace'), packages: ['strace'] },
  sqlalchemy: { present: () => imports('sqlalchemy.engine.url'), packages: ['python3-sqlalchemy'] },
} as const

export type Peer = keyof typeof PEERS

/** Debian's Python, which has Debian's modules; another one may come first on PATH. */
export const PYTHON = '/usr/bin/python3'

/**
 * For each peer why it is missing, or null where it is there. As root on Debian or Ubuntu missing ones are installed.
 * With CI=true a missing peer is an error.
 */
export function installPeers(): Record<Peer, string | null> {
  const missing = names().filter((name) => !PEERS[name].present())
  if (missing.length > 0 && canInstall()) apt(missing.flatMap((name) => PEERS[name].packages))
  const found = names().map((name) => {
    const reason = PEERS[name].present() ? null : `${PEERS[name].packages.join(', ')} is not installed`
    return [name, reason] as const
  })
  const absent = found.flatMap(([, reason]) => reason ?? [])
  if (process.env['CI'] === 'true' && absent.length > 0)
    throw new Error(`With CI=true every peer must be there: ${absent.join('; ')}`)
  return Object.fromEntries(found) as Record<Peer, string | null> // one entry a peer
}

function names(): readonly Peer[] {
  return Object.keys(PEERS) as Peer[]
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

function apt(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (...args: string[]) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.stderr.write(`Installing ${packages.join(', ')}\n`)
  run('update', '-qq')
  run('install', '-y', '-qq', '--no-install-recommends', ...packages)
}

function onPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin']
  return folders.some((folder) => existsSync(`${folder}/${program}`))
}

function imports(module: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}
