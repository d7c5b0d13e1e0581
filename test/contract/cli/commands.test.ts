import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { COMMANDS } from '../../../src/frontends/cli/commands.js'
import { EXECUTABLE, valid } from '../../support/agent.js'
import { shell, startShell } from '../../support/command.js'
import { embedded, engines, type TestDatabase, titled } from '../../support/databases.js'
import { SECTION, seed } from '../../support/fleet.js'

const { folder } = inject('peers')

const fingerprint = async (database: TestDatabase) =>
  createHash('sha256')
    .update(JSON.stringify([await database.rows('services'), await database.rows('clusters')]))
    .digest('hex')

describe.each(engines)('$name', (engine) => {
  describe.skipIf(engine.missing !== null)(titled(engine), () => {
    let database: TestDatabase
    beforeEach(async () => {
      database = await engine.create()
      await seed(database)
    })
    afterEach(() => database.close())
    const run = (line: string, input = '') =>
      shell(`cinder-backend ${line}`, { connection: database.connection, input })
    /** For what is only shown one engine is enough. */
    const testOnce = (name: string, body: () => void | Promise<void>) => {
      if (engine.name === embedded.name) test(name, body)
    }
    const first = async () => (await database.rows('services'))[0]

    test('list tells of every backend, and with --failed-over of those alone', () => {
      const { status, stdout, stderr } = run('list')
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const [heading, cluster, member, one, two, ...more] = stdout.trimEnd().split('\n')
      expect(more).toEqual([])
      expect(heading).toMatch(/^BACKEND +HEARTBEAT +SERVICE +FROZEN +REPLICATION +RUNS ON$/)
      expect(cluster).toMatch(/^c1@arrayA \(cluster\) +down, \d+ days +enabled +no +enabled +primary$/)
      expect(member).toMatch(/^ {2}vol3@arrayA +down/)
      expect(one).toMatch(/^vol1@arrayA ! +down, \d+ days +disabled \(failed-over\) +yes +failed-over +arrayB$/)
      expect(two).toMatch(/^vol2@arrayA /)
      expect(run('list --failed-over').stdout.split('\n')).toHaveLength(3)
      const json = run('list --failed-over --json')
      const few = valid(JSON.parse(json.stdout))
      expect(few.backends.map(({ host }) => host)).toEqual(['vol1@arrayA'])
      expect(few.msg).toBe('1 of 3 backends are failed over')
      expect(run('list --cluster').stdout.split('\n')).toHaveLength(4)
    })

    for (const [line, names] of [
      ['list --names', 'vol3@arrayA\nvol1@arrayA\nvol2@arrayA\n'],
      ['list --names --failed-over', 'vol1@arrayA\n'],
      ['list --names --cluster', 'c1@arrayA\n'],
    ] as const)
      testOnce(`${line}, for a loop in a shell`, () => {
        expect(run(line)).toEqual({ status: 0, stdout: names, stderr: '' })
      })

    testOnce('show tells of those that are named, clusters too, with all that there is', async () => {
      const reason = 'the third shelf is taken out by Mike on Tuesday, and by nobody else'
      await database.execute(`UPDATE services SET disabled = 1, disabled_reason = '${reason}' WHERE id = 2`)
      const { stdout } = run('show vol1@arrayA vol2@arrayA vol1@arrayA')
      expect(stdout.match(/vol1@arrayA/g)).toHaveLength(1)
      expect(stdout).toMatch(
        /^vol1@arrayA !\n {2}heartbeat: {3}down, \d+ days\n {2}service: {5}disabled \(failed-over\)$/m,
      )
      expect(stdout).toContain(`vol2@arrayA\n`)
      expect(stdout).toContain(`disabled (${reason})`)
      expect(run('show --cluster c1@arrayA').stdout).toMatch(/^c1@arrayA/m)
    })

    testOnce('a cluster is failed over where a member is', async () => {
      await database.execute("UPDATE services SET replication_status = 'failed-over' WHERE id = 3")
      expect(run('list').stdout).toMatch(/^c1@arrayA \(cluster\) ! /m)
    })

    testOnce('a reset of what failed in the middle of a failover tells so', async () => {
      await database.execute("UPDATE services SET replication_status = 'failover-error' WHERE id = 1")
      expect(run('reset-active-backend vol1@arrayA --check').stdout).toMatch(
        /Warning: .*volumes may be on either array/,
      )
    })

    testOnce('a change names the cluster if the command names a member', () => {
      const { stdout } = run('freeze vol3@arrayA --check')
      expect(stdout).toMatch(/^c1@arrayA \(the cluster of vol3@arrayA, /m)
      expect(stdout).toContain('cluster-enable')
    })

    testOnce('promote refuses a member of a cluster', () => {
      const conf = join(mkdtempSync(join(folder, 'promote-')), 'cinder.conf')
      writeFileSync(conf, `${SECTION}[database]\nconnection = ${database.connection.replaceAll('$', '$$')}\n`)
      const line = `promote vol3@arrayA --to arrayB --without-replica --config-file ${conf} --yes`
      const { status, stderr } = run(line)
      expect(status).toBe(1)
      expect(stderr).toContain('(invalid_request)')
    })

    testOnce('promote says of a failover that ended in an error what it is, as list does', async () => {
      await database.execute(
        "UPDATE services SET replication_status = 'failover-error', active_backend_id = NULL WHERE id = 1",
      )
      const conf = join(mkdtempSync(join(folder, 'promote-')), 'cinder.conf')
      writeFileSync(conf, `${SECTION}[database]\nconnection = ${database.connection.replaceAll('$', '$$')}\n`)
      const { status, stderr } = run(`promote vol1@arrayA --to arrayB --without-replica --config-file ${conf} --yes`)
      expect(status).toBe(1)
      expect(stderr).toContain('(not_failed_over)')
      expect(stderr).toContain('ended in an error')
      expect(stderr).not.toContain('is not failed over')
      expect(run('list --failed-over --names').stdout).toContain('vol1@arrayA')
    })

    test.each([
      ['reset-active-backend vol1@arrayA', { active_backend_id: null, replication_status: 'disabled', disabled: 0 }],
      ['replication-disable vol1@arrayA --force', { replication_status: 'disabled' }],
      ['replication-enable vol1@arrayA --force', { replication_status: 'enabled' }],
      ['thaw vol1@arrayA --force', { frozen: 0, disabled: 0 }],
    ])('%s: checked, not done without --yes, done, done already, and undone', async (line, columns) => {
      const before = await fingerprint(database)
      expect(run(`${line} --check`)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/→[\s\S]*This was a check: nothing was changed\.\n$/),
      })
      const unasked = run(line)
      expect(unasked).toMatchObject({ status: 1, stdout: '' })
      expect(unasked.stderr).toMatch(/^Error: .*no terminal.*\n +Use --yes/)
      expect(await fingerprint(database)).toBe(before)
      const done = run(`${line} --yes --json --detailed-exitcode`)
      expect(done.status).toBe(2)
      expect(await first()).toMatchObject(columns)
      expect(run(`${line} --detailed-exitcode`)).toMatchObject({ status: 0, stderr: '' })
      expect(run(`undo - --yes`, done.stdout)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('✓ restore the row'),
      })
      expect(await fingerprint(database)).toBe(before)
      expect(run('undo - -y', done.stdout)).toMatchObject({ status: 0, stdout: 'Nothing to change: vol1@arrayA\n' })
    })

    testOnce(
      'a hint is said in options to whoever typed a command, and in keys to whoever wrote a request',
      async () => {
        await database.execute('UPDATE services SET frozen = 1, updated_at = CURRENT_TIMESTAMP WHERE id = 1')
        expect(run('reset-active-backend vol1@arrayA --yes').stderr).toMatch(/ --wait\.\n/)
        expect(JSON.parse(run('reset-active-backend vol1@arrayA --yes --json').stdout)).toMatchObject({
          msg: expect.stringMatching(/ --wait\.$/),
          error: { hint: expect.stringMatching(/ --wait\.$/) },
        })
        const request = '{"host": "vol1@arrayA", "active_backend": "reset"}'
        expect(run('apply - --yes', request).stderr).toMatch(/ wait: true\.\n/)
        expect(run('reset-active-backend --cluster vol1@arrayA').stderr).toMatch(/ host[:,].* --cluster\./)
      },
    )

    testOnce('--wait-timeout waits that long', async () => {
      await database.execute("UPDATE services SET frozen = 1, updated_at = '2099-01-01 00:00:00' WHERE id = 1")
      const { status, stderr } = run('reset-active-backend vol1@arrayA --yes --wait-timeout 1')
      expect(status).toBe(1)
      expect(stderr).toMatch(/was not seen down within 1 s[\s\S]*\(timeout\)/)
      expect(run('list --timeout soon').stderr).toMatch(/timeout must be a whole number, not "soon"\./)
    })

    test.each<[string, object]>([
      [
        'a whole promotion of the row',
        { host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled', frozen: false, promoted: 'arrayB' },
      ],
      ['a cluster with its members', { cluster: 'c1@arrayA', frozen: true, replication: 'disabled' }],
      [
        'columns by force',
        { host: 'vol2@arrayA', active_backend_id: 'arrayZ', replication_status: 'error', force: true },
      ],
      [
        'several backends',
        { backends: [{ host: 'vol1@arrayA', active_backend: 'reset' }, { host: 'vol2@arrayA' }], frozen: true },
      ],
    ])('%s is undone, and the undoing too', async (_, request) => {
      const before = await fingerprint(database)
      const done = run('apply - --yes --json', JSON.stringify(request))
      expect(JSON.parse(done.stdout)).toMatchObject({ changed: true, failed: false })
      const between = await fingerprint(database)
      expect(between).not.toBe(before)
      const undone = run('undo - --yes --json', done.stdout)
      expect(JSON.parse(undone.stdout)).toMatchObject({ changed: true, failed: false })
      expect(await fingerprint(database)).toBe(before)
      expect(run('undo - --yes', undone.stdout).status).toBe(0)
      expect(await fingerprint(database)).toBe(between)
    })

    test('freeze, of several at once, is undone, but not where somebody has changed it since', async () => {
      const before = await fingerprint(database)
      const done = run('freeze vol2@arrayA vol3@arrayA --yes --json')
      expect(JSON.parse(done.stdout).undo.restore).toHaveLength(3)
      const file = join(mkdtempSync(join(folder, 'undo-')), 'result.json')
      writeFileSync(file, done.stdout)
      expect(run(`undo ${file} --yes`).status).toBe(0)
      expect(await fingerprint(database)).toBe(before)
      const again = run('freeze vol2@arrayA --yes --json')
      await database.execute("UPDATE services SET replication_status = 'error' WHERE id = 2")
      const refused = run('undo - --yes', again.stdout)
      expect(refused).toMatchObject({ status: 1, stdout: '' })
      expect(refused.stderr).toMatch(
        /replication_status: .*"enabled".*"error"[\s\S]*the other commands[\s\S]*\(conflict\)/,
      )
    })

    test('promote edits the section and resets the row; apply does it from a file of YAML', async () => {
      const conf = join(mkdtempSync(join(folder, 'promote-')), 'cinder.conf')
      writeFileSync(conf, `${SECTION}[database]\nconnection = ${database.connection.replaceAll('$', '$$')}\n`)
      const line = `promote vol1@arrayA --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 api_token=token-of-C --config-file ${conf}`
      const check = run(`${line} --check --diff`)
      expect(check.stdout).toContain('• change cinder.conf: san_ip, pure_api_token, replication_device')
      expect(check.stdout).toContain('+ san_ip = 192.0.2.2')
      expect(check.stdout).not.toContain('token-of')
      const done = run(`${line} --yes --json`)
      expect(done).toMatchObject({ status: 0, stderr: '' })
      expect(run('undo - --check', done.stdout).stdout).toMatch(
        /Warning: .* not .*cinder.conf.* backup is .*cinder.conf\..*~/,
      )
      expect(readFileSync(conf, 'utf8')).toContain(
        'replication_device = backend_id:arrayC,san_ip:192.0.2.3,api_token:token-of-C',
      )
      // No service: cinder-volume was not seen to start.
      expect(await first()).toMatchObject({ active_backend_id: null, replication_status: 'enabled', frozen: 1 })
      const yaml = join(mkdtempSync(join(folder, 'apply-')), 'request.yml')
      writeFileSync(yaml, 'host: vol1@arrayA\nactive_backend: reset\nfrozen: true\n')
      expect(run(`apply ${yaml} --yes`)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('Nothing to change'),
      })
      expect(run('apply - --yes', '{"host": "vol1@arrayA", "frozen": false}').status).toBe(0)
      expect(run(`${line} --yes`)).toEqual({ status: 0, stdout: 'Nothing to change: vol1@arrayA\n', stderr: '' })
    })

    testOnce(
      'promote refuses where nobody has the settings of the replica, and goes on where that is stated',
      async () => {
        const conf = join(mkdtempSync(join(folder, 'promote-')), 'cinder.conf')
        const where = `[database]\nconnection = ${database.connection.replaceAll('$', '$$')}\n`
        writeFileSync(conf, `${SECTION.replace('backend_id:arrayB', 'backend_id:arrayX')}${where}`)
        const promote = (host: string) =>
          run(
            `promote ${host} --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 api_token=t --config-file ${conf} --check`,
          )
        expect(promote('vol1@arrayA').stderr).toMatch(/vol1@arrayA is failed over to arrayB[\s\S]*\(not_promoted\)/)
        expect(promote('vol2@arrayA').stderr).toMatch(/vol2@arrayA is not failed over[\s\S]*\(not_failed_over\)/)
        writeFileSync(
          conf,
          `${SECTION.replace(/replication_device.*/, 'replication_device = backend_id:arrayC,san_ip:192.0.2.33,api_token:t')}${where}`,
        )
        expect(promote('vol1@arrayA').stderr).toMatch(/--promoted[\s\S]*\(not_promoted\)/)
        expect(promote('vol1@arrayA --promoted arrayB').stdout).toMatch(
          /change cinder.conf: replication_device[\s\S]*reset the active backend/,
        )
      },
    )

    testOnce('promote does not go on from a look that failed', () => {
      const line = `promote vol1@nowhere --to arrayB --without-replica --yes`
      expect(run(line)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('(service_not_found)') })
    })

    testOnce('a reset is refused where a section still has the old array, and its hint names the option', () => {
      const conf = join(mkdtempSync(join(folder, 'reset-')), 'cinder.conf')
      writeFileSync(conf, SECTION)
      const reset = (more = '') =>
        run(`reset-active-backend vol1@arrayA vol2@arrayA --check --config-file ${conf} ${more}`)
      expect(reset().stderr).toMatch(/\[arrayA\] still has arrayB as a replica[\s\S]*\(not_promoted\)/)
      expect(reset('--promoted arrayB').stderr).toContain('(not_promoted)')
      writeFileSync(conf, SECTION.replace('backend_id:arrayB', 'backend_id:arrayX'))
      expect(reset().stdout).toMatch(/Warning: .*arrayB[\s\S]*--promoted/)
      expect(reset('--promoted arrayB').stdout).not.toContain('Warning')
      expect(reset('--promoted arrayX').stderr).toContain('(not_promoted)')
    })

    testOnce('a thaw tells what an admin had disabled', async () => {
      await database.execute(
        "UPDATE services SET disabled = 1, disabled_reason = 'ticket 4711', frozen = 1 WHERE id = 2",
      )
      expect(run('thaw vol2@arrayA --check').stdout).toMatch(
        /Warning: Thawing vol2@arrayA enables it, though it was disabled for another reason: ticket 4711/,
      )
      await database.execute('UPDATE services SET disabled_reason = NULL WHERE id = 2')
      expect(run('thaw vol2@arrayA --check').stdout).toContain('another reason: none was given')
      await database.execute(
        "UPDATE clusters SET frozen = 1, disabled = 1, disabled_reason = 'frozen'; UPDATE services SET disabled = 1, disabled_reason = 'disk swap' WHERE id = 3",
      )
      expect(run('thaw c1@arrayA --cluster --check').stdout).not.toContain('Warning')
    })

    testOnce('apply keeps to the check mode that the file asks for', async () => {
      const done = run('apply - --yes', '{"host": "vol2@arrayA", "frozen": true, "check_mode": "yes"}')
      expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('• freeze the backend') })
      expect((await database.rows('services'))[1]).toMatchObject({ frozen: 0 })
    })

    testOnce('--save keeps the way back in a new file, and never over another', async () => {
      const before = await fingerprint(database)
      const file = join(mkdtempSync(join(folder, 'save-')), 'result.json')
      const done = run(`freeze vol2@arrayA --yes --save ${file}`)
      expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining(`undo ${file}\n`) })
      expect(run(`freeze vol2@arrayA --yes --save ${file}`).stdout).toBe('Nothing to change: vol2@arrayA\n')
      const second = run(`thaw vol2@arrayA --yes --save ${file}`)
      expect(second.stdout).toContain(`undo ${file}.1\n`)
      expect(run(`undo ${file}.1 --yes`).status).toBe(0)
      expect(run(`undo ${file} --yes`).status).toBe(0)
      expect(await fingerprint(database)).toBe(before)
      writeFileSync(`${file} of a killed run`, '')
      const kept = run(`freeze vol2@arrayA --yes --save '${file} of a killed run' --connection ${database.connection}`)
      expect(kept.stdout).toContain(`undo '${file} of a killed run' --connection ...\n`)
      expect(run(`undo '${file} of a killed run' --yes`).status).toBe(0)
      expect(run(`thaw vol2@arrayA --yes --save ${file}2`).stdout).toBe('Nothing to change: vol2@arrayA\n')
      expect(existsSync(`${file}2`)).toBe(false)
    })

    test('undo waits for the heartbeat of what is put back onto another array', async () => {
      const done = run('reset-active-backend vol1@arrayA --yes --json')
      const { undo } = JSON.parse(done.stdout)
      await database.execute('UPDATE services SET updated_at = CURRENT_TIMESTAMP WHERE id = 1')
      expect(run('apply - --yes', JSON.stringify(undo)).stderr).toContain('(service_up)')
      const request = JSON.stringify({ ...undo, service_down_time: 3 })
      const line = 'OS_DEFAULT__REPORT_INTERVAL=1 cinder-backend apply - --yes --wait'
      const waited = shell(line, { connection: database.connection, input: request })
      expect(waited).toMatchObject({ status: 0, stderr: '' })
      expect(await first()).toMatchObject({ active_backend_id: 'arrayB' })
    })
  })
})

describe('mistakes', () => {
  const run = (line: string) => startShell(line, { connection: 'sqlite:////nowhere/cinder.sqlite' })

  test.concurrent.each([
    ['cinder-backend shwo', /Unknown command: shwo\.\n +Did you mean show\?/],
    [
      'cinder-backend promote --to b --replica backend_id=c vol1@a',
      /Missing argument: HOST\.\n +Write it before --replica/,
    ],
    ['cinder-backend freeze', /Missing argument: HOST\./],
    ['cinder-backend freeze vol1@a --jsn', /Unknown option: --jsn\.\n +Did you mean --json\?/],
    ['cinder-backend thaw vol1@a --reason x', /Unknown option: --reason\.\n +See cinder-backend thaw --help/],
    ['cinder-backend promote vol1@a', /promote needs --to/],
    ['cinder-backend promote vol1@a --to b', /either --replica or --without-replica/],
    ['cinder-backend promote vol1@a --to b --replica san_ip=192.0.2.3', /--replica has no backend_id/],
    ['cinder-backend promote vol1@a --to b --without-replica --set replication_device=x', /Use --replica/],
    ['cinder-backend promote vol1@a --to b --without-replica --service command', /one of auto, systemd/],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c san_ip=1 san_ip=2', /has san_ip twice/],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c san_ip=', /no value for san_ip/],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c,san_ip=1', /no commas/],
    ['cinder-backend promote vol1@a --to --check', /Missing value: --to/],
    ['cinder-backend promote vol1@a --to b --without-replica --set secret', /KEY=VALUE/],
    ['cinder-backend apply /nowhere.yml', /\/nowhere\.yml does not exist/],
    ['cinder-backend schema answer', /request or result/],
    ['cinder-backend completion tcsh', /bash, zsh or fish/],
    ['echo "{}" | cinder-backend undo -', /no undo/],
    ["printf 'host: *secret\\n' | cinder-backend apply - --verbose", /alias/],
    ['cinder-backend freeze vol1@a --yes --save -', /--save needs the name of a file/],
    ["cinder-backend freeze vol1@a --yes --save ''", /--save needs the name of a file/],
    ['cinder-backend freeze vol1@a --yes --save /nowhere/f', /cannot be created \(ENOENT\)/],
    ['echo "{}" | setsid -w cinder-backend undo -', /no undo/],
    ['echo "- a" | cinder-backend apply -', /Standard input does not hold one/],
    ['echo "{," | cinder-backend apply -', /line 1, column 2/],
    ['printf "host: a\\n b: :\\n" | cinder-backend apply -', /neither valid JSON nor valid YAML: [a-z ]+ \(line \d/],
    ['echo \'{"changed": true, "backends": []}\' | cinder-backend apply -', /a result, not a request\.\n +Use undo/],
    ['cinder-backend list', /\(connection_failed\)/],
  ])('%s', async (line, said) => {
    const { status, stdout, stderr } = await run(line)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: /)
    expect(stderr).toMatch(said)
    expect(stderr).not.toMatch(/secret|\bat .*:\d+/)
  })

  test.concurrent('options before the command are those of the command', async () => {
    const { stdout, status } = await run('cinder-backend --timeout 1 --json list')
    expect(status).toBe(1)
    expect(valid(JSON.parse(stdout)).error?.code).toBe('connection_failed')
    expect((await run('cinder-backend -h freeze')).stdout).toMatch(/^Usage: cinder-backend freeze/)
    expect(JSON.parse((await run('cinder-backend --format list')).stdout).msg).toMatch(/^--format must be one of/)
  })

  test.concurrent.each([
    '1',
    '[null, 1, "a", []]',
    '[{"config": null}]',
    '[{"config": {"file": 1, "options": ["a"]}}]',
  ])('undo takes no fact from a result with the backends %s', async (backends) => {
    const undo = '{"restore": []}'
    const { stderr } = await run(`echo '{"undo": ${undo}, "backends": ${backends}}' | cinder-backend undo - --yes`)
    expect(stderr).toContain('(invalid_request)')
  })

  test.concurrent('with --json are one JSON document', async () => {
    const { stdout, stderr } = await run('cinder-backend freeze --json')
    expect(stderr).toBe('')
    expect(valid(JSON.parse(stdout))).toMatchObject({ failed: true, error: { code: 'invalid_request' } })
  })
})

describe('help', () => {
  test.concurrent.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s has its options, and examples that work',
    async (name, command) => {
      const database = await embedded.create()
      await seed(database)
      const home = mkdtempSync(join(folder, 'help-'))
      writeFileSync(join(home, 'cinder.conf'), SECTION)
      // Those that edit it are of a host with its cinder.conf in the usual place, where there may be none here.
      const more = ['promote', 'apply'].includes(name) ? `--config-file '${join(home, 'cinder.conf')}'` : ''
      const agent = `#!/bin/sh\nexec ${EXECUTABLE} "$@" ${more}\n`
      writeFileSync(join(home, 'cinder-backend'), agent, { mode: 0o755 })
      const env = { PATH: `${home}:${process.env['PATH']}` }
      const options = { connection: database.connection, cwd: home, env }
      try {
        if (/^replication/.test(name))
          await startShell('cinder-backend reset-active-backend vol1@arrayA --yes', options)
        if (name === 'thaw')
          await startShell(
            'cinder-backend reset-active-backend vol1@arrayA --yes; cinder-backend freeze vol1@arrayA --yes',
            options,
          )
        const { stdout } = await startShell(`cinder-backend ${name} --help`, options)
        for (const { flags } of command.options) expect(stdout).toContain(flags.split(' ')[0])
        expect(command.examples.length).toBeGreaterThan(0)
        for (const { line, file } of command.examples) {
          expect(stdout).toContain(line)
          // There is no systemd here.
          if (file) writeFileSync(join(home, file.name), file.text.replace(/service:[\s\S]*/, ''))
          for (const each of file?.text.trimEnd().split('\n') ?? []) expect(stdout).toContain(each)
          const run = await startShell(line.replace(' --service systemd', ''), options)
          expect({ line, stderr: run.stderr, status: run.status }).toEqual({ line, stderr: '', status: 0 })
          expect(run.stdout).not.toBe('')
        }
      } finally {
        await database.close()
      }
    },
  )

  test.concurrent('names every command', async () => {
    const { stdout } = await startShell('cinder-backend --help', { connection: '' })
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'))
  })
})
