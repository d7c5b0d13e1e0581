import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, inject, test } from 'vitest'
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' }
import { COMMANDS } from '../../src/frontends/cli/commands.js'
import type { ResultDocument } from '../../src/model/contract.generated.js'
import { toRequest } from '../../src/request/request.js'
import { EXECUTABLE } from '../support/agent.js'
import { sqliteByCinder, type TestDatabase, titled } from '../support/databases.js'
import { withMounts } from '../support/mounts.js'
import { HEALTHY, service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

const { folder, missing: peers } = inject('peers')
const missing = sqliteByCinder.missing ?? peers.mountNamespaces
const path = new URL('../../docs/admin-guide.md', import.meta.url).pathname
const guide = readFileSync(path, 'utf8')

/** The code blocks of a kind, of the whole guide or of the chapter with that title. */
function blocks(kind: string, chapter = ''): readonly string[] {
  const text = chapter === '' ? guide : (guide.split(`\n## ${chapter}\n`)[1]?.split('\n## ')[0] ?? '')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, found, code]) =>
    found === kind ? (code ?? '') : [],
  )
}

const SECTION = `
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 192.0.2.1
pure_api_token = token-of-A
replication_device = backend_id:arrayB,san_ip:192.0.2.2,api_token:token-of-B,type:async
`

interface Host {
  readonly run: (script: string) => Promise<string>
  /** The result of the script's last command, which is refused and leaves all as it was. */
  readonly refuses: (script: string, code: string) => Promise<ResultDocument>
  readonly database: TestDatabase
  readonly volume: ReturnType<typeof cinderVolume>
  readonly conf: () => string
}

/** A host after a failover, as the guide supposes it: cinder.conf in /etc/cinder, a unit of systemd's, the agent on PATH. */
async function hostAfterFailover(work: (host: Host) => Promise<void>) {
  const database = await sqliteByCinder.create()
  const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
  const home = mkdtempSync(join(folder, 'home-'))
  mkdirSync(join(home, 'bin'))
  const conf = readFileSync(volume.conf, 'utf8')
  writeFileSync(volume.conf, `${conf.split('[arrayA]')[0]}[arrayA]${SECTION}`)
  symlinkSync(EXECUTABLE, join(home, 'bin/cinder-backend'))
  writeFileSync(join(home, 'bin/systemctl'), systemctl(volume.service), { mode: 0o755 })
  const start = async (script: string) => {
    const shell = ['bash', '--norc', '-euo', 'pipefail', '-c', script]
    const [program = '', ...args] = withMounts({ '/etc/cinder': volume.folder }, shell)
    const child = spawn(program, args, {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${join(home, 'bin')}:${process.env['PATH']}` },
    })
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { stdout, stderr, status }
  }
  const run = async (script: string) => {
    const { status, stdout, stderr } = await start(script)
    expect(stderr).toBe('')
    expect({ status, stdout }).toMatchObject({ status: 0 })
    return stdout
  }
  const refuses = async (script: string, code: string) => {
    const look = async () => {
      const [{ report_count, updated_at, ...row } = {}] = await database.rows('services')
      return { row, conf: readFileSync(volume.conf, 'utf8'), runs: volume.runs(), starts: volume.starts().length }
    }
    const before = await look()
    const { stdout } = await start(script)
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(result, stdout).toMatchObject({ changed: false, failed: true, error: { code } })
    expect(await look()).toEqual(before)
    return result
  }
  try {
    await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
    volume.start()
    await beating(database)
    await database.execute(FAIL_OVER)
    await work({ run, refuses, database, volume, conf: () => readFileSync(volume.conf, 'utf8') })
    expect(volume.runs()).toBe(true)
    // Never on A again, and nothing is left of the proof.
    for (const { san_ip } of volume.starts().slice(1)) expect(san_ip).not.toBe('192.0.2.1')
    expect(readdirSync(volume.folder).filter((name) => name.startsWith('.cinder.conf'))).toEqual([])
  } finally {
    volume.stop()
    await database.close()
  }
}

/** systemd's unit cinder-volume, by the programs that stop and start it. */
function systemctl({ start, stop, status }: ReturnType<typeof cinderVolume>['service']): string {
  return `#!/bin/sh
case "$*" in
"is-active cinder-volume") ${status.join(' ')} && echo active || { echo inactive; exit 3; } ;;
"show --property=LoadState --value cinder-volume") echo loaded ;;
"show --property=ExecStart --property=MainPID cinder-volume")
  echo 'ExecStart={ path=/usr/bin/cinder-volume ; argv[]=/usr/bin/cinder-volume --config-file /etc/cinder/cinder.conf ; ignore_errors=no }' ;;
"show --property=DropInPaths --property=TriggeredBy --property=UpheldBy cinder-volume") ;;
"start cinder-volume") ${start.join(' ')} ;;
"stop cinder-volume") ${stop.join(' ')} ;;
*) exit 64 ;;
esac
`
}

const promoted =
  'san_ip = 192.0.2.2\npure_api_token = token-of-B\nreplication_device = backend_id:arrayC,san_ip:192.0.2.3,api_token:token-of-C'

describe.skipIf(missing !== null)(titled({ name: 'followed to the letter', missing }), () => {
  test.concurrent('the six steps in one task', async () => {
    await hostAfterFailover(async ({ run, database, conf }) => {
      const [stand = ''] = blocks('sh', 'See where you stand')
      const [, told = ''] = /^(vol1@arrayA: .+)$/m.exec(blocks('text', 'See where you stand').join('')) ?? []
      expect(JSON.parse(await run(stand)).msg).toBe(told)
      const [write = '', check = '', promote = '', again = '', ...more] = blocks('sh', 'The six steps in one task')
      expect(more).toEqual([])
      await run(write)
      const foretold = JSON.parse(await run(check))
      expect(conf()).not.toContain('arrayC')
      const result = JSON.parse(await run(promote))
      expect(result).toMatchObject({ changed: true, failed: false })
      expect(result.backends[0].actions).toEqual(foretold.backends[0].actions)
      expect(result.backends[0].actions).toHaveLength(7)
      expect(JSON.parse(await run(again))).toMatchObject({ changed: false, failed: false })
      const [look = ''] = blocks('sh', 'Check the result')
      expect(guide).toContain(JSON.parse(await run(look)).msg.replace('vol1@arrayA: ', ''))
      expect(conf()).toContain(promoted)
      expect(await database.rows('services')).toMatchObject([HEALTHY])
    })
  })

  test.concurrent('the six steps one by one', async () => {
    await hostAfterFailover(async ({ run, database, conf }) => {
      const steps = blocks('sh', 'The six steps one by one')
      expect(steps).toHaveLength(6)
      for (const step of steps) {
        const results = (await run(step))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
        expect(results.at(-1)).toMatchObject({ changed: true, failed: false })
      }
      expect(conf()).toContain(promoted)
      expect(await database.rows('services')).toMatchObject([HEALTHY])
    })
  })
})

/** The steps of the guide, one by one. */
const [freeze = '', stop = '', edit = '', reset = '', start = '', thaw = ''] = blocks('sh', 'The six steps one by one')
const [write = '', , whole = ''] = blocks('sh', 'The six steps in one task')

/** The whole promotion with other keys. */
const promotion = (config: object, more: object = {}) => {
  const request = JSON.parse(/<<'END'\n(.*?)^END$/ms.exec(write)?.[1] ?? '')
  return `cinder-backend <<'END'\n${JSON.stringify({ ...request, config, ...more })}\nEND`
}
const B = { san_ip: '192.0.2.2', pure_api_token: 'token-of-B' }
const C = { backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 'token-of-C' }

describe.skipIf(missing !== null)(titled({ name: 'followed in a wrong order', missing }), () => {
  const settled = async ({ conf, database }: Host) => {
    expect(conf()).toContain(promoted)
    expect(await database.rows('services')).toMatchObject([HEALTHY])
  }

  test.concurrent('a policy resets between the stop and the edit', async () => {
    await hostAfterFailover(async (host) => {
      for (const step of [freeze, stop]) await host.run(step)
      const policy = '{"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled"}'
      await host.refuses(`echo '${policy}' | cinder-backend`, 'not_promoted')
      await host.refuses(reset, 'not_promoted')
      await host.refuses(start, 'failed_over')
      await host.run(edit)
      await host.refuses(start, 'failed_over')
      await host.refuses(thaw, 'failed_over')
      for (const step of [reset, start, thaw]) await host.run(step)
      await settled(host)
    })
  })

  test.concurrent('the section is written by hand before: all of it, and not', async () => {
    await hostAfterFailover(async (host) => {
      const { volume } = host
      const old = host.conf()
      const handWritten = old.replace(SECTION.slice(SECTION.indexOf('san_ip')), `${promoted}\n`)
      await host.run(write)
      writeFileSync(volume.conf, handWritten.replace('192.0.2.2', '192.0.2.1').replace('token-of-B', 'token-of-A'))
      await host.refuses(whole, 'not_promoted')
      const { error } = await host.refuses(promotion({ replication_device: [C] }), 'not_promoted')
      expect(error?.hint).toContain('promoted')
      writeFileSync(volume.conf, handWritten)
      await host.refuses(whole, 'not_promoted')
      await host.run(promotion({ promote: 'arrayB', replication_device: [C] }, { promoted: 'arrayB' }))
      await settled(host)
    })
  })

  test.concurrent('another hand puts the new replica alone, and the options come beside promoted', async () => {
    await hostAfterFailover(async (host) => {
      const { volume } = host
      const device = /^replication_device.*$/m
      writeFileSync(volume.conf, host.conf().replace(device, promoted.split('\n')[2] ?? ''))
      await host.run(promotion({ options: B, replication_device: [C] }, { promoted: 'arrayB' }))
      await settled(host)
    })
  })

  test.concurrent('the old section is put back after the edit', async () => {
    await hostAfterFailover(async (host) => {
      const { volume } = host
      const old = host.conf()
      for (const step of [freeze, stop, edit]) await host.run(step)
      for (const put of [old, old.replace(/^replication_device.*$/m, promoted.split('\n')[2] ?? '')]) {
        writeFileSync(volume.conf, put)
        for (const script of [reset, reset.replace('"frozen"', '"promoted": "arrayB", "frozen"')])
          await host.refuses(script, 'not_promoted')
      }
      await host.run(promotion({ options: B, replication_device: [C] }))
      await settled(host)
    })
  })

  test.concurrent('the row is reset by hand before the edit', async () => {
    await hostAfterFailover(async (host) => {
      for (const step of [freeze, stop]) await host.run(step)
      await host.database.execute(
        "UPDATE services SET active_backend_id = NULL, replication_status = 'enabled', disabled_reason = 'frozen'",
      )
      await host.run(write)
      const { error } = await host.refuses(whole, 'not_failed_over')
      expect(error?.hint).toContain('config.options')
      await host.run(promotion({ options: B, replication_device: [C] }))
      await settled(host)
    })
  })

  test.concurrent('the promotion of before is run again after a failover to another array', async () => {
    await hostAfterFailover(async (host) => {
      const { database, volume } = host
      await host.run(write)
      await host.run(whole)
      await database.execute(FAIL_OVER.replace('arrayB', 'arrayC'))
      const { error } = await host.refuses(whole, 'not_failed_over')
      expect(error?.hint).toContain('arrayC')
      await host.refuses(edit, 'not_failed_over')
      await host.refuses(reset, 'not_promoted')
      await host.refuses(promotion({ options: B, replication_device: [C] }), 'not_promoted')
      await host.refuses(promotion({ options: B }, { promoted: 'arrayB' }), 'not_promoted')
      await host.run(promotion({ promote: 'arrayC', replication_device: [] }, { replication: 'disabled' }))
      expect(volume.starts().at(-1)).toMatchObject({ san_ip: '192.0.2.3', replication_device: null })
    })
  })
})

const fits = (request: unknown) => toRequest(request, { check: false, diff: false })

test('every request in it is one', () => {
  const written = [...guide.matchAll(/<<'END'\n(.*?)^END$/gms)].map(([, request = '']) => request)
  const requests = [...blocks('json'), ...written]
  expect(requests.length).toBeGreaterThanOrEqual(8)
  for (const request of requests) expect(() => fits(JSON.parse(request)), request).not.toThrow()
})

test('every service in its table is one', () => {
  const services = [...guide.matchAll(/`(\{"manager".+?\})`/g)].map(([, found = '']) => JSON.parse(found))
  expect(services.length).toBeGreaterThanOrEqual(6)
  for (const found of services) expect(fits({ host: 'vol1@arrayA', service: found })).toMatchObject({ service: found })
})

test('each guard, and each error that an operator can do something about, has a row', () => {
  const codes = resultSchema.$defs.error.properties.code.enum
  const told = codes.filter((code) => new RegExp(`^\\| .*\`${code}\``, 'm').test(guide))
  expect(codes.filter((code) => !told.includes(code))).toEqual([
    'invalid_json',
    'connection_failed',
    'access_denied',
    'schema_mismatch',
    'ambiguous_service',
    'busy',
    'interrupted',
    'internal_error',
  ])
})

test('its commands are some', () => {
  const names = COMMANDS.map(({ name }) => name)
  const used = [...guide.matchAll(/`cinder-backend ([a-z-]+)/g)].map(([, name]) => name)
  expect(used).toContain('promote')
  for (const name of used) expect(names).toContain(name)
})

test('its links lead somewhere', () => {
  const headings = [...guide.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const [, link = ''] of guide.matchAll(/\]\(([^)]+)\)/g)) {
    const [file = '', anchor] = link.split('#')
    if (file === '') expect(headings).toContain(anchor)
    else expect(existsSync(join(dirname(path), file)), link).toBe(true)
  }
})
