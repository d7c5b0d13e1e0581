import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import requestSchema from '../../schemas/request.schema.json' with { type: 'json' }
import { agent, EXECUTABLE } from '../support/agent.js'
import { ansible } from '../support/ansible.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, mariaDb, type TestDatabase, titled } from '../support/databases.js'
import { PYTHON } from '../support/peers/peers.js'
import { FAILED_OVER, service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

const { missing, folder } = inject('peers')
const examples = new URL('../../docs/examples', import.meta.url).pathname
const read = (name: string) => readFileSync(join(examples, name), 'utf8')

/** A folder to put on PATH, with the executable under its name. */
const bin = mkdtempSync(join(folder, 'bin-'))
symlinkSync(EXECUTABLE, join(bin, 'cinder-backend'))
const PATH = `${bin}:${process.env['PATH']}`

const skipped = missing.cinderVolume === null ? '' : ` (skipped: ${missing.cinderVolume})`

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

      test('reset-and-enable.yml: refused for another array, changed, then not', async () => {
        await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
        const reset = (replica: string) =>
          play('reset-and-enable.yml', 'localhost,', '-e', 'backend=vol1@arrayA', '-e', `replica=${replica}`).output
        expect(reset('arrayX')).toMatch(/not_promoted/)
        expect(await state()).toEqual([FAILED_OVER])
        expect(reset('arrayB')).toMatch(/changed=1 .*failed=0/)
        expect(await state()).toEqual([{ ...NORMAL, disabled: 1, disabled_reason: 'frozen', frozen: 1 }])
        expect(reset('arrayB')).toMatch(/changed=0 .*failed=0/)
      })

      test('fleet.yml: tells what differs and changes nothing, and is quiet once nothing does', async () => {
        await database.execute(
          service(1, 'vol1@arrayA', FAILED_OVER) +
            service(2, 'vol1@nfs', FAILED_OVER) +
            service(3, 'vol2@arrayA', { ...FAILED_OVER, frozen: 0 }),
        )
        const inventory = join(examples, 'ansible/fleet-inventory.yml')
        const before = await database.rows('services')
        const first = play('fleet.yml', inventory)
        expect(first.output).toMatch(/vol1 .*changed=1 .*failed=0/)
        expect(first.output).toMatch(/"Would change vol1@arrayA: /)
        expect(first.output).toMatch(/vol2@arrayA is not frozen/)
        expect(await database.rows('services')).toEqual(before)
        await database.execute(
          "UPDATE services SET disabled = 0, replication_status = 'enabled', active_backend_id = NULL;\nUPDATE services SET replication_status = 'disabled' WHERE id = 2;\n",
        )
        const second = play('fleet.yml', inventory)
        expect(second.output).toMatch(/vol1 .*changed=0 .*failed=0/)
        expect(second.output).not.toContain('Would change')
      })

      test.skipIf(missing.cinderVolume !== null)(
        `promote.yml: foretold, done, and settled, with no secret in the output${skipped}`,
        async () => {
          await database.close()
          database = await mariaDb.create(true)
          const volume = cinderVolume(database)
          const inventory = inventoryOf([volume])
          const variables = {
            backend: 'vol1@arrayA',
            replica: 'arrayB',
            new_primary: { san_ip: '192.0.2.2' },
            new_replicas: [{ backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 's3cr3t-C' }],
          }
          const args = ['-e', `@${varsFile(variables)}`]
          try {
            volume.start()
            await beating(database)
            await database.execute(FAIL_OVER)
            const check = play('promote.yml', inventory, ...args, '--check', '--diff', '-vvv')
            expect(check.output).toMatch(/changed=1 .*failed=0/)
            expect(check.output).toContain('Would change vol1@arrayA: frozen, cinder-volume stopped, san_ip')
            expect(check.output).toContain('+san_ip = 192.0.2.2')
            expect(check.output).not.toContain('s3cr3t')
            expect(volume.starts()).toHaveLength(1)

            const first = play('promote.yml', inventory, ...args, '--diff', '-vvv')
            expect(first.output).toMatch(/changed=1 .*failed=0/)
            expect(first.output).not.toContain('s3cr3t')
            expect(await state()).toEqual([{ ...NORMAL, frozen: 0 }])
            expect(volume.starts()[1]).toMatchObject({
              active_backend_id: null,
              san_ip: '192.0.2.2',
              replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 's3cr3t-C' }],
            })
            expect(play('promote.yml', inventory, ...args).output).toMatch(/changed=0 .*failed=0/)

            await database.execute(FAIL_OVER.replace('arrayB', 'arrayC'))
            expect(play('promote.yml', inventory, ...args).output).toMatch(/not_failed_over/)
            expect(volume.starts()).toHaveLength(2)
          } finally {
            volume.stop()
          }
        },
      )

      test.skipIf(missing.cinderVolume !== null)(
        `promote-cluster.yml: every member with its own file and service, one reset${skipped}`,
        async () => {
          await database.close()
          database = await mariaDb.create(true)
          const members = ['vol1', 'vol2'].map((host) => cinderVolume(database, { host, cluster: 'cluster1' }))
          const inventory = inventoryOf(members)
          const variables = {
            cluster: 'cluster1@arrayA',
            new_primary: { san_ip: '192.0.2.2' },
            new_replicas: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }],
          }
          const args = ['-e', `@${varsFile(variables)}`]
          try {
            for (const member of members) member.start()
            await beating(database, 2)
            await database.execute(FAIL_OVER)
            await database.execute(FAIL_OVER.replace('services', 'clusters'))
            const alone = play('promote-cluster.yml', inventory, ...args, '--forks', '1')
            expect(alone.output).toContain('so give --forks 2')

            const first = play('promote-cluster.yml', inventory, ...args)
            expect(first.output.match(/changed=1 .*failed=0/g)).toHaveLength(2)
            expect(await state()).toEqual([
              { ...NORMAL, frozen: 0 },
              { ...NORMAL, frozen: 0 },
            ])
            expect((await database.rows('clusters'))[0]).toMatchObject({ ...NORMAL, frozen: 0 })
            for (const member of members) {
              expect(member.starts()).toHaveLength(2)
              expect(member.starts()[1]).toMatchObject({ active_backend_id: null, san_ip: '192.0.2.2' })
            }
            const second = play('promote-cluster.yml', inventory, ...args)
            expect(second.output.match(/changed=0 .*failed=0/g)).toHaveLength(2)

            const again = FAIL_OVER.replace('arrayB', 'arrayC')
            await database.execute(again)
            await database.execute(again.replace('services', 'clusters'))
            const third = play('promote-cluster.yml', inventory, ...args)
            expect(third.output.match(/changed=0 .*failed=1/g)).toHaveLength(2)
            expect(third.output).toContain('not_promoted')
            for (const member of members) {
              expect(member.runs()).toBe(true)
              expect(member.starts()).toHaveLength(2)
            }
          } finally {
            for (const member of members) member.stop()
          }
        },
      )
    })
  },
)

function varsFile(variables: object): string {
  const path = join(mkdtempSync(join(folder, 'vars-')), 'vars.yml')
  writeFileSync(path, JSON.stringify(variables))
  return path
}

/** An inventory of hosts that are all this machine, each with a cinder.conf and a cinder-volume of its own. */
function inventoryOf(volumes: readonly ReturnType<typeof cinderVolume>[]): string {
  const hosts = Object.fromEntries(
    volumes.map(({ conf, service: manager }, index) => [
      `vol${index + 1}`,
      { cinder_conf: conf, cinder_service: manager },
    ]),
  )
  const path = join(mkdtempSync(join(folder, 'inventory-')), 'hosts.yml')
  writeFileSync(path, JSON.stringify({ cinder_volume: { hosts } }))
  return path
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

  const salt = 'Salt: the state is read as Salt reads it, with test=True, for real, and again'
  test.skipIf(missing.python !== null)(titled({ name: salt, missing: missing.python }), async () => {
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
    const on = join(mkdtempSync(join(folder, 'flag-')), 'on')
    const manager = { manager: 'command', start: ['touch', on], stop: ['rm', '-f', on], status: ['test', '-e', on] }
    const here = { config_file: confFile(PURE), service: manager, wait: false }
    const request = JSON.stringify({ ...JSON.parse(stdin), ...here })
    const run = (command: string) => {
      const { status, stdout } = shell(command, request)
      const reading = execFileSync(PYTHON, [new URL('../support/peers/judge-salt.py', import.meta.url).pathname], {
        input: stdout,
      })
      return { status, ...JSON.parse(reading.toString()) }
    }
    const changes = { 'vol1@arrayA': { old: { active_backend_id: 'arrayB' }, new: { active_backend_id: null } } }
    expect(run(stateful[0].test_name)).toMatchObject({ status: 0, changes })
    expect(run(name)).toMatchObject({ status: 0, comment: expect.stringContaining('active backend reset'), changes })
    expect(run(name)).toEqual({ status: 0, comment: 'Nothing to change: vol1@arrayA', changes: {} })
    expect(readFileSync(here.config_file, 'utf8')).toContain('san_ip = 10.0.0.2')
    await database.execute("UPDATE services SET active_backend_id = 'arrayC'")
    expect(run(name)).toMatchObject({ status: 1, comment: expect.stringContaining('arrayC'), changes: {} })
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
      test('tells what differs and changes nothing, is quiet once nothing does, and fails where the agent refuses', async () => {
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
        expect((await database.rows('services'))[0]).toMatchObject(FAILED_OVER)
        await database.execute(
          "UPDATE services SET disabled = 0, replication_status = 'enabled', active_backend_id = NULL",
        )
        expect(apply()).toMatchObject({ status: 0, output: expect.not.stringContaining('Exec[') })
        await database.execute("UPDATE services SET active_backend_id = 'arrayB', frozen = 0")
        const refused = apply()
        expect(refused.status).not.toBe(0)
        expect(refused.output).toContain('not frozen')
      })
    },
  )
})
