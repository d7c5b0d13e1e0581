import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { readConfig } from '../../../src/oslo/config.js'
import { judge } from '../../support/judge.js'

interface Case {
  readonly files: readonly string[]
  readonly env: Record<string, string>
  readonly ask: readonly (readonly [string, string])[]
}
type Answer = { readonly values: readonly (string | null)[] } | { readonly error: string }

const ASK = [
  ['database', 'connection'],
  ['database', 'connection_parameters'],
  ['DEFAULT', 'service_down_time'],
  ['DEFAULT', 'foo'],
  ['arraya', 'foo'],
] as const

/** How our reader answers what oslo.config is asked. */
function ours({ files, env }: Case): Answer {
  try {
    const lookup = readConfig(
      files.map((text, index) => ({ path: `${index}.conf`, text })),
      env,
    )
    return {
      values: ASK.map(([group, name]) => lookup({ group, name })?.value ?? null),
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'config_error') throw error
    return { error: error.message }
  }
}

const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
const header = oneOf(
  '[DEFAULT]',
  '[database]',
  '[DATABASE]',
  '[Database]',
  '[arrayA]',
  '[sql]',
  '[default]',
  '[ arrayA ]',
  '[arrayA]  ',
)
const brokenHeader = oneOf('[database] # no', '[]', '[database', '[')
const key = oneOf(
  'connection',
  'connection_parameters',
  'service_down_time',
  'foo',
  'Foo',
  'sql_connection',
  'state_path',
  'bar',
)
const reference = oneOf(
  '$foo',
  '${foo}',
  '${arraya.foo}',
  '$foo.x',
  '$$foo',
  '\\$foo',
  '$',
  '$1',
  '${',
  '${foo',
  '$state_path/x',
  '$bar',
  '${nosuch}',
  '$FOO',
  '${database.connection}',
)
const value = fc
  .array(
    fc.oneof(
      reference,
      oneOf(
        'a',
        'b c',
        ',',
        ':',
        '=',
        '"',
        "'",
        '#',
        ';',
        'ä',
        '\u3000',
        '\u00a0',
        '\ufeff',
        '%40',
        '  ',
        '\t',
        '\\',
        'mysql://u:p@h/d?x=y',
      ),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''))
const quoted = fc.tuple(oneOf('"', "'"), value).map(([quote, text]) => quote + text + quote)
const blanks = oneOf('', ' ', '  ', '\t')
const assignment = fc
  .tuple(key, blanks, oneOf('=', ':'), blanks, fc.oneof(value, quoted))
  .map((parts) => parts.join(''))
const continuation = fc
  .tuple(oneOf(' ', '\t', '   '), fc.oneof(value, oneOf('# indented', 'x = y')))
  .map((parts) => parts.join(''))
const calm = fc.oneof(
  { weight: 3, arbitrary: header },
  { weight: 8, arbitrary: assignment },
  { weight: 2, arbitrary: fc.tuple(assignment, continuation).map((lines) => lines.join('\n')) },
  { weight: 2, arbitrary: oneOf('', '  ', '# comment', '; comment', '#connection = x') },
)
const wild = fc.oneof(
  continuation,
  brokenHeader,
  oneOf('no divider', '= value', ' : ', '\ufeff[DEFAULT]', '\u00a0foo = 1', '\ffoo = 2'),
)
const line = fc.oneof({ weight: 60, arbitrary: calm }, { weight: 1, arbitrary: wild })
const file = fc
  .tuple(header, fc.array(line, { maxLength: 12 }), oneOf('\n', '\n', '\n', '\r\n', '\r'), oneOf('', '\n'))
  .map(([first, lines, newline, end]) => [first, ...lines].join('\n').replaceAll('\n', newline) + end)
const env = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ OS_DATABASE__CONNECTION: value }) },
  { weight: 1, arbitrary: fc.record({ OS_DEFAULT__BAR: oneOf('from env', '$foo', '') }) },
)
const anyCase = fc.record({ files: fc.array(file, { minLength: 1, maxLength: 3 }), env, ask: fc.constant(ASK) })

const { missing } = inject('peers')
const title = missing.oslo === null ? '' : ` (skipped: ${missing.oslo})`

describe.skipIf(missing.oslo !== null)(`beside oslo.config itself${title}`, () => {
  test('a thousand generated sets of files are read the same, or refused by both', () => {
    const cases = fc.sample(anyCase, { numRuns: 1000, seed: Number(process.env['SEED'] ?? 1) })
    const answers = judge<Answer>('oslo', cases)
    const differing = cases.flatMap((each, index) => {
      const [theirs, own] = [answers[index], ours(each)]
      const same = theirs && 'error' in theirs ? 'error' in own : JSON.stringify(theirs) === JSON.stringify(own)
      return same ? [] : [{ ...each, theirs, own }]
    })
    expect(differing.slice(0, 3)).toEqual([])
    // Both kinds of answer must have been reached.
    expect(answers.filter((each) => 'error' in each).length).toBeGreaterThan(100)
    expect(
      answers.filter((each) => 'values' in each && each.values.some((found) => found !== null)).length,
    ).toBeGreaterThan(200)
  })
})
