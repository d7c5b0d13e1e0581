import { describe, expect, test } from 'vitest'
import { parseNames, parseRows } from '../../../src/store/rows.js'

const READ = {
  source: 'services',
  id: 7,
  name: 'vol1@arrayA',
  cluster_name: '',
  disabled: 1,
  disabled_reason: 'frozen',
  replication_status: null,
  active_backend_id: null,
  frozen: null,
  heartbeat_age: 2_500_000,
  modified_at: null,
  report_count: 3,
  read_at: '2026-01-02 03:04:05',
}

describe('a row from an engine', () => {
  test('becomes a Row, with booleans and seconds', () => {
    expect(parseRows([READ])).toEqual([
      {
        table: 'services',
        id: 7,
        name: 'vol1@arrayA',
        clusterName: null,
        state: {
          disabled: true,
          disabled_reason: 'frozen',
          replication_status: null,
          active_backend_id: null,
          frozen: null,
        },
        stored: {
          disabled: 1,
          disabled_reason: 'frozen',
          replication_status: null,
          active_backend_id: null,
          frozen: null,
        },
        heartbeatAge: 2.5,
        modifiedAt: null,
        reportCount: 3,
        readAt: '2026-01-02 03:04:05',
      },
    ])
  })

  test.each([
    ['name', null],
    ['name', Buffer.from('vol1@arrayA')],
    ['id', '7'],
    ['source', 'volumes'],
    ['disabled', Buffer.from('1')],
    ['frozen', undefined],
    ['report_count', '3'],
    ['modified_at', 5],
    ['read_at', null],
  ])('is schema_mismatch if %s is %j', (column, value) => {
    expect(() => parseRows([{ ...READ, [column]: value }])).toThrow(
      expect.objectContaining({ code: 'schema_mismatch', problem: expect.stringContaining(column) }),
    )
  })
})

test('a name that is not a text is not offered', () => {
  expect(parseNames([{ name: 'a@b' }, { name: null }, null])).toEqual(['a@b'])
})
