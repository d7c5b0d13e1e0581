import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' }
import { COMMANDS } from '../../src/frontends/cli/commands.js'
import { toRequest } from '../../src/request/request.js'
import { EXECUTABLE } from '../support/agent.js'
import { sqliteByCinder, type TestDatabase, titled } from '../support/databases.js'
import { whyNoMounts, withMounts } from '../support/mounts.js'
import { HEALTHY, service } from '../support/rows.js'
import { beating, cinderVolume, FAIL_OVER } from '../support/volume.js'

const { folder } = inject('peers')
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

/** A host after a failover, as the guide supposes it: cinder.conf where Cinder looks for it, a unit of systemd's, the agent on PATH. */
async function hostAfterFailover(
  work: (run: (script: string) => string, database: TestDatabase, conf: () => string) => Promise<void>,
) {
  const database = await sqliteByCinder.create()
  const volume = cinderVolume(database, { fake: true, reportInterval: 1 })
  const home = mkdtempSync(join(folder, 'home-'))
  mkdirSync(join(home, 'etc'))
  mkdirSync(join(home, 'bin'))
  const conf = readFileSync(volume.conf, 'utf8')
  writeFileSync(volume.conf, `${conf.split('[arrayA]')[0]}[arrayA]${SECTION}`)
  symlinkSync(volume.conf, join(home, 'etc/cinder.conf'))
  symlinkSync(EXECUTABLE, join(home, 'bin/cinder-backend'))
  writeFileSync(join(home, 'bin/systemctl'), systemctl(volume.service), { mode: 0o755 })
  const run = (script: string) => {
    const command = withMounts({ '/etc/cinder': join(home, 'etc') }, [
      'bash',
      '--norc',
      '-euo',
      'pipefail',
      '-c',
      script,
    ])
    const { status, stdout, stderr } = spawnSync(command[0] ?? '', command.slice(1), {
      cwd: home,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(home, 'bin')}:${process.env['PATH']}` },
    })
    expect(stderr).toBe('')
    expect({ status, stdout }).toMatchObject({ status: 0 })
    return stdout
  }
  try {
    await database.execute(service(1, 'vol1@arrayA', { report_count: 0 }))
    volume.start()
    await beating(database)
    await database.execute(FAIL_OVER)
    await work(run, database, () => readFileSync(volume.conf, 'utf8'))
    expect(volume.runs()).toBe(true)
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
"start cinder-volume") ${start.join(' ')} ;;
"stop cinder-volume") ${stop.join(' ')} ;;
*) exit 64 ;;
esac
`
}

const promoted =
  'san_ip = 192.0.2.2\npure_api_token = token-of-B\nreplication_device = backend_id:arrayC,san_ip:192.0.2.3,api_token:token-of-C'

const missing = sqliteByCinder.missing ?? whyNoMounts

describe.skipIf(missing !== null)(titled({ name: 'followed to the letter', missing }), () => {
  test.concurrent('the six steps in one task', async () => {
    await hostAfterFailover(async (run, database, conf) => {
      const [stand = ''] = blocks('sh', 'See where you stand')
      const [, told = ''] = /^(vol1@arrayA: .+)$/m.exec(blocks('text', 'See where you stand').join('')) ?? []
      expect(JSON.parse(run(stand)).msg).toBe(told)
      const [write = '', check = '', promote = '', again = '', ...more] = blocks('sh', 'The six steps in one task')
      expect(more).toEqual([])
      run(write)
      const foretold = JSON.parse(run(check))
      expect(conf()).not.toContain('arrayC')
      const result = JSON.parse(run(promote))
      expect(result).toMatchObject({ changed: true, failed: false })
      expect(result.backends[0].actions).toEqual(foretold.backends[0].actions)
      expect(result.backends[0].actions).toHaveLength(7)
      expect(JSON.parse(run(again))).toMatchObject({ changed: false, failed: false })
      const [look = ''] = blocks('sh', 'Check the result')
      expect(guide).toContain(JSON.parse(run(look)).msg.replace('vol1@arrayA: ', ''))
      expect(conf()).toContain(promoted)
      expect(await database.rows('services')).toMatchObject([HEALTHY])
    })
  })

  test.concurrent('the six steps one by one', async () => {
    await hostAfterFailover(async (run, database, conf) => {
      const steps = blocks('sh', 'The six steps one by one')
      expect(steps).toHaveLength(6)
      for (const step of steps) {
        const results = run(step)
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
