import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { agent, EXECUTABLE } from '../support/agent.js'
import { type Engine, mariaDb, sqliteByCinder, titled } from '../support/databases.js'
import { HEALTHY, service } from '../support/rows.js'
import { chance, tellChance } from '../support/seed.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

const { missing } = inject('peers')

/** The agent runs as the last words of the command; it is killed by it, or after so many milliseconds. */
interface Kill {
  readonly command?: readonly string[]
  readonly after?: number
}

/** A promotion that is killed: whatever was done by then, the next run does the rest, and the one after nothing. */
async function survives(engine: Engine, fake: boolean, { command = [], after }: Kill): Promise<{ killed: boolean }> {
  const database = await engine.create(true)
  const volume = cinderVolume(database, fake ? { fake, reportInterval: 1 } : {})
  const whole = () => readFileSync(volume.conf, 'utf8')
  try {
    if (fake) await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
    volume.start()
    await beating(database)
    await database.execute(FAIL_OVER)
    const old = whole()
    const request = {
      host: 'vol1@arrayA',
      active_backend: 'reset',
      replication: 'enabled',
      frozen: false,
      config_file: volume.conf,
      config: { options: { san_ip: '192.0.2.2' }, replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3' }] },
      service: volume.service,
    }
    const [program = '', ...args] = [...command, process.execPath, EXECUTABLE]
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] })
    child.stdin.on('error', () => {}) // it may be killed before it reads
    child.stdin.end(JSON.stringify(request))
    const timer = after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), after)
    const [status, signal] = await once(child, 'exit')
    clearTimeout(timer)
    const killed = status === 137 || signal === 'SIGKILL'

    const torn = whole()
    const [row] = await database.rows('services')
    const enabled = row?.['disabled'] === 0
    // Nothing may be scheduled onto the backend before its start was seen.
    if (enabled) expect(row).toMatchObject(HEALTHY)
    if (enabled) expect(volume.runs()).toBe(true)

    const next = await agent(request)
    expect(next.result).toMatchObject({ failed: false })
    const settled = whole()
    expect([old, settled]).toContain(torn)
    expect(settled).toContain('replication_device = backend_id:arrayC,san_ip:192.0.2.3')
    expect(await database.rows('services')).toMatchObject([HEALTHY])
    expect(volume.runs()).toBe(true)
    expect((await agent(request)).result).toMatchObject({ changed: false, failed: false })
    expect(readdirSync(volume.folder).filter((name) => /cinder-backend-|before-promotion/.test(name))).toEqual([])
    // Never on the old primary again.
    for (const start of volume.starts().slice(1)) expect(start).toMatchObject({ san_ip: '192.0.2.2' })
    return { killed }
  } finally {
    volume.stop()
    await database.close()
  }
}

/** Killed by chance in the span of milliseconds that begins at `first`. */
async function survivesAt(engine: Engine, fake: boolean, first: number, span: number): Promise<void> {
  const after = Math.round(first + chance(`${engine.name} ${first}`) * span)
  await tellChance(`Killed after ${after} ms`, () => survives(engine, fake, { after }))
}

const reason = missing.cinder ?? missing.strace
describe.skipIf(reason !== null)(
  reason === null ? 'killed at a system call that writes' : `killed at a system call that writes (skipped: ${reason})`,
  () => {
    const counts = { unlink: [1, 2, 3], rename: [1], ftruncate: [1], fsync: range(1, 14, 1), pwrite64: range(1, 30, 4) }
    const points = Object.entries(counts).flatMap(([call, numbers]) => numbers.map((number) => ({ call, number })))

    const reached: string[] = []
    afterAll(() => expect(reached).not.toEqual([]))

    test.concurrent.for(points)('$call number $number', async ({ call, number }, { skip }) => {
      const command = ['strace', '-qq', '-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${number}`]
      const { killed } = await survives(sqliteByCinder, true, { command })
      if (killed) reached.push(call)
      else skip(`a whole promotion makes fewer than ${number} calls of ${call}`)
    })
  },
)

describe.skipIf(missing.cinder !== null)(
  missing.cinder === null ? 'killed at any time' : `killed at any time (skipped: ${missing.cinder})`,
  () => {
    test.concurrent.each(range(200, 3200, 500))('about %i ms after its start', (milliseconds) =>
      survivesAt(sqliteByCinder, true, milliseconds, 500),
    )
  },
)

const absent = missing.cinderVolume ?? mariaDb.missing
describe.skipIf(absent !== null)(
  absent === null ? 'killed with a real cinder-volume' : `killed with a real cinder-volume (skipped: ${absent})`,
  () => {
    describe(titled(mariaDb), () => {
      test.concurrent.each(range(500, 7500, 1400))('about %i ms after its start', (milliseconds) =>
        survivesAt(mariaDb, false, milliseconds, 1400),
      )
    })
  },
)

function range(first: number, last: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step)
}
