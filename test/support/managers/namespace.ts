import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { findCgroups } from '../peers/cgroups.js'
import { until } from '../volume.js'

const { folder: tests } = inject('peers')

/** A place where one manager runs, apart from this machine's own. */
export interface Place {
  readonly folder: string
  /** A folder to put on PATH. */
  readonly bin: string
  /** Runs a program of the place; its standard output. Errors: exit status other than 0. */
  readonly run: (...command: readonly string[]) => string
  readonly succeeds: (...command: readonly string[]) => boolean
  readonly end: () => Promise<void>
}

/** A folder for one manager. */
export function makeFolder(name: string): { readonly folder: string; readonly bin: string } {
  const folder = mkdtempSync(join(tests, `${name}-`))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  return { folder, bin }
}

/** Puts a program into a folder. */
export function writeProgram(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o755 })
}

/**
 * Runs a shell's script when it is told to, or when the tests have died. Nothing else holds the pipe's other end, so the kernel closes it with them.
 */
export function guard(script: string): () => Promise<void> {
  const child = spawn('sh', ['-c', `cat >/dev/null\n${script}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  return async () => {
    child.stdin?.end()
    if (child.exitCode === null) await once(child, 'exit')
  }
}

interface Options {
  readonly folder: string
  readonly bin: string
  /** The kinds of namespaces, as unshare(1) and nsenter(1) call them. */
  readonly kinds: readonly ('pid' | 'mount' | 'cgroup' | 'net' | 'uts' | 'ipc')[]
  /** A shell's script that is the first process. */
  readonly script: string
  /** Programs that are called from outside, on PATH. */
  readonly programs: Readonly<Record<string, string>>
}

/** Namespaces in which all ends with the first process. The control groups in it are removed. */
export async function enterNamespaces({ folder, bin, kinds, script, programs }: Options): Promise<Place> {
  const cgroup = mkdtempSync(join(findCgroups() ?? '', 'cinder-backend-test-'))
  const file = join(folder, 'init')
  writeFileSync(file, script)
  const unshare = ['unshare', '--fork', '--kill-child', '--mount-proc', ...kinds.map((kind) => `--${kind}`)]
  const child = spawn('sh', ['-c', `echo $$ >${cgroup}/cgroup.procs && exec ${unshare.join(' ')} sh ${file}`], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
  })
  const remove = `find ${cgroup} -depth -type d -exec rmdir {} \\; 2>/dev/null`
  const end = guard(
    `kill -9 ${child.pid}; for i in 1 2 3 4 5 6 7 8 9; do ${remove}; [ -e ${cgroup} ] || break; sleep 0.2; done`,
  )
  const first = await until('the namespaces are there', async () => findChild(child))
  const enter = [
    'nsenter',
    '--target',
    first,
    ...kinds.filter((kind) => kind !== 'cgroup').map((kind) => `--${kind}`),
    '--',
  ]
  const inside = `${enter.join(' ')} env PATH=/usr/sbin:/usr/bin:/sbin:/bin` // not the programs that enter
  for (const [name, program] of Object.entries(programs))
    writeProgram(join(bin, name), `#!/bin/sh\nexec ${inside} ${program} "$@"\n`)
  return { folder, bin, end, ...makeRunners(enter) }
}

/** Both ways to run a program behind others, such as nsenter with its options. */
export function makeRunners(before: readonly string[], env: NodeJS.ProcessEnv = {}): Pick<Place, 'run' | 'succeeds'> {
  const start = (words: readonly string[]) => {
    const [program = '', ...args] = [...before, ...words]
    return spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } })
  }
  return {
    succeeds: (...words) => start(words).status === 0,
    run: (...words) => {
      const { status, stdout, stderr } = start(words)
      if (status !== 0) throw new Error(`${words.join(' ')}: exit status ${status}: ${stdout}${stderr}`)
      return stdout
    },
  }
}

/** The process in the namespaces; not before it runs its script, so that all that unshare mounts is there. */
function findChild({ pid, exitCode }: ChildProcess): string | undefined {
  if (exitCode !== null) throw new Error(`unshare ended with ${exitCode}`)
  const first = spawnSync('pgrep', ['-P', `${pid}`], { encoding: 'utf8' }).stdout.trim()
  if (first === '') return undefined
  return /^sh\0|^\/lib\/systemd/.test(readFileSync(`/proc/${first}/cmdline`, 'utf8')) ? first : undefined
}
