import { describe, expect, test } from 'vitest'
import { toRequest } from '../../../src/request/request.js'

const NO_FLAGS = { check: false, diff: false }
const parsed = (document: object) => toRequest({ host: 'vol1@a', ...document }, NO_FLAGS)
const desired = ({ targets }: ReturnType<typeof toRequest>) =>
  targets === 'all' ? [] : targets.map((each) => each.desired)
const frozen = (value: unknown) => desired(parsed({ frozen: value }))[0]?.frozen

describe('values from callers that only have text', () => {
  test.each(['yes', 'YES', 'on', 'True', 'true', 't', 'y', '1', ' yes ', 1, true])('%j is true', (value) => {
    expect(frozen(value)).toBe(true)
  })
  test.each(['no', 'Off', 'FALSE', 'f', 'n', '0', 0, false])('%j is false', (value) => {
    expect(frozen(value)).toBe(false)
  })
  test.each(['', 'maybe', '2', 2, '1.0', [], {}])('%j is no boolean', (value) => {
    expect(() => frozen(value)).toThrow('frozen must be true or false')
  })
  test('null means not given', () => {
    expect(parsed({ frozen: null, cluster: null, timeout: null })).toEqual(parsed({}))
  })
  test('integers may have blanks around them, and nothing else', () => {
    expect(parsed({ timeout: ' 5 ' }).timeout).toBe(5)
    expect(() => parsed({ timeout: '5.0' })).toThrow('whole number')
    expect(() => parsed({ timeout: '5s' })).toThrow('whole number')
    expect(() => parsed({ timeout: true })).toThrow('whole number')
  })
  test('a list may be divided by commas, or be one value', () => {
    expect(parsed({ config_file: '/a,/b' }).source.config_file).toEqual(['/a', '/b'])
    expect(parsed({ config_file: '/a' }).source.config_file).toEqual(['/a'])
  })
  test('an object in a list may be a JSON text', () => {
    const { targets } = toRequest({ backends: ['{"cluster": "c@a", "frozen": "yes"}'] }, NO_FLAGS)
    expect(targets).toMatchObject([{ kind: 'cluster', name: 'c@a', desired: { frozen: true } }])
  })
})

describe('check mode and diff', () => {
  test.each([{ check_mode: true }, { _ansible_check_mode: true }, { _noop: true }, { _noop: 'true' }])(
    '%j asks for check mode',
    (keys) => {
      expect(parsed(keys).checkMode).toBe(true)
    },
  )
  test('are asked for by Ansible, by the request or by the command line', () => {
    expect(parsed({ _ansible_diff: true }).diff).toBe(true)
    expect(toRequest({ host: 'vol1@a' }, { check: true, diff: true })).toMatchObject({ checkMode: true, diff: true })
    expect(parsed({ _ansible_check_mode: false, _ansible_verbosity: 3, _task: 'x' })).toMatchObject({
      checkMode: false,
      diff: false,
    })
  })
})

test.each([
  ['a column itself, of several backends', { active_backend_id: 'B' }],
  ['an edit of cinder.conf, for several backends', { config: { options: { san_ip: 'x' } } }],
  ['a service, for several backends', { service: { state: 'started' } }],
])('%s is refused', (_, keys) => {
  const document = { backends: [{ host: 'a' }, { host: 'b' }], force: true, ...keys }
  expect(() => toRequest(document, NO_FLAGS)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})

test('an item takes from the top level what it lacks, also where it says null', () => {
  const document = {
    backends: [
      { host: 'a', frozen: null },
      { host: 'b', frozen: false },
    ],
    frozen: true,
    replication: 'enabled',
  }
  expect(desired(toRequest(document, NO_FLAGS))).toEqual([
    { active_backend: undefined, replication: 'enabled', frozen: true },
    { active_backend: undefined, replication: 'enabled', frozen: false },
  ])
})
