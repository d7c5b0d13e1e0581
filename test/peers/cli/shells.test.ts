import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { COMMANDS } from '../../../src/frontends/cli/commands.js'
import { renderManual } from '../../../src/frontends/cli/manual.js'
import { atTerminal, shell } from '../../support/command.js'
import { embedded, type TestDatabase } from '../../support/databases.js'
import { seed } from '../../support/fleet.js'

const { folder, missing } = inject('peers')

test.skipIf(missing.man !== null)(
  `the manual is read without a complaint${missing.man === null ? '' : ` (skipped: ${missing.man})`}`,
  () => {
    const page = join(mkdtempSync(join(folder, 'man-')), 'cinder-backend.1')
    writeFileSync(page, renderManual('1.2.3'))
    const { status, stdout, stderr } = shell(`MANWIDTH=80 man --warnings -l ${page} | col -b`, { connection: '' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const text = stdout.replace(/\s+/g, ' ')
    expect(text).toContain('cinder-backend - promote the replica of an OpenStack Cinder volume backend')
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
