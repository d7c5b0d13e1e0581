import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { locateDatabase } from '../../../src/observe/database.js'
import { ask } from '../../support/worlds.js'

const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-database-'))
afterAll(() => rmSync(folder, { recursive: true }))

const CONNECTION = { connection: 'sqlite:////c.sqlite' }
const SERVICE = { service: { manager: 'systemd' } }
const COMMAND = { OS_DEFAULT__SERVICE_DOWN_TIME: '33' }

/** What the request has heartbeats judged by, where cinder-volume reads a file of this text; undefined: a file that is not there. */
function timesOf(text: string | undefined, document: object, env: NodeJS.ProcessEnv = {}): readonly number[] {
  const file = join(folder, text === undefined ? 'none.conf' : 'cinder.conf')
  if (text !== undefined) writeFileSync(file, text)
  const { serviceDownTime, reportInterval } = locateDatabase(ask(document), { config_file: [file] }, env)
  return [serviceDownTime, reportInterval]
}

describe('what heartbeats are judged by', () => {
  const BOTH = '[DEFAULT]\nservice_down_time = 200\nreport_interval = 3\n'

  test.each<readonly [string, string | undefined, object, NodeJS.ProcessEnv, readonly number[]]>([
    ['is in the files, also with a connection', BOTH, CONNECTION, {}, [200, 3]],
    ['is in the files with a service too', BOTH, { ...CONNECTION, ...SERVICE }, {}, [200, 3]],
    ['is in the files without a connection', `${BOTH}[database]\nconnection = sqlite:////c.sqlite\n`, {}, {}, [200, 3]],
    ['is in the request first', BOTH, { ...CONNECTION, service_down_time: 7 }, {}, [7, 3]],
    ['is in the environment before the files', BOTH, CONNECTION, COMMAND, [33, 3]],
    ['is in the environment where the files do not have it', '[DEFAULT]\n', CONNECTION, COMMAND, [33, 10]],
    ['is by default that of Cinder', '[DEFAULT]\n# service_down_time = 200\n', CONNECTION, {}, [60, 10]],
    ['is of [DEFAULT] alone', '[arrayA]\nservice_down_time = 200\n', CONNECTION, {}, [60, 10]],
    ['is the default where there is no such file', undefined, CONNECTION, {}, [60, 10]],
    ['is the default where the file is broken', 'service_down_time = 200\n[broken\n', CONNECTION, {}, [60, 10]],
    ['is no report_interval of nothing', '[DEFAULT]\nreport_interval = 0\n', CONNECTION, {}, [60, 10]],
    ['is no negative report_interval', '[DEFAULT]\nreport_interval = -5\n', CONNECTION, {}, [60, 10]],
  ])('%s', (_, text, document, env, expected) => {
    expect(timesOf(text, document, env)).toEqual(expected)
  })

  test.each([
    ['a request about a service', SERVICE],
    ['a request that names files', { config_file: '/nowhere.conf' }],
  ])('must be readable for %s', (_, document) => {
    expect(() => timesOf(undefined, { ...CONNECTION, ...document })).toThrow(/cannot be read/)
  })
})
