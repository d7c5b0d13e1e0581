import { join } from 'node:path'
import { until } from '../volume.js'
import { enterNamespaces, makeFolder, type Place, writeProgram } from './namespace.js'

/** Debian's init script of cinder-volume among processes of its own, with a program in cinder-volume's place that waits for SIGTERM. */
export async function startSysv(): Promise<Place> {
  const { folder, bin } = makeFolder('sysv')
  const daemon = join(folder, 'daemon')
  writeProgram(daemon, '#!/bin/sh\ntrap "exit 0" TERM\nsleep 100000 &\nwait\n')
  const script = `mount -t tmpfs tmpfs /run && mkdir /run/lock && mount --bind ${daemon} /usr/bin/cinder-volume && touch /run/ready
while :; do sleep 1000; done`
  const programs = { service: '/usr/sbin/service' }
  const place = await enterNamespaces({ folder, bin, kinds: ['pid', 'mount'], script, programs })
  await until('all is mounted', async () => place.succeeds('test', '-e', '/run/ready'))
  return place
}
