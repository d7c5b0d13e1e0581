import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../volume.js'
import { enterNamespaces, makeFolder, type Place } from './namespace.js'

const TARGETS = ['default', 'basic', 'sysinit', 'shutdown', 'sockets', 'timers', 'paths', 'slices', 'local-fs']

/** A systemd whose only units are those given, by the name of their file. Its root is this machine's. */
export async function startSystemd(units: Readonly<Record<string, string>>): Promise<Place> {
  const { folder, bin } = makeFolder('systemd')
  const targets = TARGETS.map((name) => [`${name}.target`, '[Unit]\nDefaultDependencies=no\n'] as const)
  for (const [name, text] of [...targets, ...Object.entries(units)]) {
    const file = join(folder, 'units', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  // Without a colon at the end of the path: else the units of this machine are started too.
  const script = `mount -t tmpfs tmpfs /run && mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir /run/lock
exec env container=unshare SYSTEMD_UNIT_PATH=/run/systemd/system:${folder}/units \\
  /lib/systemd/systemd --system --unit=default.target --log-target=null --show-status=0`
  const programs = { systemctl: '/bin/systemctl', service: '/usr/sbin/service' }
  const place = await enterNamespaces({ folder, bin, kinds: ['pid', 'mount', 'cgroup'], script, programs })
  await until('systemd is ready', async () => place.succeeds('systemctl', 'is-system-running'))
  return place
}
