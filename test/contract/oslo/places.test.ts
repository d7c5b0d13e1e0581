import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { agent } from '../../support/agent.js'
import { confFile, PURE } from '../../support/conf.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { FAILED_OVER, service } from '../../support/rows.js'

const { folder, missing } = inject('peers')
const EDITED = PURE.replace('san_ip = 10.0.0.1', 'san_ip = 10.0.0.9')
const config = { options: { san_ip: '10.0.0.9' } }

/** A folder with a systemctl that knows one stopped unit. */
function makeSystemctl(args: string, program = '/usr/bin/cinder-volume'): string {
  const bin = mkdtempSync(join(folder, 'bin-'))
  const shown = `ExecStart={ path=${program} ; argv[]=${program} ${args} ; ignore_errors=no ; pid=0 }`
  writeFileSync(
    join(bin, 'systemctl'),
    `#!/bin/sh\ncase "$*" in *ExecStart*) echo '${shown}'; echo MainPID=0 ;; *LoadState*) echo loaded ;; *DropInPaths*) ;; is-active*) echo inactive; exit 3 ;; *) exit 64 ;; esac\n`,
    { mode: 0o755 },
  )
  return bin
}

let database: TestDatabase
let home: string
beforeEach(async () => {
  database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA', { updated_at: null }))
  home = mkdtempSync(join(folder, 'home-'))
})
afterEach(() => database.close())

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}
const REFUSED = { changed: false, error: { code: 'config_error' } }
const HOST = '[DEFAULT]\nhost = vol1\n'
const good = () => `[database]\nconnection = ${database.connection}\n`
const bad = '[database]\nconnection = sqlite:////nowhere.sqlite\n'
const read = (path: string) => readFileSync(path, 'utf8')

const byMounts = titled({ name: 'the default files', missing: missing.mountNamespaces })
describe.skipIf(missing.mountNamespaces !== null)(byMounts, () => {
  let etc: string
  let cinder: string
  beforeEach(() => {
    etc = mkdtempSync(join(folder, 'etc-'))
    cinder = mkdtempSync(join(folder, 'cinder-'))
    write(join(etc, 'passwd'), `root:x:0:0::/root:/bin/sh\ncinder:x:1:1:Cinder:${cinder}:/bin/false\n`)
  })
  const ask = async (request: object = {}, env: NodeJS.ProcessEnv = {}) =>
    (await agent({ host: 'vol1@arrayA', ...request }, { env: { HOME: home, ...env }, mounts: { '/etc': etc } })).result

  test('are those of the user cinder, of /etc, of a snap, and last those of the caller', async () => {
    const snap = mkdtempSync(join(folder, 'snap-'))
    const env = { SNAP_COMMON: join(snap, 'common'), SNAP: join(snap, 'own') }
    const places = [
      join(cinder, '.cinder'),
      cinder,
      join(etc, 'cinder'),
      etc,
      join(snap, 'common/etc/cinder'),
      join(snap, 'own/etc/cinder'),
      join(home, '.cinder'),
      home,
    ].map((place) => join(place, 'cinder.conf'))
    for (const place of places) write(place, bad)
    for (const place of places) {
      write(place, good())
      expect(await ask({}, env), place).toMatchObject({ failed: false })
      unlinkSync(place)
    }
    expect(await ask({}, env)).toMatchObject({ error: { code: 'config_error' } })
  })

  test('are cinder-volume.conf after cinder.conf, and the folders after both', async () => {
    write(join(etc, 'cinder/cinder.conf'), bad)
    write(join(cinder, 'cinder-volume.conf'), good())
    expect(await ask()).toMatchObject({ failed: false })
    write(join(etc, 'cinder.conf.d/10-first.conf'), bad)
    expect(await ask()).toMatchObject({ error: { code: 'connection_failed' } })
    write(join(cinder, 'cinder-volume.conf.d/20-last.conf'), good())
    write(join(cinder, 'cinder-volume.conf.d/ignored.txt'), bad)
    expect(await ask()).toMatchObject({ failed: false })
  })

  test("of the caller are neither edited nor read for a service, nor for a reset's section", async () => {
    const { connection } = database
    const own = write(join(home, 'cinder.conf'), `${good()}${PURE}`)
    const none = { changed: false, error: { code: 'config_error' } }
    expect(await ask({ connection, config })).toMatchObject(none)
    expect(await ask({ config })).toMatchObject(none)
    const theirs = write(join(etc, 'cinder/cinder.conf'), PURE)
    const env = { OS_DEFAULT__HOST: 'vol1' } // not this machine's name
    expect(await ask({ connection, config }, env)).toMatchObject({ changed: true })
    expect([read(own), read(theirs)]).toEqual([`${good()}${PURE}`, EDITED])
    expect(await ask({ connection, config: { ...config, file: own } })).toMatchObject(none)

    unlinkSync(theirs)
    await database.execute(
      "UPDATE services SET active_backend_id = 'arrayB', replication_status = 'failed-over', frozen = 1",
    )
    // The caller's section still has arrayB as a replica; it is not that of the service, and disproves nothing.
    expect(await ask({ active_backend: 'reset' })).toMatchObject({ changed: true, failed: false })
  })
})

describe('the file that the request names', () => {
  const ask = async (request: object, path?: string) => {
    const env = path === undefined ? {} : { PATH: `${path}:${process.env['PATH']}` }
    const { connection } = database
    return (await agent({ host: 'vol1@arrayA', connection, ...request }, { env })).result
  }
  const status = { manager: 'command', start: ['true'], stop: ['true'], status: ['true'] }

  test('is refused if cinder-volume reads the section elsewhere', async () => {
    const theirs = confFile(PURE)
    const other = confFile(PURE, 'other.conf')
    for (const more of [{}, { service: status, wait: false }]) {
      const { changed, error, msg } = await ask({ config_file: theirs, config: { ...config, file: other }, ...more })
      expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'config_error' })
      expect(msg).toContain(theirs)
    }
    expect(await ask({ config_dir: dirname(theirs), config: { ...config, file: other } })).toMatchObject({
      error: { code: 'config_error' },
    })
    expect([read(theirs), read(other)]).toEqual([PURE, PURE])
  })

  test('is edited if it is one of those that cinder-volume reads, by whatever path', async () => {
    const theirs = confFile(PURE)
    const link = join(home, 'link.conf')
    symlinkSync(theirs, link)
    expect(
      await ask({ config_file: [confFile('[DEFAULT]\n'), theirs], config: { ...config, file: link } }),
    ).toMatchObject({ changed: true })
    expect(read(theirs)).toBe(EDITED)
  })

  test('is edited without a service, as the copy of a container, if the request names no other files', async () => {
    const copy = confFile(PURE)
    for (const other of [{ config_file: confFile('[arrayQ]\n') }, { config_dir: mkdtempSync(join(folder, 'dir-')) }])
      expect(await ask({ ...other, config: { ...config, file: copy } })).toMatchObject(REFUSED)
    expect(await ask({ config: { ...config, file: copy } })).toMatchObject({ changed: true })
    expect(read(copy)).toBe(EDITED)
  })

  test('is refused with a service that is not known to read it', async () => {
    const copy = confFile(PURE)
    const asked = { config: { ...config, file: copy }, service: status, wait: false, force: true }
    for (const other of [{}, { config_file: confFile('[arrayQ]\n') }]) {
      const { changed, error } = await ask({ ...asked, ...other })
      expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'config_error' })
      expect(error?.hint).toContain('config_file')
    }
    expect(read(copy)).toBe(PURE)
    expect(
      await ask({ ...asked, config_file: copy, service: { ...status, state: 'stopped', status: ['false'] } }),
    ).toMatchObject({ changed: true })
  })

  describe('with a manager that tells what cinder-volume is started with', () => {
    const systemd = { service: { manager: 'systemd', name: 'cinder-volume', state: 'stopped' }, wait: false }

    test('is refused if it is none of them, whatever else the request names', async () => {
      const theirs = confFile(PURE)
      const other = confFile(PURE, 'other.conf')
      const bin = makeSystemctl(`--config-file ${confFile(HOST)} --config-file ${theirs}`)
      const asked = { config_file: other, config: { ...config, file: other }, ...systemd }
      const { changed, error, msg } = await ask(asked, bin)
      expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'config_error' })
      expect(msg).toContain(theirs)
      expect(await ask({ ...asked, config }, bin)).toMatchObject({ changed: true })
      expect([read(theirs), read(other)]).toEqual([EDITED, PURE])
    })

    test('is refused also if it has the section alone', async () => {
      const copy = confFile(PURE)
      const bin = makeSystemctl(`--config-file ${confFile('[DEFAULT]\n')}`)
      expect(await ask({ config: { ...config, file: copy }, ...systemd }, bin)).toMatchObject({
        error: { code: 'config_error' },
      })
      expect(read(copy)).toBe(PURE)
    })

    test('gives the connection, the host and service_down_time, if the request names no files', async () => {
      const ago = new Date(Date.now() - 100_000).toISOString().replace('T', ' ').slice(0, 19)
      await database.execute(`UPDATE services SET updated_at = '${ago}'`)
      const theirs = (head: string, more = '') =>
        makeSystemctl(`--config-file=${confFile(`[DEFAULT]\n${head}\n${more}${PURE}`)}`)
      const report = { connection: undefined, ...systemd }
      expect(await ask(report, theirs('service_down_time = 200', good()))).toMatchObject({
        backends: [{ state: 'up' }],
      })
      expect(await ask(report, theirs('', good()))).toMatchObject({ backends: [{ state: 'down' }] })
      const both = { ...report, config_file: confFile(`[DEFAULT]\nservice_down_time = 50\n${good()}`) }
      expect(await ask(both, theirs('service_down_time = 200', bad))).toMatchObject({ backends: [{ state: 'up' }] })
      expect(await ask({ ...systemd, config }, theirs('host = vol7'))).toMatchObject({
        changed: false,
        error: { code: 'config_error', host: 'vol1@arrayA' },
      })
    })

    test('is that of the folders too', async () => {
      const theirs = confFile(PURE)
      const bin = makeSystemctl(`--config-file ${confFile(HOST)} --config-dir ${dirname(theirs)}`)
      expect(await ask({ config, ...systemd }, bin)).toMatchObject({ changed: true })
      expect(read(theirs)).toBe(EDITED)
    })
  })
})

describe('the machine whose name Cinder takes if cinder.conf sets no host', () => {
  const machine = hostname()
  const ask = async (request: object, bin?: string) => {
    const env = bin === undefined ? {} : { PATH: `${bin}:${process.env['PATH']}` }
    return (await agent({ host: 'vol1@arrayA', connection: database.connection, ...request }, { env })).result
  }
  /** A folder with managers that start cinder-volume with these files. */
  const manage = (file: string, name: string): string => {
    const bin = mkdtempSync(join(folder, 'bin-'))
    const words = JSON.stringify([
      'cinder-volume',
      ['--config-file', file],
      [{ Source: '/', Destination: '/' }],
      name,
      '',
    ])
    const script = `#!/bin/sh
case "$*" in
*ExecStart*) echo 'ExecStart={ path=/x ; argv[]=/usr/bin/cinder-volume --config-file ${file} ; ignore_errors=no }' ;;
*LoadState*) echo loaded ;;
*Mounts*) echo '${words}' ;;
*State.Status*) echo exited ;;
is-active*) echo inactive; exit 3 ;;
esac
`
    for (const program of ['systemctl', 'podman', 'docker']) writeFileSync(join(bin, program), script, { mode: 0o755 })
    return bin
  }
  const service = (manager: string) => ({ service: { manager, name: 'it', state: 'stopped' }, wait: false })

  test.each(['systemd', 'podman', 'docker'])('must be that of the row, with %s', async (manager) => {
    const file = confFile(PURE)
    const own = manager === 'systemd' ? machine : 'inside'
    const bin = manage(file, 'inside')
    const { changed, error, msg } = await ask({ config, ...service(manager), force: true }, bin)
    expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'config_error' })
    expect(msg).toContain(`${own}@arrayA`)
    expect(msg).toContain('sets no host')
    expect(read(file)).toBe(PURE)
    await database.execute(`UPDATE services SET host = '${own}@arrayA'`)
    expect(await ask({ host: `${own}@arrayA`, config, ...service(manager) }, bin)).toMatchObject({
      changed: true,
      warnings: [],
    })
  })

  test('is a warning if it is not that of the row and cinder-volume may run elsewhere', async () => {
    const told = { changed: true, warnings: [expect.stringContaining(machine)] }
    const commands = { manager: 'command', start: ['true'], stop: ['true'], status: ['false'], state: 'stopped' }
    expect(await ask({ config: { ...config, file: confFile(PURE) } })).toMatchObject(told)
    expect(await ask({ config_file: confFile(PURE), config, service: commands, wait: false })).toMatchObject(told)
    await database.execute(`UPDATE services SET host = '${machine}@arrayA'`)
    const own = { host: `${machine}@arrayA`, config: { ...config, file: confFile(PURE) } }
    expect(await ask(own)).toMatchObject({ changed: true, warnings: [] })
  })
})

describe('a manager that should tell its files, and does not', () => {
  const systemd = { service: { manager: 'systemd', name: 'it', state: 'stopped' }, wait: false }
  const ask = async (request: object, mounts: Readonly<Record<string, string>> = {}) => {
    const env = { PATH: `${makeSystemctl('$OPTIONS')}:${process.env['PATH']}`, OS_DEFAULT__HOST: 'vol1' }
    const { connection } = database
    return (await agent({ host: 'vol1@arrayA', connection, ...systemd, ...request }, { env, mounts })).result
  }

  test('needs config_file for an edit', async () => {
    const file = confFile(PURE)
    for (const edit of [config, { ...config, file }]) {
      const { changed, error } = await ask({ config: edit, force: true })
      expect({ changed, error }).toMatchObject({ changed: false, error: { code: 'config_error', host: 'vol1@arrayA' } })
      expect(error?.hint).toContain('config_file')
    }
    expect(read(file)).toBe(PURE)
    expect(await ask({ config_file: file, config })).toMatchObject({ changed: true })
    expect(read(file)).toBe(EDITED)
  })

  describe.skipIf(missing.mountNamespaces !== null)(
    titled({ name: 'beside default files', missing: missing.mountNamespaces }),
    () => {
      test('has no section that is edited, or that proves or disproves a promotion', async () => {
        await database.execute(
          "UPDATE services SET active_backend_id = 'arrayB', replication_status = 'failed-over', frozen = 1",
        )
        const etc = mkdtempSync(join(folder, 'etc-'))
        const theirs = write(join(etc, 'cinder/cinder.conf'), PURE)
        const mounts = { '/etc': etc }
        const reset = { active_backend: 'reset' }
        expect(await ask({ config }, mounts)).toMatchObject(REFUSED)
        expect(await ask(reset, mounts)).toMatchObject({ changed: false, error: { code: 'not_promoted' } })
        expect(read(theirs)).toBe(PURE)
        // Said by its name, it disproves what the request states.
        const stated = { ...reset, promoted: 'arrayB' }
        expect(await ask({ ...stated, config_file: theirs.replace(etc, '/etc') }, mounts)).toMatchObject({
          error: { code: 'not_promoted' },
        })
        expect(await ask(stated, mounts)).toMatchObject({ changed: true, failed: false })
      })
    },
  )
})

describe('the section of another backend', () => {
  const ask = async (request: object) =>
    (await agent({ host: 'vol1@arrayA', connection: database.connection, ...request })).result
  const both = `${PURE}${PURE.replace('[arrayA]', '[arrayB]')}`

  test('is not edited without force, and its edit by force is told', async () => {
    const text = `${HOST}${both}`
    const file = confFile(text)
    const other = { config: { file, section: 'arrayB', ...config } }
    for (const force of [false, ['not_promoted']]) {
      const { changed, error } = await ask({ ...other, force })
      expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'invalid_request' })
    }
    expect(read(file)).toBe(text)
    const forced = await ask({ ...other, force: true })
    expect(forced).toMatchObject({ changed: true, warnings: [expect.stringContaining('[arrayB]')] })
    expect(read(file)).toBe(text.replace(/san_ip = 10.0.0.1(?![\s\S]*san_ip = 10.0.0.1)/, 'san_ip = 10.0.0.9'))
  })

  test.each([
    ['vol1@arrayA', 'ARRAYA', undefined],
    ['vol1@DEFAULT', 'default', 'invalid_request'],
    ['vol1@site2@arrayA', 'arrayA', undefined],
    ['vol1@arrayA@site2', 'arrayA', 'invalid_request'],
    ['vol1', 'arrayA', undefined],
  ])('of %s is not [%s]', async (host, section, code) => {
    await database.execute(`UPDATE services SET host = '${host}'`)
    const { error } = await ask({ host, config: { file: confFile(both), section, ...config } })
    expect(error?.code).toBe(code)
  })

  test('is not looked for: it is what stands behind the last @', async () => {
    await database.execute("UPDATE services SET host = 'vol1@site2@arrayA'")
    const file = confFile(`[site2]\nsan_ip = 10.0.0.5\n${PURE}`)
    expect(await ask({ host: 'vol1@site2@arrayA', config: { file, ...config } })).toMatchObject({
      changed: true,
      backends: [{ config: { section: 'arrayA' } }],
    })
    expect(read(file)).toContain(EDITED)
  })

  test('is that of the row only if cinder.conf has the host of the row', async () => {
    await database.execute(service(2, 'vol2@arrayA', FAILED_OVER))
    const file = confFile(`[DEFAULT]\nhost = vol2\n${PURE}`)
    const { changed, error } = await ask({ config: { file, ...config } })
    expect({ changed, code: error?.code }).toEqual({ changed: false, code: 'config_error' })
    const hint = error?.hint ?? ''
    expect(hint).toContain('vol1@arrayA')
    expect(hint).toContain('config_file')
    expect(read(file)).toContain(PURE)
    expect(await ask({ host: 'vol2@arrayA', config: { file, ...config } })).toMatchObject({ changed: true })
  })
})
