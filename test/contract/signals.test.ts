import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { checked, EXECUTABLE } from '../support/agent.js'
import { embedded, mariaDb, type TestDatabase, titled } from '../support/databases.js'
import { FAILED_OVER, service } from '../support/rows.js'
import { until } from '../support/volume.js'

const RESET = { host: 'vol1@arrayA', active_backend: 'reset' }

/** Starts the agent, and ends it by a signal as soon as `ready` says so. */
async function interruptedRun(
  input: string,
  end: boolean,
  signal: NodeJS.Signals,
  ready: (child: ChildProcess) => Promise<unknown>,
) {
  const child = spawn(process.execPath, [EXECUTABLE], { stdio: ['pipe', 'pipe', 'inherit'] })
  const stdout: Buffer[] = []
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  if (end) child.stdin.end(input)
  else child.stdin.write(input)
  await ready(child)
  child.kill(signal)
  const [status] = await once(child, 'close')
  return { status, ...checked(Buffer.concat(stdout).toString()) }
}

/** Long enough for the agent to catch signals, which Linux tells, and to do what comes next. */
async function aWhile(child: ChildProcess): Promise<void> {
  const status = `/proc/${child.pid}/status`
  if (existsSync(status))
    await until('the agent catches signals', async () => catchesSighup(readFileSync(status, 'utf8')))
  await pause(400)
}

/** By the mask of caught signals, in which SIGHUP is the first bit; Node itself does not catch that one. */
function catchesSighup(status: string): boolean {
  return (BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`) & 1n) === 1n
}

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', (signal) => {
  test('while the request is still being read ends in one JSON result', async () => {
    const { result, status } = await interruptedRun('{"host":', false, signal, aWhile)
    expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'interrupted' } })
    expect(status).toBe(1)
    expect(result.msg).not.toContain('transaction') // there was none
  })
})

describe('SIGTERM while the agent waits for a lock ends in one JSON result, and nothing is written', () => {
  let database: TestDatabase
  afterEach(() => database.close())

  describe('SQLite', () => {
    beforeEach(async () => {
      database = await embedded.create()
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    })

    test('in time', async () => {
      await database.execute('BEGIN IMMEDIATE')
      const request = JSON.stringify({ ...RESET, connection: database.connection })
      const { result } = await interruptedRun(request, true, 'SIGTERM', aWhile)
      await database.execute('ROLLBACK')
      expect(result).toMatchObject({ changed: false, error: { code: 'interrupted' } })
    })
  })

  describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
    beforeEach(async () => {
      database = await mariaDb.create()
      await database.execute(service(1, 'vol1@arrayA', FAILED_OVER))
    })

    test('in time, and the server rolls back', async () => {
      const before = await database.rows('services')
      await database.execute('START TRANSACTION; SELECT id FROM services WHERE id = 1 FOR UPDATE')
      const request = JSON.stringify({ ...RESET, connection: database.connection })
      const { result } = await interruptedRun(request, true, 'SIGTERM', aWhile)
      await database.execute('ROLLBACK')
      expect(result).toMatchObject({ changed: false, error: { code: 'interrupted' } })
      const other = await createConnection({ socketPath: inject('peers').mariadb.socket, user: 'root' })
      await other.end()
      expect(await database.rows('services')).toEqual(before)
    })
  })
})

describe('SIGTERM in the middle of a promotion ends in one JSON result that tells what was done', () => {
  let database: TestDatabase
  let place: string
  beforeEach(async () => {
    database = await embedded.create()
    await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, frozen: 0 }))
    place = mkdtempSync(join(inject('peers').folder, 'signal-'))
  })
  afterEach(() => database.close())

  const mark = () => join(place, 'reached')
  const reached = () => until('the mark is there', async () => existsSync(mark()))
  const request = (service: object) =>
    JSON.stringify({
      ...RESET,
      host: 'vol1@arrayA',
      replication: 'enabled',
      frozen: false,
      promoted: 'arrayB',
      connection: database.connection,
      service: { manager: 'command', ...service },
    })

  test('while the service is being stopped', async () => {
    const slow = { start: ['true'], stop: ['/bin/sh', '-c', `touch ${mark()}; sleep 60`], status: ['true'] }
    const { result } = await interruptedRun(request(slow), true, 'SIGTERM', reached)
    expect(result).toMatchObject({
      changed: true,
      error: {
        code: 'interrupted',
        pending: ['stop_service', 'reset_active_backend', 'enable_replication', 'start_service', 'thaw'],
      },
      backends: [{ actions: ['freeze'] }],
    })
  })

  test('while the heartbeat is waited for', async () => {
    const on = join(place, 'on')
    const mute = { start: ['touch', on, mark()], stop: ['rm', on], status: ['test', '-e', on] }
    const { result } = await interruptedRun(request(mute), true, 'SIGTERM', async (child) => {
      await reached()
      await aWhile(child)
    })
    expect(result).toMatchObject({
      changed: true,
      error: { code: 'interrupted', pending: ['thaw'] },
      backends: [{ actions: ['freeze', 'reset_active_backend', 'enable_replication', 'start_service'] }],
    })
    expect(result.msg).toContain('the same request would go on with thaw.')
  })

  const { script } = inject('peers').missing
  const told = titled({ name: 'at a terminal the steps are told as they are done', missing: script })
  test.skipIf(script !== null)(told, () => {
    const on = join(place, 'on')
    writeFileSync(on, '')
    const there = { start: ['touch', on], stop: ['rm', on], status: ['test', '-e', on], state: 'stopped' }
    writeFileSync(join(place, 'request.json'), JSON.stringify({ ...JSON.parse(request(there)), frozen: true }))
    const { stdout } = spawnSync('script', ['-qec', `${EXECUTABLE} < ${place}/request.json`, '/dev/null'], {
      encoding: 'utf8',
      cwd: place,
    })
    expect(stdout.split(/\r?\n/).slice(0, 3)).toEqual([
      'cinder-backend: writing the rows: freeze the backend',
      'cinder-backend: stopping cinder-volume (command)',
      'cinder-backend: writing the rows: reset the active backend, enable replication',
    ])
  })
})
