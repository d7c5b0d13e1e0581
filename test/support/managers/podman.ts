import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCgroups } from '../peers/cgroups.js'
import { until } from '../volume.js'
import { guard, makeFolder, makeRunners, type Place, writeProgram } from './namespace.js'

/** A podman whose containers, images and locks are in a folder of the tests, without control groups for its containers. */
export function startPodman(): Place & { readonly rootfs: string } {
  const { folder, bin } = makeFolder('podman')
  const path = (name: string) => join(folder, name)
  writeFileSync(
    path('containers.conf'),
    `[containers]
cgroups = "disabled"
netns = "host"
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "${path('tmp')}"
`,
  )
  writeFileSync(
    path('storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = "${path('graph')}"\nrunroot = "${path('run')}"\n`,
  )
  // crun accepts no mixture of cgroup and cgroup2.
  const mounted = 'mount -t cgroup2 none /sys/fs/cgroup && exec /usr/bin/podman "$@"'
  writeProgram(
    join(bin, 'podman'),
    `#!/bin/sh
export CONTAINERS_CONF=${path('containers.conf')} CONTAINERS_STORAGE_CONF=${path('storage.conf')}
exec unshare --mount sh -c '${mounted}' podman "$@"
`,
  )
  const rootfs = makeRootfs(path('rootfs'))
  const end = guard(`${bin}/podman rm --all --force --time 0 >/dev/null 2>&1`)
  return { folder, bin, rootfs, end, ...makeRunners([], { PATH: `${bin}:${process.env['PATH']}` }) }
}

/** What a container needs in place of an image. */
function makeRootfs(folder: string): string {
  for (const name of ['bin', 'etc', 'dev', 'proc', 'sys', 'run', 'tmp'])
    mkdirSync(join(folder, name), { recursive: true })
  copyFileSync('/bin/busybox', join(folder, 'bin/busybox'))
  for (const name of ['sh', 'sleep', 'true']) symlinkSync('busybox', join(folder, 'bin', name))
  return folder
}

/** Podman's containers by Docker's command. The states are podman's. */
export async function startDockerSocket(podman: Place): Promise<() => Promise<void>> {
  // Without its own control group it moves every process of this machine to another one.
  const cgroup = mkdtempSync(join(findCgroups() ?? '', 'cinder-backend-test-'))
  const socket = join(podman.folder, 'socket')
  const serve = `unshare --cgroup ${podman.bin}/podman system service --time=0 unix://${socket}`
  const child = spawn('sh', ['-c', `echo $$ >${cgroup}/cgroup.procs && exec ${serve}`], {
    detached: true,
    stdio: 'ignore',
  })
  const end = guard(
    `kill -9 -${child.pid}; for i in 1 2 3 4 5; do find ${cgroup} -depth -type d -exec rmdir {} \\; 2>/dev/null; [ -e ${cgroup} ] || break; sleep 0.2; done`,
  )
  const docker = makeRunners([]).run('sh', '-c', 'command -v docker').trim()
  writeProgram(join(podman.bin, 'docker'), `#!/bin/sh\nDOCKER_HOST=unix://${socket} exec ${docker} "$@"\n`)
  await until('podman serves', async () => existsSync(socket))
  return end
}
