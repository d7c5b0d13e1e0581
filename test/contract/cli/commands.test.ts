import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { COMMANDS } from '../../../src/frontends/cli/commands.js'
import { manual } from '../../../src/frontends/cli/manual.js'
import { valid } from '../../support/agent.js'
import { atTerminal, shell } from '../../support/command.js'
import { embedded, engines, type TestDatabase, titled } from '../../support/databases.js'
import { FAILED_OVER, insert, service } from '../../support/rows.js'

const { folder, missing } = inject('peers')

const SECTION = `[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 192.0.2.1
pure_api_token = token-of-A
replication_device = backend_id:arrayB,san_ip:192.0.2.2,api_token:token-of-B
`

const CLUSTER = { name: 'c1@arrayA', binary: 'cinder-volume', deleted: 0, race_preventer: 0 }

async function seed(database: TestDatabase): Promise<void> {
  await database.execute(
    service(1, 'vol1@arrayA', FAILED_OVER) +
      service(2, 'vol2@arrayA') +
      insert('clusters', { id: 1, ...CLUSTER, disabled: 0, replication_status: 'enabled', frozen: 0 }) +
      service(3, 'vol3@arrayA', { cluster_name: 'c1@arrayA' }),
  )
}

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
    const first = async () => (await database.rows('services'))[0]

    test('list tells of every backend, and with --failed-over of those alone', () => {
      const { status, stdout, stderr } = run('list')
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const [heading, cluster, member, one, two, ...more] = stdout.trimEnd().split('\n')
      expect(more).toEqual([])
      expect(heading).toMatch(/^BACKEND +HEARTBEAT +SERVICE +FROZEN +REPLICATION +RUNS ON$/)
      expect(cluster).toMatch(/^c1@arrayA \(cluster\) +down, \d+ days +enabled +no +enabled +its own array$/)
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

    test.each([
      ['list --names', 'vol3@arrayA\nvol1@arrayA\nvol2@arrayA\n'],
      ['list --names --failed-over', 'vol1@arrayA\n'],
      ['list --names --cluster', 'c1@arrayA\n'],
    ])('%s, for a loop in a shell', async (line, names) => {
      expect(run(line)).toEqual({ status: 0, stdout: names, stderr: '' })
    })

    test('show tells of those that are named, clusters too, with all that there is', async () => {
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

    test('a cluster is failed over where a member is', async () => {
      await database.execute("UPDATE services SET replication_status = 'failed-over' WHERE id = 3")
      expect(run('list').stdout).toMatch(/^c1@arrayA \(cluster\) ! /m)
    })

    test('a reset of what failed in the middle of a failover tells so', async () => {
      await database.execute("UPDATE services SET replication_status = 'failover-error' WHERE id = 1")
      expect(run('reset-active-backend vol1@arrayA --check').stdout).toMatch(
        /Warning: .*volumes may be on either array/,
      )
    })

    test('a member of a cluster is told to stand for all of it', () => {
      expect(run('promote vol3@arrayA --to arrayB --without-replica --yes').stderr).toMatch(
        /vol3@arrayA is a member of the cluster c1@arrayA\.\n +Use apply, on all members at once/,
      )
      expect(run('freeze vol3@arrayA --check').stdout).toMatch(/^c1@arrayA, the cluster of vol3@arrayA, all members$/m)
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
      expect(unasked.stderr).toMatch(
        /^Error: This would change something, and there is no terminal to ask at\.\n +Say --yes/,
      )
      expect(await fingerprint(database)).toBe(before)
      const done = run(`${line} --yes --json --detailed-exitcode`)
      expect(done.status).toBe(2)
      expect(await first()).toMatchObject(columns)
      expect(run(`${line} --detailed-exitcode`)).toMatchObject({ status: 0, stderr: '' })
      expect(run(`undo - --yes`, done.stdout)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('put the row back'),
      })
      expect(await fingerprint(database)).toBe(before)
      expect(run('undo - -y', done.stdout)).toMatchObject({ status: 0, stdout: 'Nothing to change: vol1@arrayA\n' })
    })

    test('a hint is said in options to whoever typed a command, and in keys to whoever wrote a request', async () => {
      await database.execute('UPDATE services SET frozen = 1, updated_at = CURRENT_TIMESTAMP WHERE id = 1')
      expect(run('reset-active-backend vol1@arrayA --yes').stderr).toMatch(/or give --wait\.\n/)
      expect(JSON.parse(run('reset-active-backend vol1@arrayA --yes --json').stdout)).toMatchObject({
        msg: expect.stringMatching(/or give --wait\.$/),
        error: { hint: expect.stringMatching(/or give --wait\.$/) },
      })
      const request = '{"host": "vol1@arrayA", "active_backend": "reset"}'
      expect(run('apply - --yes', request).stderr).toMatch(/or say wait: true\.\n/)
      expect(run('reset-active-backend --cluster vol1@arrayA').stderr).toMatch(/It is a host: leave --cluster out\./)
    })

    test('--wait-timeout waits that long', async () => {
      await database.execute("UPDATE services SET frozen = 1, updated_at = '2099-01-01 00:00:00' WHERE id = 1")
      const { status, stderr } = run('reset-active-backend vol1@arrayA --yes --wait-timeout 1')
      expect(status).toBe(1)
      expect(stderr).toMatch(/was not seen down within 1 s[\s\S]*\(timeout\)/)
      expect(run('list --timeout soon').stderr).toMatch(/timeout must be a whole number, not "soon"\./)
    })

    test.each<[string, object]>([
      [
        'a whole promotion of the row',
        { host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled', frozen: false },
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
        /changed since: replication_status is "error", and was left as "enabled"[\s\S]*with the other commands[\s\S]*\(conflict\)/,
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
      const next = `then: cinder-backend thaw vol1@arrayA --config-file ${conf}`
      expect(JSON.parse(done.stdout).warnings).toEqual([expect.stringContaining(next)])
      expect(run('undo - --check', done.stdout).stdout).toMatch(
        /Warning: .*cinder.conf was changed by that run too, and stays so: .*cinder.conf\..*~/,
      )
      expect(readFileSync(conf, 'utf8')).toContain(
        'replication_device = backend_id:arrayC,san_ip:192.0.2.3,api_token:token-of-C',
      )
      // Nobody has seen cinder-volume start: so it stays frozen, and that is told.
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

    test('promote refuses where nobody has the settings of the replica, and tells where it was promoted before', async () => {
      const conf = join(mkdtempSync(join(folder, 'promote-')), 'cinder.conf')
      const where = `[database]\nconnection = ${database.connection.replaceAll('$', '$$')}\n`
      writeFileSync(conf, `${SECTION.replace('backend_id:arrayB', 'backend_id:arrayX')}${where}`)
      const promote = (host: string) =>
        run(
          `promote ${host} --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 api_token=t --config-file ${conf} --check`,
        )
      expect(promote('vol1@arrayA').stderr).toMatch(
        /\[arrayA\] in .* has no replication target arrayB, to which vol1@arrayA is failed over\.[\s\S]*\(config_error\)/,
      )
      expect(promote('vol2@arrayA').stderr).toMatch(/vol2@arrayA is not failed over[\s\S]*\(not_failed_over\)/)
      writeFileSync(
        conf,
        `${SECTION.replace(/replication_device.*/, 'replication_device = backend_id:arrayC,san_ip:192.0.2.33,api_token:t')}${where}`,
      )
      expect(promote('vol1@arrayA').stdout).toMatch(
        /change cinder.conf: replication_device[\s\S]*reset the active backend[\s\S]*Warning: .*taken for promoted already/,
      )
    })

    test('promote does not go on from a look that failed', () => {
      const line = `promote vol1@nowhere --to arrayB --without-replica --yes`
      expect(run(line)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('(service_not_found)') })
    })

    test('a reset tells of each section that still has the old array', () => {
      const conf = join(mkdtempSync(join(folder, 'reset-')), 'cinder.conf')
      writeFileSync(conf, SECTION)
      const { stdout } = run(`reset-active-backend vol1@arrayA vol2@arrayA --check --config-file ${conf}`)
      expect(stdout).toMatch(/Warning: cinder.conf here still has arrayB as a replication target of \[arrayA\]/)
    })

    test('a thaw tells what an admin had disabled', async () => {
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

    test('apply keeps to the check mode that the file asks for', async () => {
      const done = run('apply - --yes', '{"host": "vol2@arrayA", "frozen": true, "check_mode": "yes"}')
      expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('• freeze the backend') })
      expect((await database.rows('services'))[1]).toMatchObject({ frozen: 0 })
    })

    test('--save keeps the way back in a new file, and never over another', async () => {
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
      const request = JSON.stringify({ ...undo, service_down_time: 3 })
      expect(run('apply - --yes', request).stderr).toContain('(service_up)')
      expect(run('apply - --yes --wait', request)).toMatchObject({ status: 0, stderr: '' })
      expect(await first()).toMatchObject({ active_backend_id: 'arrayB' })
    })
  })
})

describe('at a terminal', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await embedded.create()
    await seed(database)
  })
  afterEach(() => database.close())
  const frozen = async () => (await database.rows('services'))[1]?.['frozen']
  const ask = (type: string, env: NodeJS.ProcessEnv = {}) =>
    atTerminal('cinder-backend freeze vol2@arrayA', { connection: database.connection, env }, [
      { when: /\[y\/N\]/, type },
    ])

  test('a change is shown in colours and asked for, and done after a yes', async () => {
    const { screen, status } = await ask('y\n')
    expect(status).toBe(0)
    expect(screen).toContain('• freeze the backend')
    expect(screen).toContain('\u001b[31mfalse')
    expect(screen).toContain('→  \u001b[32mtrue')
    expect(screen).toContain('Do it? [y/N]')
    expect(screen).toMatch(/✓.*freeze the backend/)
    expect(await frozen()).toBe(1)
  })

  test.each([
    ['n\n', 1],
    ['\n', 1],
    ['\u0004', 1],
    ['\u0003', 130],
  ])('%j is a no', async (type, expected) => {
    const { screen, status } = await ask(type)
    expect(status).toBe(expected)
    expect(screen).toContain('Nothing was changed.')
    expect(await frozen()).toBe(0)
  })

  test.each([
    ['NO_COLOR', 'cinder-backend list', { NO_COLOR: '1' }],
    ['--no-color', 'cinder-backend list --no-color', {}],
    ['a dumb terminal', 'cinder-backend list', { TERM: 'dumb' }],
  ])('%s: no colours', async (_, line, env) => {
    expect((await atTerminal('cinder-backend list', { connection: database.connection })).screen).toContain(
      '\u001b[31m',
    )
    const { screen } = await atTerminal(line, { connection: database.connection, env })
    expect(screen).toContain('vol1@arrayA')
    expect(screen).not.toContain('\u001b')
  })

  test('a narrow one gets a block for each backend in place of a broken table', async () => {
    const { screen } = await atTerminal(
      'cinder-backend list',
      { connection: database.connection, env: { NO_COLOR: '1' } },
      [],
      50,
    )
    expect(screen).toMatch(/^vol1@arrayA !\r\n {2}heartbeat: {3}down/m)
    expect(screen).toMatch(/^! failed over/m)
    for (const line of screen.split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(50)
  })

  test('80 columns have room for the table, and a reason that is too long is cut before it breaks', async () => {
    await database.execute(
      "UPDATE services SET disabled = 1, disabled_reason = 'swapped by Mike on Tuesday' WHERE id = 2",
    )
    const list = async (columns: number) =>
      (
        await atTerminal(
          'cinder-backend list',
          { connection: database.connection, env: { NO_COLOR: '1' } },
          [],
          columns,
        )
      ).screen
    const wide = await list(100)
    expect(wide).toMatch(/^vol2@arrayA .*disabled \(swapped by…\)/m)
    const narrow = await list(84)
    expect(narrow).toMatch(/^vol2@arrayA +down, \d+ days +disabled +no +enabled +its own array\r$/m)
  })

  test('help does so too', async () => {
    const { screen } = await atTerminal('cinder-backend promote --help', { connection: '' }, [], 60)
    for (const line of screen.split('Examples:')[0]?.split(/\r?\n/) ?? []) {
      expect(line.length).toBeLessThanOrEqual(60)
    }
  })

  test('a dumb one gets no spinner', async () => {
    const { screen } = await atTerminal('cinder-backend freeze vol2@arrayA --yes', {
      connection: database.connection,
      env: { TERM: 'dumb' },
    })
    expect(screen).toMatch(/^vol2@arrayA\r\n {2}✓ freeze the backend\r\n/)
  })

  test('errors and warnings break between words', async () => {
    const { screen } = await atTerminal(
      'cinder-backend thaw vol1@arrayA',
      { connection: database.connection, env: { NO_COLOR: '1' } },
      [],
      40,
    )
    for (const line of screen.split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(40)
    expect(screen.replace(/\s+/g, ' ')).toContain('and thawing it would hide that.')
    expect(screen).toMatch(/\n {2}\(failed_over\)/)
  })

  test('FORCE_COLOR has colours in a pipe too', () => {
    const list = (env: NodeJS.ProcessEnv) =>
      shell('cinder-backend list', { connection: database.connection, env: { NO_COLOR: '', ...env } }).stdout
    expect(list({ FORCE_COLOR: '1' })).toContain('\u001b[31mvol1@arrayA !')
    expect(list({ FORCE_COLOR: '0' })).not.toContain('\u001b')
  })

  describe('the lines of cinder.conf are shown with the question, and only those are written', () => {
    const promote = async (meanwhile: (conf: string) => void) => {
      const conf = join(mkdtempSync(join(folder, 'question-')), 'cinder.conf')
      writeFileSync(conf, SECTION)
      const line = `cinder-backend promote vol1@arrayA --to arrayB --without-replica --config-file ${conf}`
      const shown = await atTerminal(line, { connection: database.connection }, [
        {
          when: /\[y\/N\]/,
          type: () => {
            meanwhile(conf)
            return 'y\n'
          },
        },
      ])
      return { ...shown, text: readFileSync(conf, 'utf8') }
    }

    test.each([
      ['an address', '192.0.2.2', '192.0.2.22'],
      ['a secret, which is not shown', 'token-of-B', 'token-of-D'],
    ])('not where somebody changes %s meanwhile', async (_, old, fresh) => {
      const { screen, status, text } = await promote((conf) => writeFileSync(conf, SECTION.replace(old, fresh)))
      expect(screen).toContain('\u001b[32m+ san_ip = 192.0.2.2\u001b[39m')
      expect({ status, text }).toEqual({ status: 1, text: SECTION.replace(old, fresh) })
      expect(screen).toMatch(/no longer what was shown[\s\S]*\(conflict\)/)
    })

    test('done where nobody does', async () => {
      const { screen, status, text } = await promote(() => {})
      expect(status).toBe(0)
      expect(text).toContain('san_ip = 192.0.2.2\n')
      expect(screen.match(/is not started by this/g)).toHaveLength(1) // said once, after it
    })
  })

  test('a wait shows what for and for how long, and a piped one nothing', async () => {
    const line = 'cinder-backend reset-active-backend vol1@arrayA --yes --wait'
    await database.execute("UPDATE services SET updated_at = '2099-01-01 00:00:00' WHERE id = 1")
    const { screen, status } = await atTerminal(line, { connection: database.connection }, [
      { when: /waiting until the heartbeat of vol1@arrayA has stopped \(2 s\)/, type: '\u0003' },
    ])
    expect(status).toBe(1)
    expect(screen).toMatch(/✗\S* waiting until the heartbeat of vol1@arrayA has stopped \(\d+ s\)/)
    expect(screen).toContain('Error:')
    expect(screen).toContain('(interrupted)')
  })

  test('where the rows change while the question stands nothing is done', async () => {
    const { screen, status } = await atTerminal(
      'cinder-backend freeze vol2@arrayA',
      { connection: database.connection },
      [
        {
          when: /\[y\/N\]/,
          type: async () => {
            await database.execute("UPDATE services SET disabled = 1, disabled_reason = 'bob' WHERE id = 2")
            return 'y\n'
          },
        },
      ],
    )
    expect(status).toBe(1)
    expect(screen).toContain('(conflict)')
    expect((await database.rows('services'))[1]).toMatchObject({ disabled_reason: 'bob', frozen: 0 })
  })

  test('where somebody has done the same meanwhile, that is no failure', async () => {
    const line = 'cinder-backend freeze vol2@arrayA'
    const { connection } = database
    const bob = () => {
      shell(`${line} --yes`, { connection })
      return 'y\n'
    }
    const { screen, status } = await atTerminal(line, { connection }, [{ when: /\[y\/N\]/, type: bob }])
    expect(status).toBe(0)
    expect(screen).toContain('Nothing to change: vol2@arrayA')
  })

  test('a request that was typed is asked for too', async () => {
    const { screen, status } = await atTerminal('cinder-backend apply -', { connection: database.connection }, [
      { when: /Ctrl-D ends it/, type: '{"host": "vol2@arrayA", "frozen": true}\n\u0004' },
      { when: /\[y\/N\]/, type: 'y\n' },
    ])
    expect(status).toBe(0)
    expect(screen).toMatch(/✓.*freeze the backend/)
    expect(screen.match(/Reading/g)).toHaveLength(1)
    expect(await frozen()).toBe(1)
  })

  test('one that is piped is asked for at the terminal, and refused without one', async () => {
    const line = `echo '{"host": "vol2@arrayA", "frozen": true}' |`
    const { connection } = database
    const alone = await atTerminal(`${line} setsid -w cinder-backend apply -`, { connection })
    expect(alone).toMatchObject({ status: 1, screen: expect.stringContaining('there is no terminal to ask at') })
    const asked = await atTerminal(`${line} cinder-backend apply -`, { connection }, [
      { when: /\[y\/N\]/, type: 'y\n' },
    ])
    expect(asked.status).toBe(0)
    expect(await frozen()).toBe(1)
  })

  test('a file that asks for the diff gets it', () => {
    const { stdout } = shell('cinder-backend apply - --json', {
      connection: database.connection,
      input: '{"host": "vol2@arrayA", "frozen": true, "diff": true, "check_mode": true}',
    })
    expect(valid(JSON.parse(stdout)).diff).toHaveLength(1)
  })

  test('undo tells of the cinder.conf that stays as it is before it asks', async () => {
    const { connection } = database
    const home = mkdtempSync(join(folder, 'caveat-'))
    writeFileSync(join(home, 'cinder.conf'), SECTION)
    const promote = `cinder-backend promote vol1@arrayA --to arrayB --without-replica --config-file cinder.conf`
    expect(shell(`${promote} --yes --save result.json`, { connection, cwd: home }).status).toBe(0)
    const { screen } = await atTerminal(`cinder-backend undo ${home}/result.json`, { connection }, [
      { when: /\[y\/N\]/, type: 'y\n' },
    ])
    expect(screen).toMatch(/changed by that run too[\s\S]*\[y\/N\][\s\S]*✓.*put the row back/)
  })

  test('SIGTERM ends the question', async () => {
    const file = join(mkdtempSync(join(folder, 'pid-')), 'pid')
    const { screen, status } = await atTerminal(
      `echo $$ > ${file}; exec cinder-backend freeze vol2@arrayA`,
      { connection: database.connection },
      [
        {
          when: /\[y\/N\]/,
          type: () => {
            process.kill(Number(readFileSync(file, 'utf8')), 'SIGTERM')
            return ''
          },
        },
      ],
    )
    expect(status).toBe(130)
    expect(screen).toContain('Nothing was changed.')
    expect(await frozen()).toBe(0)
  })

  test('with --json a no is a result too', async () => {
    const { screen, status } = await atTerminal(
      'cinder-backend freeze vol2@arrayA --json',
      { connection: database.connection },
      [{ when: /\[y\/N\]/, type: 'n\n' }],
    )
    expect(status).toBe(1)
    const json = screen.split(/\r?\n/).find((each) => each.startsWith('{'))
    expect(valid(JSON.parse(json ?? ''))).toMatchObject({ changed: false, error: { code: 'interrupted' } })
  })

  test('each stream has colours where it is a terminal, and only there', async () => {
    const file = join(mkdtempSync(join(folder, 'stream-')), 'file')
    const { connection } = database
    await atTerminal(`cinder-backend show nobody@a 2> ${file}`, { connection })
    expect(readFileSync(file, 'utf8')).toMatch(/^Error: No volume service/)
    const { screen } = await atTerminal(`cinder-backend show nobody@a > ${file}`, { connection })
    expect(screen).toContain('\u001b[31mError:')
  })

  test('without anything to read says what it waits for', async () => {
    const { screen } = await atTerminal('cinder-backend', { connection: database.connection }, [
      { when: /Reading a request; Ctrl-D ends it/, type: '{"host": "vol2@arrayA"}\n\u0004' },
    ])
    expect(screen).toContain('"msg":"vol2@arrayA: down, enabled')
  })

  test('a pipe that is closed early is no error', () => {
    const { stdout, stderr, status } = shell('set -o pipefail; cinder-backend list | head -1', {
      connection: database.connection,
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toMatch(/^BACKEND/)
  })
})

describe('mistakes', () => {
  const run = (line: string) => shell(line, { connection: 'sqlite:////nowhere/cinder.sqlite' })

  test.each([
    ['cinder-backend shwo', /no command shwo\.\n +Did you mean show\?/],
    [
      'cinder-backend promote --to b --replica backend_id=c vol1@a',
      /promote needs HOST\.\n +It stands before --replica/,
    ],
    ['cinder-backend freeze', /freeze needs HOST\./],
    ['cinder-backend freeze vol1@a --jsn', /--jsn does not exist here\.\n +Did you mean --json\?/],
    ['cinder-backend promote vol1@a', /promote needs --to/],
    ['cinder-backend promote vol1@a --to b', /either --replica or --without-replica/],
    ['cinder-backend promote vol1@a --to b --replica san_ip=192.0.2.3', /--replica lacks the backend_id/],
    ['cinder-backend promote vol1@a --to b --without-replica --set replication_device=x', /what --replica says/],
    [
      'cinder-backend promote vol1@a --to b --without-replica --service command',
      /--service must be one of auto, systemd/,
    ],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c san_ip=1 san_ip=2', /has san_ip twice/],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c san_ip=', /lacks the value of san_ip/],
    ['cinder-backend promote vol1@a --to b --replica backend_id=c,san_ip=1', /as a word of its own, and no commas/],
    ['cinder-backend promote vol1@a --to --check', /The option --to lacks its value/],
    ['cinder-backend promote vol1@a --to b --without-replica --set secret', /words of the form KEY=VALUE/],
    ['cinder-backend apply /nowhere.yml', /\/nowhere\.yml does not exist/],
    ['cinder-backend schema answer', /two schemas/],
    ['cinder-backend completion tcsh', /bash, zsh and fish/],
    ['echo "{}" | cinder-backend undo -', /no undo/],
    ["printf 'host: *secret\\n' | cinder-backend apply - --verbose", /an alias that leads nowhere/],
    ['cinder-backend freeze vol1@a --yes --save -', /--save takes the name of a file/],
    ["cinder-backend freeze vol1@a --yes --save ''", /--save takes the name of a file/],
    ['cinder-backend freeze vol1@a --yes --save /nowhere/f', /cannot be made \(ENOENT\)/],
    ['echo "{}" | setsid -w cinder-backend undo -', /no undo/],
    ['echo "- a" | cinder-backend apply -', /Standard input holds no request/],
    ['echo "{," | cinder-backend apply -', /line 1, column 2/],
    [
      'printf "host: a\\n b: :\\n" | cinder-backend apply -',
      /neither one JSON document nor one of YAML: [a-z ]+ \(line \d/,
    ],
    [
      'echo \'{"changed": true, "backends": []}\' | cinder-backend apply -',
      /This is a result, not a request\.\n +To take it back use undo/,
    ],
    ['cinder-backend list', /\(connection_failed\)/],
  ])('%s', (line, said) => {
    const { status, stdout, stderr } = run(line)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: /)
    expect(stderr).toMatch(said)
    expect(stderr).not.toMatch(/secret|\bat .*:\d+/)
  })

  test('options before the command are those of the command', () => {
    const { stdout, status } = run('cinder-backend --timeout 1 --json list')
    expect(status).toBe(1)
    expect(valid(JSON.parse(stdout)).error?.code).toBe('connection_failed')
    expect(run('cinder-backend -h freeze').stdout).toMatch(/^Usage: cinder-backend freeze/)
    expect(JSON.parse(run('cinder-backend --format list').stdout).msg).toMatch(/^--format must be one of/)
  })

  test('with --json are one JSON document', () => {
    const { stdout, stderr } = run('cinder-backend freeze --json')
    expect(stderr).toBe('')
    expect(valid(JSON.parse(stdout))).toMatchObject({ failed: true, error: { code: 'invalid_request' } })
  })
})

describe('help', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s has its options, and examples that work',
    async (name, command) => {
      const database = await embedded.create()
      await seed(database)
      const home = mkdtempSync(join(folder, 'help-'))
      writeFileSync(join(home, 'cinder.conf'), SECTION)
      const options = { connection: database.connection, cwd: home, env: { HOME: home } }
      try {
        if (/^replication/.test(name)) shell('cinder-backend reset-active-backend vol1@arrayA --yes', options)
        if (name === 'thaw')
          shell(
            'cinder-backend reset-active-backend vol1@arrayA --yes; cinder-backend freeze vol1@arrayA --yes',
            options,
          )
        const { stdout } = shell(`cinder-backend ${name} --help`, options)
        for (const { flags } of command.options) expect(stdout).toContain(flags.split(' ')[0])
        expect(command.examples.length).toBeGreaterThan(0)
        for (const { line, file } of command.examples) {
          expect(stdout).toContain(line)
          // There is no systemd here.
          if (file) writeFileSync(join(home, file.name), file.text.replace(/service:[\s\S]*/, ''))
          for (const each of file?.text.trimEnd().split('\n') ?? []) expect(stdout).toContain(each)
          const run = shell(line.replace(' --service systemd', ''), options)
          expect({ line, stderr: run.stderr, status: run.status }).toEqual({ line, stderr: '', status: 0 })
          expect(run.stdout).not.toBe('')
        }
      } finally {
        await database.close()
      }
    },
  )

  test('names every command', () => {
    const { stdout } = shell('cinder-backend --help', { connection: '' })
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'))
  })
})

test.skipIf(missing.man !== null)(
  `the manual is read without a complaint${missing.man === null ? '' : ` (skipped: ${missing.man})`}`,
  () => {
    const page = join(mkdtempSync(join(folder, 'man-')), 'cinder-backend.1')
    writeFileSync(page, manual('1.2.3'))
    const { status, stdout, stderr } = shell(`MANWIDTH=80 man --warnings -l ${page} | col -b`, { connection: '' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const text = stdout.replace(/\s+/g, ' ')
    expect(text).toContain('cinder-backend - bring OpenStack Cinder volume backends')
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${name}\\b`, 'm'))
    expect(text).toContain('--replica <KEY=VALUE...>')
  },
)

describe('completion, in the real shells', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await embedded.create()
    await seed(database)
  })
  afterEach(() => database.close())
  const script = (name: string) => {
    const path = join(mkdtempSync(join(folder, 'completion-')), name)
    writeFileSync(path, shell(`cinder-backend completion ${name}`, { connection: '' }).stdout)
    return path
  }
  /** What the prompt of an interactive shell makes of the beginnings of lines, each followed by a tab. */
  const atPrompt = async (start: string, ready: string, lines: readonly (readonly [string, string])[]) => {
    const { connection } = database
    const { screen } = await atTerminal(
      start,
      { connection, env: { PS1: '> ' } },
      [
        { when: /./s, type: `${ready}; echo re''ady\n` },
        ...lines.flatMap(([typed], index) => [
          { when: index === 0 ? /ready\r?\n/ : new RegExp(`next${index - 1}\\r?\\n`), type: `${typed}\t` },
          { when: new RegExp(pattern(lines[index]?.[1] ?? '')), type: `\u0015echo ne''xt${index}\n` },
        ]),
        { when: new RegExp(`next${lines.length - 1}\\r?\\n`), type: 'exit\n' },
      ],
      400,
    )
    return screen
  }
  const pattern = (text: string) => text.replace(/[.*+?]/g, '\\$&')

  test('bash', async () => {
    const path = script('bash')
    const lines = [
      ['cinder-backend free', 'cinder-backend freeze'],
      ['cinder-backend freeze --ye', 'cinder-backend freeze --yes'],
      ['cinder-backend schema res', 'cinder-backend schema result'],
      [`cinder-backend apply ${path.slice(0, -2)}`, `cinder-backend apply ${path}`],
      ['cinder-backend show vol2@ar', 'cinder-backend show vol2@arrayA'],
      ['cinder-backend freeze vol2@arrayA vol1', 'cinder-backend freeze vol2@arrayA vol1@arrayA'],
      ['cinder-backend show --cluster c', 'cinder-backend show --cluster c1@arrayA'],
      ['cinder-backend promote vol1@arrayA --service=pod', 'cinder-backend promote vol1@arrayA --service=podman'],
      ['cinder-backend --det', 'cinder-backend --detailed-exitcode'],
    ] as const
    const screen = await atPrompt('bash --norc -i', `source ${path}`, lines)
    for (const [, completed] of lines) expect(screen).toContain(completed)
  })

  test('a name of a host that a shell would run is not offered', async () => {
    await database.execute("UPDATE services SET host = 'vol9$(touch /tmp/x)@arrayA' WHERE id = 2")
    const line = `source ${script('bash')}; COMP_LINE='cinder-backend show vol' COMP_POINT=23 COMP_WORDS=(cinder-backend show vol) COMP_CWORD=2; _cinder_backend cinder-backend vol show; echo "\${COMPREPLY[@]}"`
    expect(shell(line, { connection: database.connection }).stdout).toBe('vol3@arrayA vol1@arrayA\n')
  })

  describe('asks the database that the line names', () => {
    const elsewhere = () => database.connection.slice('sqlite:///'.length)

    test('bash', async () => {
      const typed = `cinder-backend show --connection sqlite:///${elsewhere()} vol2@ar`
      const screen = await atPrompt('bash --norc -i', `source ${script('bash')}; unset OS_DATABASE__CONNECTION`, [
        [typed, 'vol2@arrayA'],
      ])
      expect(screen).toContain('vol2@arrayA')
      const other = `source ${script('bash')}; COMP_LINE='cinder-backend show --connection sqlite:////other vol' COMP_POINT=53 COMP_WORDS=(cinder-backend show --connection sqlite : ////other vol) COMP_CWORD=6; _cinder_backend cinder-backend vol /other; echo "\${COMPREPLY[@]}"`
      expect(shell(other, { connection: database.connection }).stdout).toBe('\n')
    })

    test.skipIf(missing.fish !== null)(`fish${missing.fish === null ? '' : ` (skipped: ${missing.fish})`}`, () => {
      const typed = `cinder-backend show --connection=sqlite:///${elsewhere()} vol2@`
      const line = `fish --no-config -c "source ${script('fish')}; complete -C '${typed}'"`
      expect(shell(line, { connection: 'sqlite:////other' }).stdout).toBe('vol2@arrayA\n')
    })

    test.skipIf(missing.zsh !== null)(`zsh${missing.zsh === null ? '' : ` (skipped: ${missing.zsh})`}`, async () => {
      const typed = `cinder-backend show --connection sqlite:///${elsewhere()} vol2@`
      const ready = `autoload -U compinit; compinit -u -D; source ${script('zsh')}; unset OS_DATABASE__CONNECTION`
      expect(await atPrompt('zsh -f -i', ready, [[typed, 'vol2@arrayA']])).toContain('vol2@arrayA')
    })
  })

  test.skipIf(missing.fish !== null)(`fish${missing.fish === null ? '' : ` (skipped: ${missing.fish})`}`, () => {
    const path = script('fish')
    const complete = (line: string) =>
      shell(`fish --no-config -c "source ${path}; complete -C '${line}'"`, { connection: database.connection })
        .stdout.trim()
        .split('\n')
        .map((each) => each.split('\t')[0])
    expect(complete('cinder-backend re').sort()).toEqual([
      'replication-disable',
      'replication-enable',
      'reset-active-backend',
    ])
    expect(complete('cinder-backend freeze --ye')).toEqual(['--yes'])
    expect(complete('cinder-backend schema res')).toEqual(['result'])
    expect(complete('cinder-backend show vol2@')).toEqual(['vol2@arrayA'])
    expect(complete('cinder-backend show --cluster ')).toEqual(['c1@arrayA'])
    expect(complete('cinder-backend promote a --service po')).toEqual(['podman'])
    expect(complete('cinder-backend --det')).toEqual(['--detailed-exitcode'])
  })

  test.skipIf(missing.zsh !== null)(`zsh${missing.zsh === null ? '' : ` (skipped: ${missing.zsh})`}`, async () => {
    const lines = [
      ['cinder-backend free', 'cinder-backend freeze'],
      ['cinder-backend freeze --ye', 'cinder-backend freeze --yes'],
      ['cinder-backend show vol2@', 'cinder-backend show vol2@arrayA'],
      ['cinder-backend show --cluster c', 'cinder-backend show --cluster c1@arrayA'],
      ['cinder-backend promote a --service pod', 'cinder-backend promote a --service podman'],
      ['cinder-backend --det', 'cinder-backend --detailed-exitcode'],
    ] as const
    const ready = `autoload -U compinit; compinit -u -D; source ${script('zsh')}`
    const screen = await atPrompt('zsh -f -i', ready, lines)
    for (const [, completed] of lines) expect(screen).toContain(completed)
  })
})
