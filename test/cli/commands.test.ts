import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.js'
import { manual } from '../../src/cli/manual.js'
import { valid } from '../support/agent.js'
import { atTerminal, shell } from '../support/command.js'
import { embedded, engines, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'
import { until } from '../support/volume.js'

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
    })

    test('show tells of those that are named, clusters too', () => {
      expect(run('show vol1@arrayA vol2@arrayA').stdout.trim().split('\n')).toHaveLength(3)
      expect(run('show --cluster c1@arrayA').stdout).toMatch(/^c1@arrayA/m)
    })

    test.each([
      ['reset-active-backend vol1@arrayA', { active_backend_id: null, replication_status: 'disabled', disabled: 0 }],
      ['replication-disable vol1@arrayA --force', { replication_status: 'disabled' }],
      ['replication-enable vol1@arrayA --force', { replication_status: 'enabled' }],
      ['thaw vol1@arrayA --force', { frozen: 0, disabled: 0 }],
    ])('%s: checked, not done without --yes, done, done already, and undone', async (line, columns) => {
      const before = await fingerprint(database)
      expect(run(`${line} --check`)).toMatchObject({ status: 0, stdout: expect.stringContaining('→') })
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
      expect(run(`undo - --yes`, done.stdout).status).toBe(0)
    })

    test('freeze, of several at once, and undone; what was changed since is told', async () => {
      const before = await fingerprint(database)
      const done = run('freeze vol2@arrayA vol3@arrayA --yes --json')
      const file = join(mkdtempSync(join(folder, 'undo-')), 'result.json')
      writeFileSync(file, done.stdout)
      expect(JSON.parse(done.stdout).undo.restore).toHaveLength(3)
      expect(run('thaw vol2@arrayA --yes').status).toBe(0)
      const conflict = run(`undo ${file} --yes`)
      expect(conflict.status).toBe(0) // vol2 is as it was: only the cluster is put back
      expect(await fingerprint(database)).not.toBe('')
      const again = run('freeze vol2@arrayA --yes --json')
      await database.execute("UPDATE services SET replication_status = 'error' WHERE id = 2")
      const refused = run('undo - --yes', again.stdout)
      expect(refused).toMatchObject({ status: 1, stdout: '' })
      expect(refused.stderr).toMatch(
        /changed since: replication_status is "error", and was left as "enabled"[\s\S]*\(conflict\)/,
      )
      expect(before).toMatch(/^[0-9a-f]{64}$/)
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
      expect(JSON.parse(done.stdout).warnings).toEqual([expect.stringMatching(/^cinder-volume is not started by this/)])
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
    expect(screen).toMatch(/^vol1@arrayA !\r\n {2}heartbeat: down/m)
    for (const line of screen.split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(50)
  })

  test('a wait shows what for and for how long, and a piped one nothing', async () => {
    const line = 'cinder-backend reset-active-backend vol1@arrayA --yes --wait'
    await database.execute("UPDATE services SET updated_at = '2099-01-01 00:00:00' WHERE id = 1")
    const { screen, status } = await atTerminal(line, { connection: database.connection }, [
      { when: /waiting until the heartbeat of vol1@arrayA has stopped \(2 s\)/, type: '\u0003' },
    ])
    expect(status).toBe(1)
    expect(screen).toContain('Error:')
    expect(screen).toContain('(interrupted)')
  })

  test('where the rows change while the question stands nothing is done', async () => {
    const change = `sqlite() { /usr/bin/python3 -c "import sqlite3; d = sqlite3.connect('${database.connection.slice(10)}'); d.execute(\\"UPDATE services SET disabled = 1, disabled_reason = 'bob' WHERE id = 2\\"); d.commit()"; echo changed by bob; }`
    const line = `${change}; (sleep 2; sqlite) & cinder-backend freeze vol2@arrayA`
    const slowly = atTerminal(line, { connection: database.connection }, [
      { when: /\[y\/N\][\s\S]*changed by bob/, type: 'y\n' },
    ])
    const asked = until('bob has changed it', async () => (await database.rows('services'))[1]?.['disabled'] === 1)
    await asked
    const { screen, status } = await slowly
    expect(status).toBe(1)
    expect(screen).toContain('(conflict)')
    expect((await database.rows('services'))[1]).toMatchObject({ disabled_reason: 'bob', frozen: 0 })
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
    ['cinder-backend shwo', /no such command\.\n +Did you mean show\?/],
    ['cinder-backend freeze', /freeze needs HOST\./],
    ['cinder-backend freeze vol1@a --jsn', /--jsn does not exist here\.\n +Did you mean --json\?/],
    ['cinder-backend promote vol1@a', /promote needs --to/],
    ['cinder-backend promote vol1@a --to b', /either --replica or --without-replica/],
    ['cinder-backend promote vol1@a --to --check', /The option --to lacks its value/],
    ['cinder-backend promote vol1@a --to b --without-replica --set secret', /words of the form KEY=VALUE/],
    ['cinder-backend apply /nowhere.yml', /cannot be read \(ENOENT\)/],
    ['cinder-backend schema answer', /two schemas/],
    ['cinder-backend completion tcsh', /bash, zsh and fish/],
    ['echo "{}" | cinder-backend undo -', /no undo/],
    ['echo "- a" | cinder-backend apply -', /holds no request/],
    ['echo "{," | cinder-backend apply -', /line 1, column 2/],
    ['printf "host: a\\n b: :\\n" | cinder-backend apply -', /neither one JSON document nor one of YAML \(line \d/],
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

  test('options before the command', () => {
    const { stdout, status } = run('cinder-backend --check list')
    expect(status).toBe(1)
    expect(JSON.parse(stdout).msg).toMatch(/^Options go behind the command list\./)
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
      writeFileSync(join(home, 'promotion.yml'), 'host: vol1@arrayA\nactive_backend: reset\n')
      const options = { connection: database.connection, cwd: home, env: { HOME: home } }
      try {
        writeFileSync(
          join(home, 'result.json'),
          shell('cinder-backend thaw vol1@arrayA --force --yes --json', options).stdout,
        )
        if (name !== 'undo') shell('cinder-backend undo result.json --yes', options)
        if (/^replication/.test(name)) shell('cinder-backend reset-active-backend vol1@arrayA --yes', options)
        if (name === 'thaw')
          shell(
            'cinder-backend reset-active-backend vol1@arrayA --yes; cinder-backend freeze vol1@arrayA --yes',
            options,
          )
        const { stdout } = shell(`cinder-backend ${name} --help`, options)
        for (const { flags } of command.options) expect(stdout).toContain(flags.split(' ')[0])
        expect(command.examples.length).toBeGreaterThan(0)
        for (const { line } of command.examples) {
          expect(stdout).toContain(line)
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
  const script = (name: string) => {
    const path = join(mkdtempSync(join(folder, 'completion-')), name)
    writeFileSync(path, shell(`cinder-backend completion ${name}`, { connection: '' }).stdout)
    return path
  }
  const words = (stdout: string) => stdout.trim().split(/\s+/)

  test('bash', () => {
    const path = script('bash')
    const complete = (...line: string[]) =>
      words(
        shell(
          `source ${path}; COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _cinder_backend; echo "\${COMPREPLY[@]}"`,
          { connection: '' },
        ).stdout,
      )
    expect(complete('cinder-backend', 're')).toEqual([
      'reset-active-backend',
      'replication-enable',
      'replication-disable',
    ])
    expect(complete('cinder-backend', 'freeze', '--ye')).toEqual(['--yes'])
    expect(complete('cinder-backend', 'schema', 'res')).toEqual(['result'])
    expect(complete('cinder-backend', 'apply', path.slice(0, -2))).toEqual([path])
  })

  test.skipIf(missing.fish !== null)(`fish${missing.fish === null ? '' : ` (skipped: ${missing.fish})`}`, () => {
    const path = script('fish')
    const complete = (line: string) =>
      shell(`fish --no-config -c "source ${path}; complete -C '${line}'"`, { connection: '' })
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
  })

  test.skipIf(missing.zsh !== null)(`zsh${missing.zsh === null ? '' : ` (skipped: ${missing.zsh})`}`, async () => {
    const path = script('zsh')
    const { screen } = await atTerminal('zsh -f -i', { connection: '', env: { PS1: '> ' } }, [
      { when: /./s, type: `autoload -U compinit; compinit -u -D; source ${path}; echo re''ady\n` },
      { when: /ready\r?\n/, type: 'cinder-backend free\t' },
      { when: /cinder-backend freeze/, type: '--ye\t' },
      { when: /--yes/, type: '\u0015exit\n' },
    ])
    expect(screen).toContain('cinder-backend freeze')
    expect(screen).toContain('--yes')
  })
})
