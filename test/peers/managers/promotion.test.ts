import { copyFileSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { agent } from '../../support/agent.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { whyMissing } from '../../support/managers/ask.js'
import type { Place } from '../../support/managers/namespace.js'
import { startPodman } from '../../support/managers/podman.js'
import { startSystemd } from '../../support/managers/systemd.js'
import { PYTHON } from '../../support/peers/peers.js'
import { HEALTHY, service } from '../../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../../support/volume.js'

const { folder: tests } = inject('peers')

type Volume = ReturnType<typeof cinderVolume>

/** Each starts a cinder-volume that beats, of which it alone knows the file. */
const MANAGERS = {
  systemd: {
    missing: whyMissing('systemd', 'oslo'),
    start: async (program: string, { conf, folder }: Volume): Promise<Place> => {
      const place = await startSystemd({
        'it.service': `[Service]\nEnvironment=STARTS=${folder}/starts\nExecStart=${PYTHON} ${program} --config-file ${conf}\nRestart=always\nRestartSec=1\n`,
      })
      place.run('systemctl', 'start', 'it')
      return place
    },
  },
  podman: {
    missing: whyMissing('podman', 'oslo'),
    start: async (program: string, { folder }: Volume): Promise<Place> => {
      const place = startPodman()
      for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, join(place.rootfs, name))
      const mounts = [`${folder}:/etc/cinder:ro`, `${tests}:${tests}`, '/usr:/usr:ro'].flatMap((each) => [
        '--volume',
        each,
      ])
      const command = [PYTHON, program, '--config-file', '/etc/cinder/cinder.conf']
      const options = ['--env', `STARTS=${folder}/starts`, '--restart=always', '--stop-timeout=1', ...mounts]
      place.run('podman', 'create', '--name', 'it', ...options, '--rootfs', place.rootfs, ...command)
      place.run('podman', 'start', 'it')
      return place
    },
  },
}

describe.each(Object.entries(MANAGERS))('%s', (manager, { missing, start }) => {
  test(titled({ name: 'a whole promotion edits the file that the manager tells', missing }), {
    skip: missing !== null,
    concurrent: true,
  }, async () => {
    const database: TestDatabase = await embedded.create()
    await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
    const volume = cinderVolume(database)
    const program = join(volume.folder, 'cinder-volume')
    copyFileSync(new URL('../../support/peers/beating_service.py', import.meta.url), program)
    const place = await start(program, volume)
    try {
      await beating(database)
      await database.execute(FAIL_OVER)
      const ask = () =>
        agent(
          {
            host: 'vol1@arrayA',
            connection: database.connection,
            active_backend: 'reset',
            replication: 'enabled',
            frozen: false,
            config: {
              options: { san_ip: '192.0.2.2' },
              replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }],
            },
            service: { manager, name: 'it' },
          },
          { env: { PATH: `${place.bin}:${process.env['PATH']}` } },
        )
      const { result } = await ask()
      expect(result).toMatchObject({ changed: true, failed: false, backends: [{ service: { state: 'started' } }] })
      expect(result.backends[0]?.actions).toEqual(
        expect.arrayContaining(['stop_service', 'update_config', 'reset_active_backend', 'start_service', 'thaw']),
      )
      expect((await database.rows('services'))[0]).toMatchObject(HEALTHY)
      expect(readFileSync(volume.conf, 'utf8')).toContain('\nsan_ip = 192.0.2.2\n')
      expect((await ask()).result).toMatchObject({ changed: false, failed: false })
    } finally {
      await place.end()
      await database.close()
    }
  })
})
