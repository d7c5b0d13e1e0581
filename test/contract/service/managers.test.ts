import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test as plainTest } from 'vitest'
import { getPackageName, openManager } from '../../../src/service/open.js'
import { agent } from '../../support/agent.js'
import { confFile, PURE } from '../../support/conf.js'
import { embedded, titled } from '../../support/databases.js'
import { service } from '../../support/rows.js'
import { until } from '../../support/volume.js'

const { folder, missing } = inject('peers')
const MANAGER = new URL('../../support/peers/recording-manager', import.meta.url).pathname

const FILES = '[{{json .Path}},{{json .Args}},{{json .Mounts}},{{json .Config.Hostname}},{{json .HostConfig.UTSMode}}]'
const LABEL = '{{index .Config.Labels "PODMAN_SYSTEMD_UNIT"}}'

/** The name that each has by default on Debian, and the calls that are expected. `files`: what cinder-volume is started with. */
const MANAGERS = {
  systemd: {
    name: 'cinder-volume',
    files: (name: string) => [`systemctl show --property=ExecStart --property=MainPID ${name}`],
    status: (name: string) => `systemctl is-active ${name}`,
    start: (name: string) => `systemctl start ${name}`,
    prepare: (name: string) => [
      `systemctl show --property=DropInPaths --property=TriggeredBy --property=UpheldBy ${name}`,
    ],
    stop: (name: string) => `systemctl stop ${name}`,
    known: (name: string) => [`systemctl show --property=LoadState --value ${name}`],
  },
  sysv: {
    name: 'cinder-volume',
    files: () => [],
    status: (name: string) => `service ${name} status`,
    start: (name: string) => `service ${name} start`,
    prepare: () => [],
    stop: (name: string) => `service ${name} stop`,
    known: () => [],
  },
  docker: {
    name: 'cinder_volume',
    files: (name: string) => [`docker container inspect --format ${FILES} ${name}`],
    status: (name: string) => `docker container inspect --format {{.State.Status}} ${name}`,
    start: (name: string) => `docker start ${name}`,
    prepare: (name: string) => [`systemctl is-active kolla-${name}-container.service container-${name}.service`],
    stop: (name: string) => `docker stop ${name}`,
    known: () => [],
  },
  podman: {
    name: 'cinder_volume',
    files: (name: string) => [`podman container inspect --format ${FILES} ${name}`],
    status: (name: string) => `podman container inspect --format {{.State.Status}} ${name}`,
    start: (name: string) => `podman start ${name}`,
    prepare: (name: string) => [
      `podman container inspect --format ${LABEL} ${name}`,
      `systemctl is-active kolla-${name}-container.service container-${name}.service`,
    ],
    stop: (name: string) => `podman stop ${name}`,
    known: () => [],
  },
  pacemaker: {
    name: 'openstack-cinder-volume',
    files: (name: string) => [`pcs resource status ${name}`, `podman container inspect --format ${FILES} it-podman-0`],
    status: (name: string) => `pcs resource status ${name}`,
    start: (name: string) => `pcs resource enable ${name}`,
    prepare: (name: string) => [`pcs resource status ${name}`],
    stop: (name: string) => `pcs resource disable ${name}`,
    known: () => [],
  },
} as const

/** A row, and a folder in which every manager is one that records its calls. */
async function makeSite() {
  const database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA'))
  const record = mkdtempSync(join(folder, 'manager-'))
  for (const name of ['systemctl', 'service', 'docker', 'podman', 'pcs']) symlinkSync(MANAGER, join(record, name))
  const path = (name: string) => join(record, name)
  const read = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8').trim() : undefined)
  return {
    database,
    record,
    has: (name: string, text: string) => writeFileSync(path(name), text),
    state: () => read('state'),
    calls: () => read('calls')?.split('\n') ?? [],
    ask: (wanted: object, args: readonly string[] = []) =>
      agent(
        {
          host: 'vol1@arrayA',
          connection: database.connection,
          wait: false,
          service: { timeout: 5, ...wanted },
        },
        { args, env: { PATH: `${record}:${process.env['PATH']}`, RECORD: record, SECRET: 'nothing' } },
      ),
  }
}

const test = plainTest.extend<{ site: Awaited<ReturnType<typeof makeSite>> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the names of what is needed from the pattern
  site: async ({}, use) => {
    const site = await makeSite()
    await use(site)
    await site.database.close()
  },
})

describe.each(Object.entries(MANAGERS))(
  '%s',
  (manager, { name: usual, files, status, start, prepare, stop, known }) => {
    const packageName = getPackageName(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')
    const name = usual === 'cinder-volume' ? packageName : usual

    test.concurrent('is asked, told to stop, and asked again; then it is stopped already', async ({
      site: { has, state, calls, ask },
    }) => {
      has('state', 'started')
      const { result } = await ask({ manager, state: 'stopped' })
      expect(result).toMatchObject({
        changed: true,
        failed: false,
        backends: [{ actions: ['stop_service'], service: { manager, name, state: 'stopped' } }],
      })
      expect(calls()).toEqual([
        ...files(name),
        status(name),
        ...prepare(name),
        stop(name),
        status(name),
        ...known(name),
      ])
      expect(state()).toBe('stopped')

      has('calls', '')
      expect((await ask({ manager, state: 'stopped' })).result).toMatchObject({ changed: false, failed: false })
      expect(calls()).toEqual([...files(name), status(name), ...known(name)])
    })

    test.concurrent('is told to start what the request names', async ({ site: { has, calls, ask } }) => {
      has('state', 'stopped')
      const { result } = await ask({ manager, name: 'it@1.service', state: 'started' })
      expect(result).toMatchObject({
        changed: true,
        backends: [{ actions: ['start_service'], service: { manager, name: 'it@1.service', state: 'started' } }],
      })
      const [first, ...rest] = calls().slice(files('it').length)
      expect(first).toBe(status('it@1.service'))
      expect(rest.filter((call) => call === start('it@1.service'))).toHaveLength(1)
      expect(rest.at(-1)).toBe(status('it@1.service'))
    })

    test.concurrent('is only asked in check mode', async ({ site: { has, calls, ask } }) => {
      has('state', 'started')
      const { result } = await ask({ manager, state: 'stopped' }, ['--check'])
      expect(result).toMatchObject({ changed: true, backends: [{ actions: ['stop_service'] }] })
      expect(calls()).toEqual([...files(name), status(name)])
    })

    test.concurrent('is waited for where it takes its time', async ({ site: { has, calls, ask } }) => {
      has('state', 'started')
      has('mood', 'late')
      expect((await ask({ manager, state: 'stopped' })).result).toMatchObject({ changed: true, failed: false })
      expect(calls().filter((call) => call === status(name)).length).toBeGreaterThan(2)
    })

    test.concurrent('fails with the last that it said, and without the secrets in it', async ({
      site: { has, ask },
    }) => {
      has('state', 'started')
      has('mood', 'fail')
      const { result, stdout, stderr } = await ask({ manager, state: 'stopped' })
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'service_control_failed' } })
      expect(result.msg).toContain(
        `${stop(name)} failed with exit status 5: something went wrong before / cannot connect`,
      )
      expect(stdout + stderr).not.toContain('hunter2')
    })

    test.concurrent('is ended when it hangs', async ({ site: { has, ask } }) => {
      has('state', 'started')
      has('mood', 'hang')
      const { result } = await ask({ manager, state: 'stopped', timeout: 1 })
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'service_control_failed' } })
      expect(result.msg).toContain(`${stop(name)} did not end within 1 s`)
    })

    test.concurrent('is not believed when it says that it stopped what still runs', async ({ site: { has, ask } }) => {
      has('state', 'started')
      has('mood', 'deaf')
      const { result } = await ask({ manager, state: 'stopped', timeout: 1 })
      expect(result).toMatchObject({
        changed: false,
        error: { code: 'service_control_failed' },
        backends: [{ service: { state: 'started' } }],
      })
      expect(result.msg).toContain(`${manager} did not stop ${name} within 1 s (state: started; `)
    })

    test.concurrent('does not know the service: that is no service that is stopped', async ({ site: { has, ask } }) => {
      has('state', 'stopped')
      has('mood', 'stranger')
      const { result } = await ask({ manager, state: 'stopped' })
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'service_control_failed' } })
    })

    test.concurrent('is not there', async ({ site: { database } }) => {
      const { result } = await agent(
        { host: 'vol1@arrayA', connection: database.connection, service: { manager, state: 'stopped' } },
        { env: { PATH: '/nowhere' } },
      )
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'service_control_failed' } })
      expect(result.msg).toContain('there is no such program')
    })
  },
)

describe('command', () => {
  const script = (text: string) => ['/bin/sh', '-c', text]

  test.concurrent('runs what it is given without a shell, each argument as it is', async ({
    site: { ask, record },
  }) => {
    const made = join(record, 'a b; $HOME')
    const words = { start: ['true'], stop: ['touch', made], status: ['test', '!', '-e', made] }
    const { result } = await ask({ manager: 'command', state: 'stopped', ...words })
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(existsSync(made)).toBe(true)
  })

  test.concurrent('a program that leaves its service behind with an open standard error is not waited for', async ({
    site: { ask, record },
  }) => {
    const pid = join(record, 'pid')
    const words = {
      start: script(`sleep 30 & echo $! > ${pid}`),
      stop: script(`kill $(cat ${pid})`),
      status: script(`kill -0 $(cat ${pid})`),
    }
    const before = Date.now()
    expect((await ask({ manager: 'command', ...words, timeout: 20 })).result).toMatchObject({
      changed: true,
      failed: false,
    })
    expect(Date.now() - before).toBeLessThan(10_000)
    expect((await ask({ manager: 'command', ...words, state: 'stopped' })).result).toMatchObject({ changed: true })
  })

  const kills = titled({ name: 'what a program started ends with it when it takes too long', missing: missing.ps })
  test(kills, { concurrent: true, skip: missing.ps !== null }, async ({ site: { ask, record } }) => {
    const pid = join(record, 'pid')
    const words = { start: ['true'], stop: script(`sleep 60 & echo $! > ${pid}; wait`), status: ['true'] }
    const { result } = await ask({ manager: 'command', ...words, state: 'stopped', timeout: 1 })
    expect(result.msg).toMatch(/^\/bin\/sh did not end within 1 s/)
    const state = () =>
      spawnSync('ps', ['-o', 'stat=', '-p', readFileSync(pid, 'utf8').trim()], { encoding: 'utf8' }).stdout
    // One that nobody has buried yet is dead all the same.
    await until('it is dead', async () => /^(Z.*)?$/.test(state().trim()))
  })

  test.concurrent('what it says shows no secret of cinder.conf, nor of the edit that is wanted', async ({
    site: { database },
  }) => {
    const secrets = ['s3cr3t-A', 's3cr3t-B', 's3cr3t-new']
    const config_file = confFile(PURE)
    const said = `echo 'the array refused ${secrets.join(' and ')}' >&2; exit 1`
    const { result, stdout, stderr } = await agent({
      host: 'vol1@arrayA',
      connection: database.connection,
      config_file,
      config: { file: config_file, options: { pure_api_token: 's3cr3t-new' } },
      service: { manager: 'command', start: ['true'], stop: ['/bin/sh', '-c', said], status: ['true'] },
    })
    expect(result).toMatchObject({ failed: true, error: { code: 'service_control_failed' } })
    expect(result.msg).toContain('the array refused ')
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret)
  })

  test.concurrent('arguments never show, for they may hold a secret', async ({ site: { ask } }) => {
    const words = { start: ['true'], stop: ['sh', '-c', 'echo hunter2 > /dev/null; exit 3'], status: ['true'] }
    const { result, stdout } = await ask({ manager: 'command', ...words, state: 'stopped' })
    expect(result.msg).toBe("sh failed with exit status 3. Check the service's log, then run it again.")
    expect(stdout).not.toContain('hunter2')
  })

  test.concurrent.for([
    ['126', script('exit 126')],
    ['127', script('exit 127')],
    ['a program that is not there, by a shell', script('/no/such/program')],
    ['a file that cannot be executed, by a shell', script('/etc/os-release')],
    ['a signal', script('kill -9 $$')],
    ['a program that is not there', ['/no/such/program']],
    ['a file that cannot be executed', ['/etc/os-release']],
    ['a folder', ['/etc']],
    ['a script whose interpreter is not there', ['BAD']],
  ] as const)('a status of %s is an error, not a stopped service', async ([, status], { site: { ask, record } }) => {
    const bad = join(record, 'bad')
    writeFileSync(bad, '#!/no/such/interpreter\n', { mode: 0o755 })
    const start = ['touch', join(record, 'second')]
    const words = { start, stop: ['true'], status: status.map((word) => (word === 'BAD' ? bad : word)) }
    for (const state of ['stopped', 'started']) {
      const { result } = await ask({ manager: 'command', ...words, state })
      expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'service_control_failed' } })
    }
    expect(existsSync(join(record, 'second'))).toBe(false)
  })

  test('a signal ends the wait for a service that does not stop, at once', async () => {
    const words = { start: ['true'], stop: ['true'], status: ['true'] }
    const wanted = { manager: 'command' as const, name: undefined, state: 'stopped' as const, timeout: 60, ...words }
    const abort = new AbortController()
    const manager = openManager(wanted, { signal: abort.signal, scrub: (text) => text })
    const stopped = manager.stop()
    setTimeout(() => abort.abort(), 250)
    const start = performance.now()
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    expect(performance.now() - start).toBeLessThan(400)
  })
})

test.concurrent('auto is systemd where it runs, else sysv', async ({ site: { has, calls, ask } }) => {
  has('state', 'started')
  const { result } = await ask({ state: 'stopped' })
  const manager = existsSync('/run/systemd/system') ? 'systemd' : 'sysv'
  expect(result.backends[0]?.service).toMatchObject({ manager, state: 'stopped' })
  expect(calls()).toContainEqual(
    expect.stringMatching(manager === 'systemd' ? /^systemctl is-active / : /^service .+ status$/),
  )
})
