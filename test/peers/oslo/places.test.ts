import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../../support/agent.js'
import { titled } from '../../support/databases.js'
import { withMounts } from '../../support/mounts.js'
import { PYTHON } from '../../support/peers/peers.js'
import { chance, tellChance } from '../../support/seed.js'

const { missing: peers, folder } = inject('peers')
const JUDGE = new URL('../../support/peers/judge-places.py', import.meta.url).pathname
const NAMES = [
  'cinder.conf',
  'cinder-volume.conf',
  'cinder.conf.d/b.conf',
  'cinder.conf.d/a.conf',
  'cinder-volume.conf.d/c.conf',
]

const missing = peers.oslo ?? peers.mountNamespaces

describe.skipIf(missing !== null)(titled({ name: 'beside oslo.config itself', missing }), () => {
  test.concurrent.each([...Array(8).keys()])(
    'random files are found where it finds them as the user cinder (%i)',
    async (round) => {
      const made = (name: string) => mkdtempSync(join(folder, `${name}-`))
      const [etc, cinder, snap] = [made('etc'), made('cinder'), made('snap')]
      writeFileSync(join(etc, 'passwd'), `root:x:0:0::/root:/bin/sh\ncinder:x:1:1:Cinder:${cinder}:/bin/false\n`)
      const places = [join(cinder, '.cinder'), cinder, join(etc, 'cinder'), etc, join(snap, 'etc/cinder')]
      const paths = places.flatMap((place) => NAMES.map((name) => join(place, name)))
      const some = paths.filter((_, index) => chance(`${round} ${index}`) < 0.3)
      for (const path of [...some, join(etc, 'cinder.conf')]) {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, '[DEFAULT]\nstate_path = /nowhere\n')
      }
      const env = { SNAP: snap, SNAP_COMMON: '', OS_DATABASE__CONNECTION: undefined }
      const [program = '', ...args] = withMounts({ '/etc': etc }, [PYTHON, JUDGE])
      const found: readonly string[] = JSON.parse(
        execFileSync(program, args, { env: { ...process.env, ...env, HOME: cinder } }).toString(),
      )
      const { result } = await agent(
        { host: 'vol1@arrayA' },
        { env: { ...env, HOME: made('home') }, mounts: { '/etc': etc } },
      )
      await tellChance(some.join(', '), async () => {
        expect(result).toMatchObject({ error: { code: 'config_error' } })
        expect(result.msg.match(/\/[^,\s]+\.conf(?=[,.\s])/g)).toEqual(found)
      })
    },
  )
})
