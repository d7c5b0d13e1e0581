import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import requestSchema from '../../schemas/request.schema.json' with { type: 'json' }
import { PYTHON } from '../peers/install.js'
import { agent, EXECUTABLE } from '../support/agent.js'
import { ansible } from '../support/ansible.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, mariaDb, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'

const { missing, folder } = inject('peers')
const examples = new URL('../../docs/examples/', import.meta.url).pathname
const read = (name: string) => readFileSync(join(examples, name), 'utf8')

/** A folder to put on PATH, with the executable under its name. */
const bin = mkdtempSync(join(folder, 'bin-'))
symlinkSync(EXECUTABLE, join(bin, 'cinder-backend'))
const PATH = `${bin}:${process.env['PATH']}`

const NORMAL = { disabled: 0, disabled_reason: null, replication_status: 'enabled', active_backend_id: null }

test.each(
  readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ya?ml|sls|json)$/.test(name)),
)('%s parses', (name) => {
  expect(parse(read(name))).toBeTypeOf('object')
})

describe.skipIf(missing.ansible !== null)(
  missing.ansible === null ? 'Ansible' : `Ansible (skipped: ${missing.ansible})`,
  () => {
    describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
      let database: TestDatabase
      beforeEach(async () => {
        database = await mariaDb.create()
      })
      afterEach(() => database.close())

      const play = (name: string, inventory: string, ...args: string[]) =>
        ansible('ansible-playbook', [
          '-i',
          inventory,
          '-c',
          'local',
          '-e',
          `cinder_connection=${database.connection}`,
          ...args,
          join(examples, 'ansible', name),
        ])
      const state = async () =>
        (await database.rows('services')).map(
          ({ disabled, disabled_reason, replication_status, active_backend_id, frozen }) => ({
            disabled,
            disabled_reason,
            replication_status,
            active_backend_id,
            frozen,
          }),
        )

      test('reset-and-enable.yml: changed, then not', async () => {
        await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
        const first = play('reset-and-enable.yml', 'localhost,', '-e', 'backend=vol1@arrayA')
        expect(first.output).toMatch(/changed=1 .*failed=0/)
        expect(await state()).toEqual([{ ...NORMAL, frozen: 0 }])
        expect(play('reset-and-enable.yml', 'localhost,', '-e', 'backend=vol1@arrayA').output).toMatch(
          /changed=0 .*failed=0/,
        )
      })

      test('fleet.yml: settles all that may be settled, tells what was left, and then is quiet', async () => {
        await database.execute(
          service(1, 'vol1@arrayA', FAILED_OVER) +
            service(2, 'vol1@nfs', FAILED_OVER) +
            service(3, 'vol2@arrayA', { ...FAILED_OVER, frozen: 0 }),
        )
        const inventory = join(examples, 'ansible/fleet-inventory.yml')
        const first = play('fleet.yml', inventory)
        expect(first.output).toMatch(/vol1 .*changed=1 .*failed=0/)
        expect(first.output).toMatch(/vol2@arrayA is not frozen/)
        expect(await state()).toEqual([
          { ...NORMAL, frozen: 1 },
          { ...NORMAL, replication_status: 'disabled', frozen: 1 },
          { ...FAILED_OVER, frozen: 0 },
        ])
        expect(play('fleet.yml', inventory).output).toMatch(/vol1 .*changed=0 .*failed=0/)
      })

      test('promote-config.yml: file and row changed, then not, with no secret in the output', async () => {
        await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
        const file = confFile(PURE)
        const args = ['-e', `backend=vol1@arrayA cinder_conf=${file} array_c_token=s3cr3t-C`, '--diff', '-vvv']
        const inventory = join(folder, 'one-volume.yml')
        writeFileSync(inventory, '{"cinder_volume": {"hosts": {"localhost": {}}}}')
        const first = play('promote-config.yml', inventory, ...args)
        expect(first.output).toMatch(/changed=1 .*failed=0/)
        expect(first.output).toContain('+san_ip = 10.0.0.2\n')
        expect(first.output).not.toContain('s3cr3t')
        expect(readFileSync(file, 'utf8')).toContain(
          'san_ip = 10.0.0.2\npure_api_token = s3cr3t-B\nreplication_device = backend_id:arrayC,',
        )
        expect(await state()).toEqual([{ ...NORMAL, frozen: 1 }])
        expect(play('promote-config.yml', inventory, ...args).output).toMatch(/changed=0 .*failed=0/)
      })

      const root = process.getuid?.() === 0
      test.skipIf(!root)(
        `active-active.yml: stops every member, resets once, starts them all${root ? '' : ' (skipped: init scripts need root)'}`,
        async () => {
          const cluster = { cluster_name: 'cluster1@arrayA' }
          await database.execute(
            insert('clusters', {
              id: 1,
              name: 'cluster1@arrayA',
              binary: 'cinder-volume',
              deleted: 0,
              race_preventer: 0,
              ...FAILED_OVER,
              frozen: 0,
            }),
          )
          await database.execute(
            [1, 2].map((id) => service(id, `vol${id}@arrayA`, { ...FAILED_OVER, ...cluster, frozen: 0 })).join(''),
          )
          const log = join(folder, 'services.log')
          const names = [1, 2].map((id) => `cinder-backend-test-${process.pid}-${id}`)
          writeFileSync(log, '')
          for (const name of names) fakeService(name, log)
          try {
            const inventory = join(folder, 'members.yml')
            const hosts = Object.fromEntries(
              names.map((name, index) => [`vol${index + 1}`, { cinder_volume_service: name }]),
            )
            writeFileSync(inventory, JSON.stringify({ cinder_volume: { hosts } }))
            const args = [
              '-i',
              inventory,
              '-c',
              'local',
              '-e',
              `cinder_connection=${database.connection} cluster=cluster1@arrayA`,
              join(examples, 'ansible/active-active.yml'),
            ]
            const first = ansible('ansible-playbook', args)
            expect(first.output).toMatch(/failed=0/)
            expect(first.status).toBe(0)
            expect(
              readFileSync(log, 'utf8')
                .trim()
                .split('\n')
                .map((line) => line.split(' ')[1]),
            ).toEqual(['stop', 'stop', 'start', 'start'])
            expect(await state()).toEqual([
              { ...NORMAL, frozen: 0 },
              { ...NORMAL, frozen: 0 },
            ])
            expect((await database.rows('clusters'))[0]).toMatchObject({ ...NORMAL, frozen: 0 })
            const second = ansible('ansible-playbook', args)
            expect(second.output).not.toMatch(/changed=[1-9]/)
          } finally {
            for (const name of names) rmSync(`/etc/init.d/${name}`)
          }
        },
      )
    })
  },
)

/** An init script, as a real executable that remembers what it was told; it runs at first. */
function fakeService(name: string, log: string): void {
  const state = join(folder, `${name}.running`)
  writeFileSync(state, '')
  writeFileSync(
    `/etc/init.d/${name}`,
    `#!/bin/sh
### BEGIN INIT INFO
# Provides: ${name}
# Default-Start: 2
### END INIT INFO
case "$1" in
  status) if [ -e ${state} ]; then echo "${name} is running"; exit 0; fi; echo "${name} is stopped"; exit 3 ;;
  stop) rm -f ${state}; echo "${name} stop" >> ${log} ;;
  start) touch ${state}; echo "${name} start" >> ${log} ;;
esac
`,
  )
  chmodSync(`/etc/init.d/${name}`, 0o755)
}

describe('with an SQLite database in the environment', () => {
  let database: TestDatabase
  let env: NodeJS.ProcessEnv
  beforeEach(async () => {
    database = await embedded.create()
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    env = { ...process.env, PATH, OS_DATABASE__CONNECTION: database.connection }
  })
  afterEach(() => database.close())

  const shell = (command: string, input = '', cwd = folder) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { input, env, cwd })
    return { status, stdout: stdout.toString(), output: `${stdout}${stderr}` }
  }

  test('Salt: the state is read as Salt reads it, with test=True, for real, and again', async () => {
    interface Salt {
      readonly [id: string]: {
        readonly 'cmd.run': readonly [
          { name: string },
          { stdin: string },
          { stateful: readonly [{ test_name: string }] },
        ]
      }
    }
    const [state] = Object.values(parse(read('salt/cinder_backend.sls')) as Salt)
    const [{ name }, { stdin }, { stateful }] = state?.['cmd.run'] ?? [
      { name: '' },
      { stdin: '' },
      { stateful: [{ test_name: '' }] },
    ]
    const run = (command: string) => {
      const { status, stdout } = shell(command, stdin)
      const reading = execFileSync(PYTHON, [new URL('../peers/judge-salt.py', import.meta.url).pathname], {
        input: stdout,
      })
      return { status, ...JSON.parse(reading.toString()) }
    }
    const changes = { 'vol1@arrayA': { old: { active_backend_id: 'arrayB' }, new: { active_backend_id: null } } }
    expect(run(stateful[0].test_name)).toMatchObject({ status: 0, changes })
    expect(run(name)).toMatchObject({ status: 0, comment: expect.stringContaining('active backend reset'), changes })
    expect(run(name)).toEqual({ status: 0, comment: 'Nothing to change: vol1@arrayA', changes: {} })
    await database.execute("UPDATE services SET active_backend_id = 'arrayB', frozen = 0")
    expect(run(name)).toMatchObject({ status: 1, comment: expect.stringContaining('not frozen'), changes: {} })
  })

  test('Bolt: the task keeps its contract: noop, success and _error', async () => {
    const metadata = JSON.parse(read('bolt/tasks/settle.json'))
    expect(metadata).toMatchObject({
      input_method: 'stdin',
      supports_noop: true,
      parameters: { connection: { sensitive: true } },
    })
    const { check_mode, diff, ...options } = requestSchema.properties
    expect(Object.keys(metadata.parameters).sort()).toEqual(Object.keys(options).sort())
    const run = (parameters: object) => {
      const { status, stdout, stderr } = spawnSync(join(examples, 'bolt/tasks/settle.sh'), {
        input: JSON.stringify({ ...parameters, _task: 'cinder::settle', _installdir: '/tmp' }),
        env,
      })
      expect(stderr.toString()).toBe('')
      return { status, ...JSON.parse(stdout.toString()) }
    }
    const request = { host: 'vol1@arrayA', active_backend: 'reset', replication: null }
    expect(run({ ...request, _noop: true })).toMatchObject({ status: 0, changed: true })
    expect((await database.rows('services'))[0]).toMatchObject(FAILED_OVER)
    expect(run({ ...request, _noop: false })).toMatchObject({ status: 0, changed: true })
    expect(run(request)).toMatchObject({ status: 0, changed: false })
    expect(run({ host: 'vol2@arrayA' })).toMatchObject({
      status: 1,
      _error: {
        kind: 'cinder-backend/service_not_found',
        msg: expect.stringContaining('vol2@arrayA'),
        details: { code: 'service_not_found' },
      },
    })
  })

  test('CI: the job tells drift (2), no drift (0) and failure (1)', async () => {
    const [script] = parse(read('ci/drift.gitlab-ci.yml'))['cinder-drift'].script
    const project = mkdtempSync(join(folder, 'drift-'))
    mkdirSync(join(project, 'cinder'))
    writeFileSync(join(project, 'cinder/vol1.json'), '{"host": "vol1@arrayA", "active_backend": "reset"}')
    const drift = () =>
      shell(
        `set -e
${script}`,
        '',
        project,
      ).status
    expect(drift()).toBe(2)
    await agent({ host: 'vol1@arrayA', active_backend: 'reset' }, { env })
    expect(drift()).toBe(0)
    writeFileSync(join(project, 'cinder/wrong.json'), '{"hots": "vol1@arrayA"}')
    expect(drift()).toBe(1)
  })

  describe.skipIf(missing.puppet !== null)(
    missing.puppet === null ? 'Puppet' : `Puppet (skipped: ${missing.puppet})`,
    () => {
      test('applies once, then is quiet, and fails where the agent refuses', async () => {
        const home = mkdtempSync(join(folder, 'puppet-'))
        const manifest = join(home, 'site.pp')
        copyFileSync(join(examples, 'puppet/cinder_backend.pp'), manifest)
        writeFileSync(
          manifest,
          read('puppet/cinder_backend.pp')
            .replace('/etc/cinder-backend', home)
            .replace(
              "['/usr/local/bin',",
              `['${bin}', '${process.execPath.replace(/\/node$/, '')}', '/usr/local/bin',`,
            ),
        )
        const apply = (...args: string[]) => {
          const { status, stdout, stderr } = spawnSync(
            'puppet',
            ['apply', '--detailed-exitcodes', `--vardir=${home}/var`, `--confdir=${home}/conf`, ...args, manifest],
            { env },
          )
          return { status, output: `${stdout}${stderr}` }
        }
        expect(apply('--noop').output).toMatch(/cinder-backend vol1@arrayA.+noop/)
        expect((await database.rows('services'))[0]).toMatchObject(FAILED_OVER)
        expect(apply()).toMatchObject({
          status: 2,
          output: expect.stringMatching(/Exec\[cinder-backend vol1@arrayA\].+executed successfully/),
        })
        expect((await database.rows('services'))[0]).toMatchObject(NORMAL)
        expect(apply()).toMatchObject({ status: 0, output: expect.not.stringContaining('Exec[') })
        await database.execute("UPDATE services SET active_backend_id = 'arrayB', frozen = 0")
        const refused = apply()
        expect(refused.status).not.toBe(0)
        expect(refused.output).toContain('not frozen')
      })
    },
  )
})
