import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../volume.js'
import { enterNamespaces, makeFolder, makeRunners, type Place, writeProgram } from './namespace.js'

const COROSYNC = `totem {
  version: 2
  cluster_name: tests
  transport: udpu
  crypto_cipher: none
  crypto_hash: none
}
nodelist {
  node {
    name: n1
    nodeid: 1
    ring0_addr: 127.0.0.1
  }
}
quorum {
  provider: corosync_votequorum
}
logging {
  to_logfile: no
  to_stderr: no
  to_syslog: no
}
`

/** A resource agent whose start or stop fails, if `fails` says so. */
const AGENT = `#!/bin/sh
state=/run/agent-$OCF_RESOURCE_INSTANCE
case $1 in
meta-data) cat <<END
<?xml version="1.0"?>
<resource-agent name="sim" version="1.0"><version>1.0</version>
<longdesc lang="en">Runs nothing</longdesc><shortdesc lang="en">Runs nothing</shortdesc>
<parameters><parameter name="fails"><longdesc lang="en">start or stop</longdesc><shortdesc lang="en">start or stop</shortdesc>
<content type="string" default="never"/></parameter></parameters>
<actions><action name="start" timeout="20"/><action name="stop" timeout="20"/><action name="monitor" timeout="20" interval="10"/>
<action name="meta-data" timeout="5"/></actions></resource-agent>
END
;;
"$OCF_RESKEY_fails") exit 1 ;;
start) touch $state ;;
stop) rm -f $state ;;
monitor) [ -e $state ] || exit 7 ;;
esac
`

/** What pacemaker, corosync and their clients write, each with an empty folder in its place. */
const OWN = [
  '/run',
  '/dev/shm',
  '/etc/corosync',
  '/var/lib/corosync',
  '/var/lib/pacemaker',
  '/var/log/corosync',
  '/var/log/pacemaker',
]

/** A cluster of one node, n1, with the agent ocf:tests:sim. */
export async function startPacemaker(): Promise<Place> {
  const { folder, bin } = makeFolder('pacemaker')
  const path = (name: string) => join(folder, name)
  mkdirSync(path('agents/tests'), { recursive: true })
  writeProgram(path('agents/tests/sim'), AGENT)
  writeFileSync(path('corosync.conf'), COROSYNC)
  writeFileSync(path('cib.xml'), makeCib())
  const script = `set -e
for each in ${OWN.join(' ')}; do [ -d $each ] && mount -t tmpfs tmpfs $each; done
mount --bind ${path('agents')} /usr/lib/ocf/resource.d
mkdir -p /run/lock /run/crm /var/lib/pacemaker/cib
cp ${path('corosync.conf')} /etc/corosync
cp ${path('cib.xml')} /var/lib/pacemaker/cib
chown -R hacluster:haclient /var/lib/pacemaker /run/crm && chmod 600 /var/lib/pacemaker/cib/cib.xml
ip link set lo up
hostname n1
corosync -f >/dev/null 2>&1 &
until corosync-quorumtool -s >/dev/null 2>&1; do sleep 0.1; done
pacemakerd -f >/dev/null 2>&1 &
wait`
  const kinds = ['pid', 'mount', 'net', 'uts', 'ipc'] as const
  const place = await enterNamespaces({ folder, bin, kinds, script, programs: { pcs: '/usr/sbin/pcs' } })
  await until('the node is online', async () => place.succeeds('sh', '-c', 'crm_mon -1 | grep -q "Online: .* n1 "'))
  return place
}

/** Without fencing, and with a short time to wait for others: with the usual one a cluster of one node takes 20 s more to begin. */
function makeCib(): string {
  const options = { 'stonith-enabled': 'false', 'dc-deadtime': '2s' }
  const pairs = Object.entries(options).map(([name, value]) => `<nvpair id="${name}" name="${name}" value="${value}"/>`)
  const set = `<crm_config><cluster_property_set id="options">${pairs.join('')}</cluster_property_set></crm_config>`
  return makeRunners([]).run('cibadmin', '--empty').replace('<crm_config/>', set)
}
