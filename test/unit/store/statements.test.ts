import { describe, expect, test } from 'vitest'
import type { Row, RowChange } from '../../../src/model/backend.js'
import { type Dialect, makeReadStatement, makeUpdateStatement } from '../../../src/store/statements.js'
import { observeWorld } from '../../support/world.js'
import { ask, HEALTHY, makeHostWorld } from '../../support/worlds.js'

const DIALECT: Dialect = {
  age: 'AGE',
  utcNow: 'NOW',
  text: (column) => `TEXT(${column})`,
  same: 'SAME',
  isIn: (column) => `${column} IN (?)`,
}
const FROZEN = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }

const request = ask({})
const [row] = (await observeWorld(makeHostWorld(HEALTHY, 'stopped'), request)).backends.flatMap((each) => each.services)
if (row === undefined) throw new Error('a world without its row')
const service: Row = row

/** What is set, by column, and what the row must still hold. A part without a `?` is SQL. */
function take(change: RowChange) {
  const { sql, values } = makeUpdateStatement(DIALECT, change)
  const [, table, set = '', where = ''] = /^UPDATE (\w+) SET (.*) WHERE (.*)$/.exec(sql) ?? []
  const rest = [...values]
  const read = (part: string): [string, unknown] => {
    const [column = '', value] = part.split(/ (?:=|SAME) /)
    return [column, value === '?' ? rest.shift() : value]
  }
  const result = {
    table,
    set: Object.fromEntries(set.split(', ').map(read)),
    where: Object.fromEntries(where.split(' AND ').map(read)),
  }
  expect(rest).toEqual([])
  return result
}

describe('an update', () => {
  test('sets the columns that differ, by primary key, where the row still holds what is stored', () => {
    const stored = { ...service.stored, active_backend_id: '', disabled: null }
    expect(take({ row: { ...service, stored }, after: { ...HEALTHY, replication_status: 'disabled' } })).toEqual({
      table: 'services',
      set: { replication_status: 'disabled' },
      where: {
        id: 1,
        deleted: '0',
        disabled: null,
        disabled_reason: null,
        replication_status: 'enabled',
        active_backend_id: '',
        frozen: 0,
      },
    })
  })

  test('sets modified_at where disabled changes, to now or to a time of its own, and never updated_at', () => {
    const set = { disabled: 1, disabled_reason: 'frozen', frozen: 1 }
    expect(take({ row: service, after: FROZEN }).set).toEqual({ ...set, modified_at: 'NOW' })
    expect(take({ row: service, after: FROZEN, modifiedAt: 'then' }).set).toEqual({ ...set, modified_at: 'then' })
    expect(take({ row: service, after: FROZEN, modifiedAt: null }).set).toEqual({ ...set, modified_at: null })
    expect(take({ row: service, after: { ...HEALTHY, frozen: true }, modifiedAt: 'then' }).set).toEqual({ frozen: 1 })
  })

  test('sets no time in clusters, which have no such column', () => {
    const change = { row: { ...service, table: 'clusters' as const }, after: FROZEN, modifiedAt: 'then' }
    expect(take(change)).toMatchObject({
      table: 'clusters',
      set: { disabled: 1, disabled_reason: 'frozen', frozen: 1 },
    })
    expect(take(change).set).not.toHaveProperty('modified_at')
  })
})

test('only live rows of cinder-volume are read, and values are bound', () => {
  for (const targets of ['all' as const, request.targets]) {
    const { sql, values } = makeReadStatement(DIALECT, targets)
    const selects = sql.match(/SELECT/g)?.length
    const live = sql.match(/deleted = 0 AND (t\.)?`binary` = 'cinder-volume'/g)?.length
    expect(live).toBe(selects)
    expect(sql).not.toContain('vol1')
    expect(values).toEqual(targets === 'all' ? [] : [['vol1@arrayA'], ['vol1@arrayA'], [], ['vol1@arrayA'], []])
  }
})
