import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import { normalizeSection } from '../../../src/model/backend.js'
import { applyEdit, type Edit } from '../../../src/oslo/editor.js'
import { parseIni } from '../../../src/oslo/ini.js'
import { splitLines } from '../../../src/oslo/lines.js'
import { formatDevice, formatValue } from '../../../src/oslo/value.js'
import { judge } from '../../support/judge.js'

type Sections = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
interface Answer {
  readonly error?: string
  readonly before: Sections
  readonly after: Sections
  readonly options: Readonly<Record<string, string | null>>
  readonly devices: readonly Readonly<Record<string, string>>[]
}
interface Case {
  readonly file: string
  readonly section: string
  readonly options: ReadonlyMap<string, string | null>
  readonly devices: readonly ReadonlyMap<string, string>[] | undefined
}

const oneOf = (...texts: string[]) => fc.constantFrom(...texts)
const SECTIONS = ['arrayA', 'ARRAYA', 'arrayB', 'DEFAULT', 'backend_defaults']
const NAMES = ['san_ip', 'san_login', 'san_password', 'volume_driver', 'use_chap']
const word = fc
  .array(
    oneOf(
      'a',
      '1',
      ' ',
      '#',
      ';',
      '=',
      ':',
      '"',
      "'",
      '$',
      '%',
      ',',
      '[',
      ']',
      'ä',
      '\u00a0',
      '\u3000',
      '\t',
      '{x}',
      'foo',
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))
// What stands in the file already must be readable: no "$", which would refer to something.
const calmWord = word.map((text) => text.replaceAll('$', 'S'))
const devicePart = fc.tuple(
  oneOf('san_ip', 'san_login', 'type', 'conf'),
  oneOf('10.0.0.2', 'a b', 'x:y', '', 'p#ss', 'fd00::1', '"q"'),
)
const device = fc
  .tuple(oneOf('arrayB', 'arrayC', 'arrayD'), fc.array(devicePart, { maxLength: 3 }))
  .map(([id, parts]) => new Map([['backend_id', id], ...parts]))
const deviceLine = fc
  .tuple(device, oneOf(',', ', ', ',\n    '), oneOf(':', ': '))
  .map(
    ([parts, comma, colon]) =>
      `replication_device = ${[...parts].map(([key, value]) => `${key}${colon}${value}`).join(comma)}`,
  )
const assignment = fc
  .tuple(
    oneOf(...NAMES),
    oneOf('=', ' = ', ': ', '  =\t'),
    calmWord,
    oneOf('', '', '\n  continued', '\n\t# no comment\n  more'),
  )
  .map((parts) => parts.join(''))
const line = fc.oneof(
  { weight: 6, arbitrary: assignment },
  { weight: 2, arbitrary: deviceLine },
  { weight: 3, arbitrary: oneOf('', '# a comment', '#san_ip = <None>', '; another', '#[arrayA]') },
  { weight: 2, arbitrary: fc.constantFrom(...SECTIONS).map((name) => `\n[${name}]`) },
)
const file = fc
  .tuple(fc.array(line, { maxLength: 14 }), oneOf('\n', '\n', '\n', '\r\n', '\r'), oneOf('', '\n', '\n\n'))
  .map(([lines, newline, end]) =>
    (['[DEFAULT]', ...lines.slice(0, 3), '[arrayA]', ...lines.slice(3)].join('\n') + end).replaceAll('\n', newline),
  )
const anyCase: fc.Arbitrary<Case> = fc.record({
  file,
  section: oneOf('arrayA', 'arraya'),
  options: fc
    .array(fc.tuple(oneOf(...NAMES), fc.option(word.filter((text) => !text.includes('\\$')))), { maxLength: 3 })
    .map((entries) => new Map(entries)),
  devices: fc.option(fc.array(device, { maxLength: 3 }), { nil: undefined }),
})

const inFile = ({ section, options, devices }: Case): Edit => ({
  section,
  options: new Map([...options].map(([name, value]) => [name, value === null ? null : formatValue(name, value)])),
  devices: devices?.map((device) => formatDevice(device)),
})

/** The lines that no asked option stands on. */
function untouched(text: Buffer, { section, options, devices }: Case): readonly string[] {
  const asked = (key: string) => options.has(key) || (key === 'replication_device' && devices !== undefined)
  const spans = parseIni(text.toString(), 'x').assignments.filter(
    (each) => normalizeSection(each.section) === normalizeSection(section) && asked(each.key),
  )
  return splitLines(text)
    .filter((_, index) => !spans.some(({ line: first, lastLine }) => index + 1 >= first && index + 1 <= lastLine))
    .map(({ text: content }) => content)
}

const { missing } = inject('peers')
const title =
  missing.oslo === null ? 'beside oslo.config itself' : `beside oslo.config itself (skipped: ${missing.oslo})`

describe.skipIf(missing.oslo !== null)(title, () => {
  function judged(cases: readonly Case[]) {
    const results = cases.map((each) => applyEdit(Buffer.from(each.file), 'x.conf', inFile(each)))
    const answers = judge<Answer>(
      'edits',
      cases.map(({ file: before, section, options }, index) => ({
        before,
        after: results[index]?.toString(),
        section: normalizeSection(section),
        options: [...options.keys()],
      })),
    )
    return cases.map((each, index) => ({ each, after: results[index] ?? Buffer.alloc(0), answer: answers[index] }))
  }

  test('over three thousand files and edits, what is asked is read, and all else is read, and stands, as before', () => {
    const cases = fc.sample(anyCase, { numRuns: 3000, seed: Number(process.env['SEED'] ?? 1) })
    for (const { each, after, answer } of judged(cases)) {
      const context = JSON.stringify({ ...each, options: [...each.options], after: after.toString(), answer })
      expect(answer?.error, context).toBeUndefined()
      expect(answer?.options, context).toEqual(Object.fromEntries(each.options))
      if (each.devices) expect(answer?.devices, context).toEqual(each.devices.map((entry) => Object.fromEntries(entry)))
      const rest = (sections: Sections | undefined) =>
        Object.fromEntries(
          Object.entries(sections ?? {}).map(([name, options]) => [
            name,
            name === 'arraya'
              ? Object.fromEntries(
                  Object.entries(options).filter(
                    ([key]) => !each.options.has(key) && !(key === 'replication_device' && each.devices),
                  ),
                )
              : options,
          ]),
        )
      expect(rest(answer?.after), context).toEqual(rest(answer?.before))
      expect(untouched(after, each), context).toEqual(untouched(Buffer.from(each.file), each))
    }
  })

  test.each(DEPLOYED)('a file in the form of %s', (_, section, text) => {
    const options = new Map([
      ['san_ip', '10.0.0.2'],
      ['san_password', ' $a#"'],
      ['volume_driver', null],
    ])
    const each: Case = { file: text, section, options, devices: [new Map([['backend_id', 'arrayC']])] }
    const [result] = judged([each])
    expect(result?.answer?.options).toEqual(Object.fromEntries(options))
    expect(result?.answer?.devices).toEqual([{ backend_id: 'arrayC' }])
    const { [section]: before, ...othersBefore } = result?.answer?.before ?? {}
    const { [section]: after, ...othersAfter } = result?.answer?.after ?? {}
    expect(othersAfter).toEqual(othersBefore)
    expect(Object.keys(after ?? {}).sort()).toEqual(
      [...new Set([...Object.keys(before ?? {}), 'san_ip', 'san_password', 'replication_device'])]
        .filter((key) => key !== 'volume_driver')
        .sort(),
    )
    expect(untouched(result?.after ?? Buffer.alloc(0), each)).toEqual(untouched(Buffer.from(text), each))
  })

  test("Debian's own cinder.conf, of some thousand lines", () => {
    const own = '/etc/cinder/cinder.conf'
    const text = existsSync(own) ? readFileSync(own, 'utf8') : '[DEFAULT]\n'
    const each: Case = {
      file: `${text}\n[arrayA]\nsan_ip=10.0.0.1\n`,
      section: 'arrayA',
      options: new Map([
        ['san_ip', '10.0.0.2'],
        ['san_login', 'admin'],
      ]),
      devices: [new Map([['backend_id', 'arrayC']])],
    }
    const [result] = judged([each])
    expect(result?.after.toString()).toBe(
      each.file.replace(
        'san_ip=10.0.0.1\n',
        'san_ip=10.0.0.2\nsan_login=admin\nreplication_device=backend_id:arrayC\n',
      ),
    )
    expect(result?.answer?.options).toEqual({ san_ip: '10.0.0.2', san_login: 'admin' })
  })
})

/** As the tools write it, in short. */
const DEPLOYED: readonly (readonly [string, string, string])[] = [
  [
    'kolla-ansible',
    'rbd-1',
    '[DEFAULT]\ndebug = False\nenabled_backends = rbd-1\n\n[rbd-1]\nvolume_driver = cinder.volume.drivers.rbd.RBDDriver\nvolume_backend_name = rbd-1\nrbd_pool = volumes\nrbd_ceph_conf = /etc/ceph/ceph.conf\nreport_discard_supported = true\n\n[privsep_entrypoint]\nhelper_command = sudo cinder-rootwrap /etc/cinder/rootwrap.conf privsep-helper\n\n',
  ],
  [
    'OpenStack-Ansible',
    'netapp',
    '# Ansible managed\n\n[DEFAULT]\ntransport_url = rabbit://cinder:pw@10.0.0.1:5671//cinder?ssl=1\nenabled_backends=netapp\n[netapp]\nnfs_shares_config = /etc/cinder/nfs_shares\nnetapp_password = a#b;c\n; end\n[database]\nconnection = mysql+pymysql://cinder:pw@10.0.0.1/cinder?charset=utf8&ssl_verify_cert=true\n',
  ],
  [
    'TripleO',
    'tripleo_iscsi',
    '[DEFAULT]\n\n#\n# From cinder\n#\n\n# The maximum number of items. (integer value)\n#osapi_max_limit = 1000\nenabled_backends=tripleo_iscsi\n\n\n[tripleo_iscsi]\nvolume_driver=cinder.volume.drivers.lvm.LVMVolumeDriver\nsan_ip=fd00:fd00::1\n\n\n[oslo_messaging_rabbit]\n#ssl = false\nheartbeat_timeout_threshold=60\n',
  ],
  [
    'DevStack',
    'lvmdriver-1',
    '\n[DEFAULT]\nlogging_exception_prefix = ERROR %(name)s %(instance)s\nmy_ip = 10.0.0.1\nosapi_volume_listen = 0.0.0.0\n[lvmdriver-1]\nimage_volume_cache_enabled = True\nvolume_clear = zero\nlvm_type = auto\n[keystone_authtoken]\nmemcached_servers = localhost:11211\n',
  ],
]
