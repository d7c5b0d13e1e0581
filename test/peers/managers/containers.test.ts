import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { titled } from '../../support/databases.js'
import { ask, readConfigPaths, testManager, whyMissing } from '../../support/managers/ask.js'
import type { Place } from '../../support/managers/namespace.js'
import { startDockerSocket, startPodman } from '../../support/managers/podman.js'
import { startSystemd } from '../../support/managers/systemd.js'

/** Runs until it is told to end. */
const SERVE = 'trap "exit 0" TERM; sleep 100000 & wait'

type Podman = ReturnType<typeof startPodman>

function makeContainers(podman: () => Podman) {
  const create = (name: string, words: readonly string[], ...options: readonly string[]) =>
    podman().run('podman', 'create', '--name', name, ...options, '--rootfs', podman().rootfs, ...words)
  const inspect = (name: string, format: string) =>
    podman().run('podman', 'container', 'inspect', '--format', format, name).trim()
  return { create, inspect, state: (name: string) => inspect(name, '{{.State.Status}}') }
}

const reason = whyMissing('podman')

describe(titled({ name: 'podman', missing: reason }), { skip: reason !== null }, () => {
  let place: Podman
  const { create, inspect, state } = makeContainers(() => place)
  const manager = 'podman'
  beforeAll(() => {
    place = startPodman()
    create('plain', ['/bin/sh', '-c', SERVE])
    return place.end
  })

  testManager(
    'podman',
    () => place,
    'plain',
    () => state('plain') === 'running',
  )

  test('a container that is started again and again is stopped for good', async () => {
    create('again', ['/bin/true'], '--restart=always', '--stop-timeout=1')
    place.run('podman', 'start', 'again')
    const wanted = { manager, name: 'again', state: 'stopped' } as const
    for (let look = 0; look < 5; look++)
      expect(await ask([place], wanted, ['--check'])).toMatchObject({ changed: true, failed: false })
    expect(await ask([place], wanted)).toMatchObject({ changed: true, failed: false, state: 'stopped' })
    const look = () => [state('again'), inspect('again', '{{.RestartCount}}')]
    const [, restarts] = look()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(look()).toEqual(['exited', restarts])
    expect(await ask([place], wanted)).toMatchObject({ changed: false, failed: false })
  })

  test.each([
    ['ends', '/bin/true'],
    ['lacks its program', '/no/such/program'],
  ])('a container that %s at its start is told at once', async (name, program) => {
    const container = name.replaceAll(' ', '-')
    create(container, [program])
    const outcome = await ask([place], { manager, name: container, state: 'started' })
    expect(outcome).toMatchObject({ failed: true, code: 'service_control_failed', state: 'stopped' })
    expect(outcome.seconds).toBeLessThan(10)
  })

  test('a container that does not hear SIGTERM is waited for', async () => {
    create('deaf', ['/bin/sleep', '100000'], '--stop-timeout=1')
    place.run('podman', 'start', 'deaf')
    expect(await ask([place], { manager, name: 'deaf', state: 'stopped' })).toMatchObject({
      changed: true,
      failed: false,
    })
    expect(state('deaf')).toBe('exited')
  })

  test('a container that has ended and was not cleaned up is stopped in the end', async () => {
    create('left', ['/bin/sleep', '100000'])
    place.run('podman', 'start', 'left')
    process.kill(Number(readFileSync(inspect('left', '{{.ConmonPidFile}}'), 'utf8')), 'SIGKILL')
    process.kill(Number(inspect('left', '{{.State.Pid}}')), 'SIGKILL')
    expect(place.succeeds('podman', 'stop', 'left')).toBe(false)
    expect(state('left')).toBe('stopped')
    const wanted = { manager, name: 'left', state: 'stopped' } as const
    expect(await ask([place], wanted)).toMatchObject({ changed: true, failed: false, state: 'stopped' })
    expect(state('left')).toBe('exited')
  })

  test('a container tells the file that cinder-volume is started with, as a path of this host', async () => {
    const conf = join(place.folder, 'conf')
    mkdirSync(conf)
    const command = ['cinder-volume', '--config-file', '/etc/cinder/cinder.conf']
    create('own', command, '--volume', `${conf}:/etc/cinder:ro`)
    const told = { files: [join(conf, 'cinder.conf')], folders: [], machine: hostname() }
    expect(await readConfigPaths(place, manager, 'own')).toEqual(told)

    const copies = [{ source: '/var/lib/kolla/config_files/cinder.conf', dest: '/etc/cinder/cinder.conf' }]
    writeFileSync(join(conf, 'config.json'), JSON.stringify({ command: command.join(' '), config_files: copies }))
    create('kolla', ['kolla_start'], '--volume', `${conf}/:/var/lib/kolla/config_files/:ro`)
    expect(await readConfigPaths(place, manager, 'kolla')).toEqual(told)

    create('named', command, '--volume', `${conf}:/etc/cinder:ro`, '--hostname', 'vol7')
    expect(await readConfigPaths(place, manager, 'named')).toEqual({ ...told, machine: 'vol7' })
    create('uts', command, '--volume', `${conf}:/etc/cinder:ro`, '--uts', 'host')
    expect(await readConfigPaths(place, manager, 'uts')).toEqual(told)

    create('image', command)
    for (const name of ['plain', 'image', 'no-such-thing'])
      expect(await readConfigPaths(place, manager, name)).toBe('unknown')
  })

  const unit = whyMissing('systemd')
  test(titled({ name: 'a container that a unit of systemd runs is left to it', missing: unit }), {
    skip: unit !== null,
  }, async () => {
    const systemd: Place = await startSystemd({
      'kolla-plain-container.service': '[Service]\nExecStart=/bin/sleep 100000\nRestart=always\n',
      'quadlet.service': '[Service]\nExecStart=/bin/sleep 100000\n',
    })
    try {
      place.run('podman', 'start', 'plain')
      systemd.run('systemctl', 'start', 'kolla-plain-container')
      const wanted = { manager, name: 'plain', state: 'stopped' } as const
      const outcome = await ask([place, systemd], wanted)
      expect(outcome).toMatchObject({ changed: false, code: 'service_control_failed', state: 'started' })
      expect(outcome.msg).toContain('kolla-plain-container.service')
      systemd.run('systemctl', 'stop', 'kolla-plain-container')
      expect(await ask([place, systemd], wanted)).toMatchObject({ changed: true, failed: false })

      create('labelled', ['/bin/sh', '-c', SERVE], '--label', 'PODMAN_SYSTEMD_UNIT=quadlet.service')
      place.run('podman', 'start', 'labelled')
      systemd.run('systemctl', 'start', 'quadlet')
      const labelled = await ask([place, systemd], { ...wanted, name: 'labelled' })
      expect(labelled).toMatchObject({ changed: false, code: 'service_control_failed', state: 'started' })
      expect(labelled.msg).toContain('quadlet.service')
    } finally {
      await systemd.end()
    }
  })
})

const noDocker = whyMissing('podman', 'docker')

describe(titled({ name: "docker's command on podman", missing: noDocker }), { skip: noDocker !== null }, () => {
  let place: Podman
  const { create, state } = makeContainers(() => place)
  beforeAll(async () => {
    place = startPodman()
    create('plain', ['/bin/sh', '-c', SERVE])
    create('own', ['cinder-volume', '--config-file=/etc/cinder/cinder.conf'], '--volume', '/etc:/etc:ro')
    const end = await startDockerSocket(place)
    return () => end().then(place.end)
  })

  testManager(
    'docker',
    () => place,
    'plain',
    () => state('plain') === 'running',
  )

  test('a container that ends at its start is told at once', async () => {
    create('ends', ['/bin/true'])
    const outcome = await ask([place], { manager: 'docker', name: 'ends', state: 'started' })
    expect(outcome).toMatchObject({ failed: true, code: 'service_control_failed' })
    expect(outcome.seconds).toBeLessThan(10)
  })

  test('a container tells the file that cinder-volume is started with', async () => {
    expect(await readConfigPaths(place, 'docker', 'own')).toMatchObject({
      files: ['/etc/cinder/cinder.conf'],
      machine: hostname(),
    })
  })
})
