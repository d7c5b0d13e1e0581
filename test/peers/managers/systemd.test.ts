import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { readPathsOfUnit } from '../../../src/service/config-paths.js'
import { agent } from '../../support/agent.js'
import { confFile, PURE } from '../../support/conf.js'
import { embedded, titled } from '../../support/databases.js'
import { ask, readConfigPaths, testManager, whyMissing } from '../../support/managers/ask.js'
import type { Place } from '../../support/managers/namespace.js'
import { startSystemd } from '../../support/managers/systemd.js'
import { PYTHON } from '../../support/peers/peers.js'
import { service } from '../../support/rows.js'
import { until } from '../../support/volume.js'

const SLEEP = '[Service]\nExecStart=/bin/sleep 100000\n'

const UNITS = {
  'plain.service': SLEEP,
  'masked.service': SLEEP,
  'slow.service': `${SLEEP}ExecStop=/bin/sleep 2\n`,
  'absent.service': '[Service]\nExecStart=/no/such/program\n',
  'stranger.service': `${SLEEP}User=no-such-user\n`,
  'broken.service': '[Service]\nType=exec\nExecStart=/no/such/program\n',
  'again.service': '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1\n',
  'clustered.service': SLEEP,
  'clustered.service.d/50-pacemaker.conf': '[Unit]\nDescription=Cluster Controlled\n',
  'timed.service': SLEEP,
  'timed.timer': '[Timer]\nOnActiveSec=1000\n',
  'upheld.service': SLEEP,
  'upholder.service': `[Unit]\nUpholds=upheld.service\n${SLEEP}`,
  'named.service':
    '[Service]\nExecStart=/usr/bin/cinder-volume --config-file /etc/cinder/a.conf --config-dir=/etc/cinder/b\n',
  'wrapped.service': "[Service]\nExecStart=/bin/sh -c 'exec cinder-volume --config-file /etc/cinder/a.conf'\n",
  'optional.service': '[Service]\nEnvironmentFile=-/etc/default/none\nExecStart=/usr/bin/cinder-volume $OPTIONS\n',
  'debian.service': '[Service]\nExecStart=/etc/init.d/cinder-volume systemd-start\n',
}

const reason = whyMissing('systemd')

describe(titled({ name: 'systemd', missing: reason }), { skip: reason !== null }, () => {
  let place: Place
  beforeAll(async () => {
    place = await startSystemd(UNITS)
    return place.end
  })
  const manager = 'systemd'
  const isActive = (name: string) => place.succeeds('systemctl', 'is-active', name)

  testManager(
    'systemd',
    () => place,
    'plain',
    () => isActive('plain'),
  )

  test.each(['absent', 'stranger', 'broken'])('a unit that fails at its start is told at once: %s', async (name) => {
    const outcome = await ask([place], { manager, name, state: 'started' })
    expect(outcome).toMatchObject({ failed: true, code: 'service_control_failed', state: 'stopped' })
    expect(outcome.seconds).toBeLessThan(10)
    // It stays failed, and that is stopped.
    expect(await ask([place], { manager, name, state: 'stopped' })).toMatchObject({ changed: false, failed: false })
  })

  // Where systemd runs, service(8) calls systemctl.
  test.each(['systemd', 'sysv'] as const)(
    'a unit that is started again and again is stopped for good: %s',
    async (manager) => {
      place.run('systemctl', 'start', 'again')
      const show = () => place.run('systemctl', 'show', '--property=SubState', '--value', 'again').trim()
      await until('it waits for its next start', async () => show() === 'auto-restart')
      const wanted = { manager, name: 'again', state: 'stopped' } as const
      expect(await ask([place], wanted)).toMatchObject({ changed: true, failed: false })
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(show()).toBe('dead')
      expect(await ask([place], wanted)).toMatchObject({ changed: false, failed: false })
    },
  )

  test('a unit that is being stopped is waited for', async () => {
    place.run('systemctl', 'start', 'slow')
    place.run('systemctl', 'stop', '--no-block', 'slow')
    expect(await ask([place], { manager, name: 'slow', state: 'stopped' })).toMatchObject({ failed: false })
    expect(place.run('systemctl', 'show', '--property=ActiveState', '--value', 'slow').trim()).toBe('inactive')
  })

  test('a unit that was masked while it runs is stopped, and cannot be started', async () => {
    place.run('systemctl', 'start', 'masked')
    place.run('systemctl', 'mask', '--runtime', 'masked')
    expect(await ask([place], { manager, name: 'masked', state: 'stopped' })).toMatchObject({
      changed: true,
      failed: false,
    })
    const outcome = await ask([place], { manager, name: 'masked', state: 'started' })
    expect(outcome).toMatchObject({ changed: false, code: 'service_control_failed' })
    expect(outcome.msg).toContain('masked')
  })

  test.each([
    ['pacemaker', 'clustered', ['clustered'], 'pacemaker'],
    ['a timer', 'timed', ['timed', 'timed.timer'], 'timed.timer'],
    ['a unit that upholds it', 'upheld', ['upholder'], 'upholder.service'],
  ])('a unit that would be started again by %s is not stopped', async (_, name, started, culprit) => {
    place.run('systemctl', 'start', ...started)
    await until('it runs', async () => isActive(name))
    const outcome = await ask([place], { manager, name, state: 'stopped' })
    expect(outcome).toMatchObject({ changed: false, code: 'service_control_failed', state: 'started' })
    expect(outcome.msg).toContain(culprit)
    expect(isActive(name)).toBe(true)
  })

  test('a unit that its timer would start is not taken for one that stays stopped', async () => {
    place.run('systemctl', 'stop', 'timed')
    const database = await embedded.create()
    try {
      await database.execute(service(1, 'vol1@arrayA', { updated_at: null }))
      const file = confFile(`[DEFAULT]\nhost = vol1\n${PURE}`)
      const edit = () =>
        agent(
          {
            host: 'vol1@arrayA',
            connection: database.connection,
            config_file: file,
            config: { options: { san_ip: '10.0.0.9' } },
            service: { manager, name: 'timed', state: 'stopped' },
            wait: false,
          },
          { env: { PATH: `${place.bin}:${process.env['PATH']}` } },
        )
      const { result } = await edit()
      expect(result).toMatchObject({ changed: false, error: { code: 'service_control_failed' } })
      expect(result.msg).toContain('timed.timer')
      place.run('systemctl', 'stop', 'timed.timer')
      expect((await edit()).result).toMatchObject({ changed: true, failed: false })
    } finally {
      await database.close()
      place.run('systemctl', 'start', 'timed', 'timed.timer')
    }
  })

  test('a unit is stopped once its timer is', async () => {
    place.run('systemctl', 'stop', 'timed.timer')
    expect(await ask([place], { manager, name: 'timed', state: 'stopped' })).toMatchObject({
      changed: true,
      failed: false,
    })
  })

  test('a unit tells the files that cinder-volume is started with', async () => {
    expect(await readConfigPaths(place, manager, 'named')).toEqual({
      files: ['/etc/cinder/a.conf'],
      folders: ['/etc/cinder/b'],
    })
    for (const name of ['plain', 'wrapped', 'optional'])
      expect(await readConfigPaths(place, manager, name)).toBe('unknown')
    expect(await readConfigPaths(place, manager, 'no-such-thing')).toBeUndefined()
  })

  const debian = whyMissing('sysv')
  test(titled({ name: "Debian's unit tells them by its script", missing: debian }), {
    skip: debian !== null,
  }, async () => {
    const expected = { files: ['/etc/cinder/cinder.conf'], folders: undefined }
    expect(await readConfigPaths(place, manager, 'debian')).toEqual(expected)
  })
})

const { folder, missing } = inject('peers')
const named = titled({
  name: 'a unit that does not tell its files is asked for its main process',
  missing: missing.python,
})
test(named, { skip: missing.python !== null }, async () => {
  const program = join(mkdtempSync(join(folder, 'main-')), 'cinder-volume')
  writeFileSync(program, 'import time\ntime.sleep(60)\n')
  const child = spawn(PYTHON, [program, '--config-file', '/etc/a b.conf'], { stdio: 'ignore' })
  try {
    const shown = `ExecStart={ path=/opt/it ; argv[]=/opt/it ; ignore_errors=no ; pid=0 }\nMainPID=${child.pid}\n`
    expect(await readPathsOfUnit('it')(async () => shown)).toEqual({ files: ['/etc/a b.conf'], folders: undefined })
  } finally {
    child.kill()
  }
})
