import { describe, expect, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { startDeadline } from '../../../src/store/deadline.js'
import { openStore } from '../../../src/store/open.js'
import { parseUrl } from '../../../src/store/url.js'
import { engines, titled } from '../../support/databases.js'
import { FAILED_OVER, insert, service } from '../../support/rows.js'

const TARGETS = [{ kind: 'cluster' as const, name: 'c@a', desired: {} }]

describe.each(engines)('$name', (engine) => {
  test.skipIf(engine.missing !== null)(`the port of ${titled(engine)}`, async () => {
    const database = await engine.create()
    await database.execute(
      insert('clusters', { id: 1, name: 'c@a', binary: 'cinder-volume', deleted: 0, race_preventer: 0, frozen: 0 }) +
        service(1, 'vol1@a', { ...FAILED_OVER, cluster_name: 'c@a' }),
    )
    const options = { readOnly: false, signal: new AbortController().signal, warn: () => {} }
    const store = await openStore(parseUrl(database.connection), options)
    const deadline = startDeadline(10)
    expect(await store.listNames('services', deadline)).toEqual(['vol1@a'])

    // The time of the read is the database's own, for all rows, in the format of modified_at.
    const before = Date.now()
    const rows = await store.read(TARGETS, deadline)
    const format = engine.name.startsWith('SQLite') ? /^[-\d]{10} [:\d]{8}\.\d{6}$/ : /^[-\d]{10} [:\d]{8}$/
    expect(rows.map(({ table }) => table).sort()).toEqual(['clusters', 'services'])
    for (const { readAt } of rows) {
      expect(readAt).toMatch(format)
      expect(Math.abs(Date.parse(`${readAt.replace(' ', 'T')}Z`) - before)).toBeLessThan(5000)
    }

    // A change sets modified_at to the time that it is given, else to the database's own.
    const [row] = rows.filter(({ table }) => table === 'services')
    if (row === undefined) throw new Error('no row')
    const enabled = { ...row.state, disabled: false }
    await store.change(async (transaction) => {
      await transaction.lock([row])
      expect(await transaction.update({ row, after: enabled, modifiedAt: row.readAt })).toBe(true)
      expect(await transaction.update({ row, after: enabled, modifiedAt: row.readAt })).toBe(false)
    }, deadline)
    const [changed] = (await store.read(TARGETS, deadline)).filter(({ table }) => table === 'services')
    expect(changed).toMatchObject({ state: enabled, modifiedAt: row.readAt })
    if (changed === undefined) throw new Error('no row')
    await store.change(async (transaction) => {
      expect(await transaction.update({ row: changed, after: row.state })).toBe(true)
    }, deadline)
    const [again] = (await store.read(TARGETS, deadline)).filter(({ table }) => table === 'services')
    expect(again?.modifiedAt).toMatch(format)

    // What fails half-way leaves nothing, also where the next change of the same run succeeds.
    if (again === undefined) throw new Error('no row')
    const failure = new AgentError('conflict', 'The second row has changed.', { transient: true })
    const half = store.change(async (transaction) => {
      expect(await transaction.update({ row: again, after: enabled })).toBe(true)
      throw failure
    }, deadline)
    await expect(half).rejects.toBe(failure)
    expect(await store.change((transaction) => transaction.read(TARGETS), deadline)).toContainEqual(
      expect.objectContaining({ table: 'services', state: again.state }),
    )
    expect((await database.rows('services'))[0]?.['updated_at']).toBe('2026-01-02 03:04:05')
    await store.close()
    await database.close()
  })
})
