import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { parseDevice } from '../../../src/oslo/device.js'
import { readInheritedDevices, readSection } from '../../../src/oslo/section.js'
import { planConfig } from '../../../src/plan/config.js'
import { withEdit } from '../../../src/plan/with-edit.js'
import { judge } from '../../support/judge.js'
import { SEED_GIVEN } from '../../support/seed.js'
import { observeWorld } from '../../support/world.js'
import { ask, FAILED_OVER, HEALTHY, makeHostWorld } from '../../support/worlds.js'

type Answer = { readonly devices: readonly (readonly [string, string][])[] } | { readonly error: string }

const oneOf = (...texts: string[]) => fc.constantFrom(...texts)

// Pieces that are mostly well formed, joined by what is mostly a comma.
const key = oneOf(
  'backend_id',
  'san_ip',
  'api_token',
  'pool',
  'target_device_id',
  ' san_login ',
  '',
  '\u00a0conf',
  'a b',
)
const value = oneOf('B', 'C', '10.0.0.2', 'x:y', '', ' a ', '"q"', 'https://h:1/', '\u3000', 'two words', "'")
const piece = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(key, value).map(([one, other]) => `${one}:${other}`) },
  { weight: 1, arbitrary: oneOf('', ' ', 'word', ':', '\t', '"', ';#', '\ufeff', '\u001c') },
)
const comma = fc.oneof(
  { weight: 12, arbitrary: oneOf(',', ', ', ' ,', ',\n    ', '\n    ,', ',\r\n\t') },
  { weight: 1, arbitrary: oneOf(',,', '\n  ', ' ', ', ,', ',\n', ',\n# no\n    ', ',\n\n  ') },
)
const end = fc.oneof({ weight: 9, arbitrary: oneOf('', ' ') }, { weight: 1, arbitrary: oneOf(',', ', ', ',\n', ':') })
const text = fc
  .tuple(fc.array(fc.tuple(piece, comma), { maxLength: 4 }), piece, end)
  .map(([pieces, last, tail]) => `${pieces.flat().join('')}${last}${tail}`)
const noise = fc.array(oneOf(',', ':', ' ', '\n', '"', "'", 'a', 'b', '\t', '\u00a0', '=', '$$'), { maxLength: 12 })
const anyText = fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: noise.map((parts) => parts.join('')) })

const entry = fc.tuple(
  oneOf('=', ' = ', ': '),
  fc.oneof(
    text,
    text.map((each) => `"${each}"`),
    oneOf('$entry', 'backend_id:$san_ip', '${arraya.entry}'),
  ),
)
const line = fc.oneof(
  { weight: 6, arbitrary: entry.map(([divider, each]) => `replication_device${divider}${each}`) },
  {
    weight: 3,
    arbitrary: oneOf(
      'san_ip = 10.0.0.1',
      'entry = backend_id:E,san_ip:5',
      'entry = backend_id:E,',
      '# comment',
      '',
      'volume_driver = x',
    ),
  },
  { weight: 1, arbitrary: oneOf('[arrayA]', '[backend_defaults]', '[ARRAYA]', '[other]', 'replication_device') },
)
const file = fc
  .tuple(fc.array(line, { maxLength: 6 }), oneOf('\n', '\n', '\r\n'))
  .map(([lines, newline]) =>
    [
      '[arrayA]',
      'san_ip = 10.0.0.1',
      'entry = backend_id:E,san_ip:5',
      '[backend_defaults]',
      'san_ip = 9',
      'entry = x:y',
      '[arrayA]',
      ...lines,
      '',
    ]
      .join('\n')
      .replaceAll(/\r?\n/g, newline),
  )

const { missing } = inject('peers')
const title = missing.oslo === null ? '' : ` (skipped: ${missing.oslo})`

const seed = SEED_GIVEN ?? randomInt(2 ** 31)
const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number): readonly T[] => fc.sample(arbitrary, { numRuns, seed })

function attempt(read: () => readonly ReadonlyMap<string, string>[]): Answer {
  try {
    return { devices: read().map((device) => [...device]) }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'config_error') throw error
    return { error: error.message }
  }
}

const isSame = (theirs: Answer | undefined, own: Answer) =>
  theirs !== undefined && ('error' in theirs ? 'error' in own : JSON.stringify(theirs) === JSON.stringify(own))

describe.skipIf(missing.oslo !== null)(`replication_device beside oslo.config itself, SEED=${seed}${title}`, () => {
  test('five thousand texts are read the same, or refused by both', () => {
    const texts = [...sample(anyText, 5000), ...KNOWN]
    const answers = judge<Answer>(
      'devices',
      texts.map((each) => ({ text: each })),
    )
    const differing = texts.flatMap((each, index) => {
      const { device } = parseDevice(each)
      const own: Answer = device === undefined ? { error: '' } : { devices: [[...device]] }
      return isSame(answers[index], own) ? [] : [{ text: each, theirs: answers[index], own }]
    })
    expect(differing.slice(0, 3)).toEqual([])
    expect(answers.filter((each) => 'error' in each).length).toBeGreaterThan(500)
    expect(answers.filter((each) => 'devices' in each).length).toBeGreaterThan(500)
  })

  test('a thousand sets of files give the same devices, or are refused by both with file and line', () => {
    const cases = sample(fc.array(file, { minLength: 1, maxLength: 2 }), 1000)
    const answers = judge<Answer>(
      'devices',
      cases.map((files) => ({ files, section: 'arraya' })),
    )
    const differing = cases.flatMap((texts, index) => {
      const files = texts.map((each, place) => ({ path: `/${place}.conf`, text: each, bytes: Buffer.from(each) }))
      const own = attempt(() => {
        const section = readSection(files, 'arrayA')
        return section === undefined ? [] : readInheritedDevices(section).map(({ read }) => read)
      })
      if ('error' in own) expect(own.error).toMatch(/\/[01]\.conf, line \d+/)
      return isSame(answers[index], own) ? [] : [{ texts, theirs: answers[index], own }]
    })
    expect(differing.slice(0, 3)).toEqual([])
    expect(answers.filter((each) => 'devices' in each && each.devices.length > 0).length).toBeGreaterThan(100)
    expect(answers.filter((each) => 'error' in each).length).toBeGreaterThan(100)
  })

  test('no edit leaves a file that oslo.config refuses, and none is called settled', async () => {
    const cases = sample(fc.tuple(file, oneOf('promote', 'true', 'replace', 'option')), 600)
    const outcomes = await Promise.all(cases.map(([each, kind]) => planFor(each, kind)))
    const answers = judge<Answer>(
      'devices',
      outcomes.map((after) => ({ files: [after ?? ''], section: 'arraya' })),
    )
    const wrong = cases.flatMap(([each, kind], index) => {
      const [after, left] = [outcomes[index], answers[index]]
      return after !== undefined && left && 'error' in left ? [{ each, kind, after, left }] : []
    })
    expect(wrong.slice(0, 3)).toEqual([])
    expect(outcomes.filter((each, index) => each !== undefined && each !== cases[index]?.[0]).length).toBeGreaterThan(
      50,
    )
  })
})

const NEW = { backend_id: 'N', san_ip: '10.0.0.9' }
const CONFIGS: Readonly<Record<string, object>> = {
  promote: { promote: 'B', options: { san_ip: '10.0.0.2' } },
  true: { promote: true, options: { san_ip: '10.0.0.2' }, replication_device: [NEW] },
  replace: { replication_device: [NEW] },
  option: { options: { san_ip: '10.0.0.7', entry: null } },
}

/** The file after the edit; undefined: it is refused. */
async function planFor(text: string, kind: string): Promise<string | undefined> {
  const request = ask({ config: CONFIGS[kind] })
  const state = kind === 'true' || kind === 'promote' ? { ...FAILED_OVER, active_backend_id: 'B' } : HEALTHY
  try {
    const observation = await observeWorld(makeHostWorld(state, 'stopped', { file: text }), request)
    if (observation.config === undefined) throw new Error('a world without its files')
    const { edit } = planConfig(request, observation)
    return withEdit(observation.config, edit).files[0]?.text
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

/** As vendors' guides and deployments have them. */
const KNOWN = [
  'backend_id:B,san_ip:2,',
  'backend_id:B,,san_ip:2',
  ',backend_id:B',
  'backend_id:B,san_ip:2\napi_token:t',
  '\nbackend_id:B,\nsan_ip:2',
  'backend_id :B, san_ip : 2',
  'storage_vnx_security_file_dir:',
  'backend_id:"B",san_ip:2',
  'a:1,a:2',
]
