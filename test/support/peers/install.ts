// npm run peers: installs what the tests talk to, on Debian and Ubuntu, as root.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { findPeers, PEER_NAMES, PEERS, type Peer, type PeerProgram } from './peers.js'

const say = (text: string) => process.stdout.write(`${text}\n`)

function findMissing(): readonly Peer[] {
  const missing = findPeers()
  return PEER_NAMES.filter((name) => missing[name] !== null)
}

function listPackages(names: readonly Peer[]): string {
  const describe = (name: Peer) => {
    const { packages, use, problem }: PeerProgram = PEERS[name]
    return `  ${packages.join(' ').padEnd(42)} ${use}${problem === undefined ? '' : ` (${problem})`}`
  }
  return names.map(describe).join('\n')
}

/** Asked before a package starts its daemons: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt */
const POLICY = '/usr/sbin/policy-rc.d'

/** The tests start what they need themselves. */
function installWithoutStarting(packages: readonly string[]): void {
  if (existsSync(POLICY)) {
    install(packages)
    return
  }
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install(packages)
  } finally {
    rmSync(POLICY)
  }
}

function install(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) say(`apt-get ${args[0]} failed with exit status ${status}.`)
  }
}

const missing = findMissing()
if (missing.length === 0) say('Nothing to install: all that the tests talk to is here.')
else if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
  say(`The tests could also talk to what these packages of Debian hold:\n${listPackages(missing)}`)
  say('As root on Debian or Ubuntu this command installs them. Elsewhere install them in the way of your system.')
  say('npm test runs without them too: it skips by name what needs them.')
  process.exitCode = 1
} else {
  say(`Installing these packages with apt-get, and what they depend on:\n${listPackages(missing)}`)
  installWithoutStarting(missing.flatMap((name) => PEERS[name].packages))
  const absent = findMissing()
  say(absent.length === 0 ? 'Done.' : `Still missing:\n${listPackages(absent)}`)
  process.exitCode = absent.length === 0 ? 0 : 1
}
