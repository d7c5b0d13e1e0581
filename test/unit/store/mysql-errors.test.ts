import { expect, test } from 'vitest'
import type { ErrorCode } from '../../../src/model/contract.generated.js'
import { isConnectionLost, translateMysqlError } from '../../../src/store/mysql-errors.js'

const PLAIN = { server: 'mysql://db/cinder', wasReached: false, isCommit: false }

/** An error as mysql2 throws it. */
const failure = (errno: number, code = '') => Object.assign(new Error('it failed'), { errno, code })

test.each<readonly [string, number, string, ErrorCode, boolean]>([
  ['a deadlock', 1213, 'ER_LOCK_DEADLOCK', 'busy', true],
  ['a lock wait', 1205, 'ER_LOCK_WAIT_TIMEOUT', 'busy', true],
  ['a row changed since it was read', 1020, 'ER_CHECKREAD', 'busy', true],
  ['a node outside its Galera cluster', 1047, 'ER_UNKNOWN_COM_ERROR', 'connection_failed', true],
  ['a server that goes down', 1053, 'ER_SERVER_SHUTDOWN', 'connection_failed', true],
  ['a lost connection', -104, 'ECONNRESET', 'connection_failed', true],
  ['no server there', -111, 'ECONNREFUSED', 'connection_failed', false],
  ['a wrong password', 1045, 'ER_ACCESS_DENIED_ERROR', 'access_denied', false],
  ['a server that takes no writes', 1290, 'ER_OPTION_PREVENTS_STATEMENT', 'access_denied', false],
  ['no such table', 1146, 'ER_NO_SUCH_TABLE', 'schema_mismatch', false],
  ['no such database', 1049, 'ER_BAD_DB_ERROR', 'connection_failed', false],
  ['a statement that took too long', 1969, 'ER_STATEMENT_TIMEOUT', 'timeout', false],
])('%s', (_, errno, code, expected, transient) => {
  const error = translateMysqlError(failure(errno, code), PLAIN)
  expect(error.code).toBe(expected)
  expect(error.details).toMatchObject({ transient, unconfirmed: false })
})

test('a server that was reached before may come back', () => {
  const refused = failure(-111, 'ECONNREFUSED')
  expect(translateMysqlError(refused, { ...PLAIN, wasReached: true }).details.transient).toBe(true)
  expect(translateMysqlError(failure(1045), { ...PLAIN, wasReached: true }).details.transient).toBe(false)
})

test('a commit is in doubt if no answer came, and not if the server refused it', () => {
  const commit = { ...PLAIN, wasReached: true, isCommit: true }
  expect(translateMysqlError(failure(-104, 'ECONNRESET'), commit).details.unconfirmed).toBe(true)
  expect(translateMysqlError(failure(0, 'PROTOCOL_CONNECTION_LOST'), commit).details.unconfirmed).toBe(true)
  expect(translateMysqlError(failure(1213), commit).details.unconfirmed).toBe(false)
})

test('a connection is of no more use after all but what the server goes on after', () => {
  for (const [errno, expected] of [
    [1213, false],
    [1205, false],
    [1317, true],
    [-104, true],
  ] as const)
    expect([errno, isConnectionLost(translateMysqlError(failure(errno), PLAIN))]).toEqual([errno, expected])
})
