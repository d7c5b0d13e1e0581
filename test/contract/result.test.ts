import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent, EXECUTABLE } from '../support/agent.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { FAILED_OVER, insert, service } from '../support/rows.js'

describe('the result', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await embedded.create()
  })
  afterEach(() => database.close())

  const run = async (request: object, ...args: string[]) =>
    agent({ connection: database.connection, ...request }, { args })
  const RESET = { host: 'vol1@arrayA', active_backend: 'reset', replication: 'enabled' }

  test('has the names and the order that playbooks rely on', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    const { result } = await run(RESET, '--diff')
    expect(Object.keys(result)).toEqual(['changed', 'failed', 'msg', 'backends', 'diff', 'warnings', 'undo'])
    const keys = ['host', 'binary', 'changed', 'actions', 'before', 'after', 'state', 'heartbeat_age']
    expect(Object.keys(result.backends[0] ?? {})).toEqual(keys)
    const columns = ['disabled', 'disabled_reason', 'replication_status', 'active_backend_id', 'frozen']
    expect(Object.keys(result.backends[0]?.before ?? {})).toEqual(columns)
    expect(result.msg).toBe('vol1@arrayA: active backend reset (was arrayB), replication enabled')
    expect(result.diff).toEqual([
      {
        before_header: 'services vol1@arrayA',
        after_header: 'services vol1@arrayA',
        before:
          'disabled: true\ndisabled_reason: failed-over\nreplication_status: failed-over\nactive_backend_id: arrayB\nfrozen: true\n',
        after:
          'disabled: false\ndisabled_reason: null\nreplication_status: enabled\nactive_backend_id: null\nfrozen: true\n',
      },
    ])
  })

  test('of a failure has an error with code, host and hint, and the backends as they are', async () => {
    await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, frozen: 0 }))
    const { result } = await run(RESET, '--diff')
    expect(Object.keys(result)).toEqual(['changed', 'failed', 'msg', 'backends', 'diff', 'warnings', 'error'])
    expect(result).toMatchObject({ changed: false, diff: [], error: { code: 'not_frozen', host: 'vol1@arrayA' } })
    expect(result.backends).toMatchObject([{ changed: false, actions: [] }])
    expect(result.backends[0]?.after).toEqual(result.backends[0]?.before)
    expect(result.msg.endsWith(result.error?.hint ?? '?')).toBe(true)
  })

  test('of a cluster has its members, and the latest heartbeat among them', async () => {
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString().replace('T', ' ').slice(0, 19)
    await database.execute(
      insert('clusters', { id: 1, name: 'c@a', binary: 'cinder-volume', deleted: 0, race_preventer: 0, frozen: 0 }),
    )
    await database.execute(service(1, 'vol1@a', { cluster_name: 'c@a', updated_at: ago(600) }))
    await database.execute(service(2, 'vol2@a', { cluster_name: 'c@a', updated_at: ago(20) }))
    await database.execute(service(3, 'vol3@a', { cluster_name: 'c@a', updated_at: null }))
    const { result } = await run({ host: 'vol2@a' })
    expect(result.backends).toMatchObject([
      {
        host: 'vol2@a',
        cluster: 'c@a',
        state: 'up',
        members: [{ state: 'down' }, { state: 'up' }, { state: 'down', heartbeat_age: null }],
      },
    ])
    expect(result.backends[0]?.heartbeat_age).toBeGreaterThanOrEqual(20)
    expect(result.backends[0]?.heartbeat_age).toBeLessThan(40)
    expect(result.msg).toBe('c@a: up, enabled, not frozen, replication never set, running on primary')
  })

  test('reports without a desired state', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    const { result, status } = await run({ host: 'vol1@arrayA' }, '--detailed-exitcode')
    expect(result.msg).toBe(
      'vol1@arrayA: down, disabled (failed-over), frozen, replication failed-over, running on arrayB',
    )
    expect(status).toBe(0)
  })

  test('comes with the exit status that was asked for', async () => {
    await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    expect((await run(RESET, '--check')).status).toBe(0)
    expect((await run(RESET, '--check', '--detailed-exitcode')).status).toBe(2)
    expect((await run(RESET, '--detailed-exitcode')).status).toBe(2)
    expect((await run(RESET, '--detailed-exitcode')).status).toBe(0)
    expect((await run({ host: 'nobody' }, '--detailed-exitcode')).status).toBe(1)
  })

  test('shows text with line breaks or quotes so that it cannot be misread', async () => {
    await database.execute(
      service(1, 'vol1@arrayA', { disabled_reason: 'one\nfrozen: true', active_backend_id: '', disabled: 1 }),
    )
    const { result } = await run({ host: 'vol1@arrayA', replication: 'disabled' }, '--diff')
    expect(result.diff?.[0]?.before).toBe(
      'disabled: true\ndisabled_reason: "one\\nfrozen: true"\nreplication_status: enabled\nactive_backend_id: ""\nfrozen: false\n',
    )
  })

  test('counts the backends of a large request', async () => {
    await database.execute(
      Array.from({ length: 9 }, (_, i) =>
        service(i + 1, `vol${i}@a`, i < 7 ? { replication_status: 'disabled' } : {}),
      ).join(''),
    )
    const backends = Array.from({ length: 9 }, (_, i) => ({ host: `vol${i}@a` }))
    const { result } = await run({ backends, replication: 'enabled' })
    expect(result.msg).toMatch(/^vol0@a: replication enabled; .+; and 2 more; 2 unchanged$/)
  })

  test('offers similar names for one that is not there', async () => {
    await database.execute(service(1, 'vol1@arrayA') + service(2, 'vol2@arrayB') + service(3, 'other@nfs'))
    expect((await run({ host: 'vol1@arraya' })).result.error?.hint).toBe('Similar: vol1@arrayA, vol2@arrayB.')
    expect((await run({ host: 'vol1' })).result.error?.hint).toBe('Similar: vol1@arrayA.')
    expect((await run({ cluster: 'vol1@arrayA' })).result.error?.hint).toMatch(/It is a host/)
    expect((await run({ host: 'zzz' })).result.error?.hint).toBe('There are only vol1@arrayA, vol2@arrayB, other@nfs.')
  })
})

test('--help and --version print text', () => {
  expect(execFileSync(EXECUTABLE, ['--version']).toString()).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(execFileSync(EXECUTABLE, ['--help']).toString()).toContain('--detailed-exitcode')
})
