import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { valid } from '../../support/agent.js'
import { atTerminal, shell } from '../../support/command.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { FAILED_OVER, service } from '../../support/rows.js'

const { missing } = inject('peers')
const waits = titled({ name: 'do not reach the terminal while the agent waits', missing: missing.script })

const fingerprint = async (database: TestDatabase) =>
  createHash('sha256')
    .update(JSON.stringify(await database.rows('services')))
    .digest('hex')

describe('control characters from the database and the files', () => {
  // A title, a colour, a carriage return, and the one-byte form of the escape sequence.
  const EVIL = '\u001b]0;title\u0007\u001b[31mred\r\n\u009b32mgreen'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not reach a terminal
  const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/
  let database: TestDatabase
  beforeEach(async () => {
    database = await embedded.create()
    const text = (value: string) => `CAST(x'${Buffer.from(value).toString('hex')}' AS TEXT)`
    await database.execute(`${service(1, 'vol1@arrayA', FAILED_OVER)}
      UPDATE services SET host = ${text(`${EVIL}@arrayA`)}, disabled_reason = ${text(EVIL)}, replication_status = ${text(EVIL)},
        active_backend_id = ${text(EVIL)}, updated_at = CURRENT_TIMESTAMP`)
  })
  afterEach(() => database.close())
  const run = (line: string, input = '') => shell(`cinder-backend ${line}`, { connection: database.connection, input })
  const host = `"$(printf '\\033]0;title\\a\\033[31mred\\r\\n\\302\\23332mgreen')@arrayA"`

  test.each([
    ['list', 0],
    ['list --names', 0],
    [`show ${host}`, 0],
    [`freeze ${host} --check`, 0],
    [`freeze ${host} --yes --save f`, 0],
    [`reset-active-backend ${host} --check`, 1],
    [`reset-active-backend ${host} --check --force`, 0],
    [`promote ${host} --to x --without-replica --check`, 1],
    [`show ${host}x`, 1],
    [`apply ${host}`, 1],
    [`freeze ${host} --save /nowhere/${host} --yes`, 1],
  ])('do not reach the terminal: %s', (line, expected) => {
    const { status, stdout, stderr } = run(line)
    expect(stdout).not.toMatch(CONTROL)
    expect(stderr).not.toMatch(CONTROL)
    expect({ status, stderr }).toEqual({
      status: expected,
      stderr: expected === 0 ? '' : expect.stringMatching(/^Error/),
    })
  })

  test.skipIf(missing.script !== null)(waits, async () => {
    const line = `cinder-backend reset-active-backend ${host} --yes --force --wait-timeout 3`
    const { screen } = await atTerminal(line, { connection: database.connection, env: { NO_COLOR: '1' } })
    expect(screen).toMatch(/waiting/)
    for (const sequence of ['\u001b]', '\u001b[3', '\u0007', '\u009b']) expect(screen).not.toContain(sequence)
  })

  test.each(['list --json', '--check'])('are escaped in JSON, so that the value stays exact: %s', (line) => {
    const { stdout } = run(line, '{"backends": "all"}')
    expect(stdout.trimEnd()).not.toMatch(CONTROL)
    expect(valid(JSON.parse(stdout)).backends).toMatchObject([
      { host: `${EVIL}@arrayA`, after: { disabled_reason: EVIL } },
    ])
  })

  test('do not keep a saved result from being undone', async () => {
    const before = await fingerprint(database)
    const done = run(`thaw ${host} --yes --force --json`)
    expect(run('undo - --yes', done.stdout)).toMatchObject({ status: 0, stderr: '' })
    expect(await fingerprint(database)).toBe(before)
  })
})
