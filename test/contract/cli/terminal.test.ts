import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { valid } from '../../support/agent.js'
import { atTerminal, shell } from '../../support/command.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { SECTION, seed } from '../../support/fleet.js'

const { folder, missing } = inject('peers')

describe.skipIf(missing.script !== null)(titled({ name: 'at a terminal', missing: missing.script }), () => {
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
    expect(screen).toContain('Apply these changes to vol2@arrayA? [y/N]')
    expect(screen).toMatch(/✓.*freeze the backend/)
    expect(await frozen()).toBe(1)
  })

  test.each([
    ['n\n', 1],
    ['\n', 1],
    ['\u0004', 1],
    ['\u0003', 130],
  ])('does nothing when the answer is %j', async (type, expected) => {
    const { screen, status } = await ask(type)
    expect(status).toBe(expected)
    expect(screen).toContain('Nothing was changed.')
    expect(await frozen()).toBe(0)
  })

  test.each([
    ['NO_COLOR', 'cinder-backend list', { NO_COLOR: '1' }],
    ['--no-color', 'cinder-backend list --no-color', {}],
    ['a dumb terminal', 'cinder-backend list', { TERM: 'dumb' }],
  ])('has no colours when there is %s', async (_, line, env) => {
    expect((await atTerminal('cinder-backend list', { connection: database.connection })).screen).toContain(
      '\u001b[31m',
    )
    const { screen } = await atTerminal(line, { connection: database.connection, env })
    expect(screen).toContain('vol1@arrayA')
    expect(screen).not.toContain('\u001b')
  })

  test('shows a block for each backend when the table is too wide', async () => {
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
    const wide = await list(94)
    expect(wide).toMatch(/^vol2@arrayA .*disabled \(swapped by…\)/m)
    const narrow = await list(78)
    expect(narrow).toMatch(/^vol2@arrayA +down, \d+ days +disabled +no +enabled +primary\r$/m)
  })

  test('breaks the lines of the help when they are too long', async () => {
    const { screen } = await atTerminal('cinder-backend promote --help', { connection: '' }, [], 60)
    for (const line of screen.split('Examples:')[0]?.split(/\r?\n/) ?? []) {
      expect(line.length).toBeLessThanOrEqual(60)
    }
  })

  test('shows no spinner when the terminal is dumb', async () => {
    const { screen } = await atTerminal('cinder-backend freeze vol2@arrayA --yes', {
      connection: database.connection,
      env: { TERM: 'dumb' },
    })
    expect(screen).toMatch(/^vol2@arrayA\r\n {2}✓ freeze the backend\r\n/)
  })

  test('breaks errors and warnings between words', async () => {
    const { screen } = await atTerminal(
      'cinder-backend thaw vol1@arrayA',
      { connection: database.connection, env: { NO_COLOR: '1' } },
      [],
      40,
    )
    for (const line of screen.split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(40)
    expect(screen.replace(/\s+/g, ' ')).toContain('so a thaw needs a reset in the same request.')
    expect(screen).toMatch(/\n {2}\(failed_over\)/)
  })

  test('has colours in a pipe when FORCE_COLOR is set', () => {
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
      expect(screen).toContain('(conflict)')
    })

    test('done where nobody does', async () => {
      const { screen, status, text } = await promote(() => {})
      expect(status).toBe(0)
      expect(text).toContain('san_ip = 192.0.2.2\n')
      expect(screen.match(/Start cinder-volume\./g)).toHaveLength(1) // after the change, not with the question
      expect(screen).toMatch(
        /\[y\/N\][\s\S]*Start cinder-volume\.[\s\S]*cinder-backend thaw vol1@arrayA --config-file /,
      )
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

  test('does nothing when the rows change before the answer', async () => {
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

  test('does not fail when somebody has done the same before the answer', async () => {
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
      { when: /Press Ctrl-D/, type: '{"host": "vol2@arrayA", "frozen": true}\n\u0004' },
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
    expect(alone).toMatchObject({ status: 1, screen: expect.stringContaining('there is no terminal') })
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
    expect(screen).toMatch(/Warning:[\s\S]*cinder\.conf[\s\S]*\[y\/N\][\s\S]*✓.*restore the row/)
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

  test('answers with a result when --json is given and the answer is no', async () => {
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

  test('says what it waits for when it has nothing to read', async () => {
    const { screen } = await atTerminal('cinder-backend', { connection: database.connection }, [
      { when: /Press Ctrl-D/, type: '{"host": "vol2@arrayA"}\n\u0004' },
    ])
    expect(screen).toContain('"msg":"vol2@arrayA: down, enabled')
  })

  test('does not fail when the pipe is closed early', () => {
    const { stdout, stderr, status } = shell('set -o pipefail; cinder-backend list | head -1', {
      connection: database.connection,
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toMatch(/^BACKEND/)
  })
})
