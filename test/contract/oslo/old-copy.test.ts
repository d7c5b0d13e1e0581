import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { readOldCopies } from '../../../src/oslo/old-copies.js'
import { agent, EXECUTABLE } from '../../support/agent.js'
import { confFile, PURE } from '../../support/conf.js'
import { embedded, type TestDatabase } from '../../support/databases.js'
import { FAILED_OVER, service } from '../../support/rows.js'

const { folder, missing } = inject('peers')
const root = process.getuid?.() === 0
const byRoot = root ? '' : ' (skipped: needs root)'

const NAME = '.cinder.conf.before-promotion-arrayA'
const EDIT = { promote: 'arrayB', replication_device: [{ backend_id: 'arrayC', san_ip: '10.0.0.3' }] }
const RESET = { active_backend: 'reset', replication: 'enabled', frozen: false }

let database: TestDatabase
beforeEach(async () => {
  database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA', { ...FAILED_OVER, updated_at: null }))
})
afterEach(() => database.close())

const run = async (file: string, request: object, host = 'vol1@arrayA') =>
  (await agent({ host, connection: database.connection, config_file: file, ...request })).result
const edit = async (file: string, host?: string) =>
  expect(await run(file, { config: EDIT }, host)).toMatchObject({ changed: true, failed: false })
const reset = async (file: string, host?: string) =>
  expect(await run(file, RESET, host)).toMatchObject({ changed: true, failed: false })
const list = (file: string) => readdirSync(dirname(file)).sort()

describe('the old copy', () => {
  test.each([0o600, 0o640, 0o644])('has the mode of cinder.conf: %o', async (mode) => {
    const file = confFile(PURE)
    chmodSync(file, mode)
    await edit(file)
    const copy = join(dirname(file), NAME)
    expect(readFileSync(copy, 'utf8')).toBe(PURE)
    for (const path of [copy, file]) expect(statSync(path).mode & 0o7777).toBe(mode)
  })

  test.skipIf(!root)(`has the owner and the group of cinder.conf${byRoot}`, async () => {
    const file = confFile(PURE)
    chownSync(file, 4321, 1234)
    await edit(file)
    expect(statSync(join(dirname(file), NAME))).toMatchObject({ uid: 4321, gid: 1234 })
  })

  test('is beside the file that a link leads to, and is found through the link', async () => {
    const real = confFile(PURE)
    const link = join(mkdtempSync(join(folder, 'link-')), 'cinder.conf')
    symlinkSync(real, link)
    await edit(link)
    expect(list(link)).toEqual(['cinder.conf'])
    expect(list(real)).toEqual([NAME, 'cinder.conf'])
    await reset(link)
    expect(list(real)).toEqual(['cinder.conf'])
  })

  test('takes the place of a link, which is not followed', async () => {
    const file = confFile(PURE)
    const copy = join(dirname(file), NAME)
    const theirs = confFile('theirs', 'theirs')
    symlinkSync(theirs, copy)
    await edit(file)
    expect(lstatSync(copy).isSymbolicLink()).toBe(false)
    expect(readFileSync(copy, 'utf8')).toBe(PURE)
    await reset(file)
    expect(readFileSync(theirs, 'utf8')).toBe('theirs')
    expect(list(file)).toEqual(['cinder.conf'])
  })

  test('that cannot be made keeps the file as it was', async () => {
    const file = confFile(PURE)
    mkdirSync(join(dirname(file), NAME))
    const before = list(file)
    expect(await run(file, { config: EDIT })).toMatchObject({ changed: false, error: { code: 'config_write_failed' } })
    expect(readFileSync(file, 'utf8')).toBe(PURE)
    expect(list(file)).toEqual(before)
  })

  test('is not made by an edit that leaves the entry, nor for a backend that is not failed over', async () => {
    const file = confFile(PURE)
    expect(await run(file, { config: { options: { use_chap_auth: true } } })).toMatchObject({ changed: true })
    await database.execute(`DELETE FROM services;\n${service(1, 'vol1@arrayA')}`)
    const config = { replication_device: EDIT.replication_device }
    expect(await run(file, { config })).toMatchObject({ changed: true, failed: false })
    expect(list(file)).toEqual(['cinder.conf'])
  })

  test('is one for each section of the file, and each goes with its own reset', async () => {
    await database.execute(service(2, 'vol1@arrayX', { ...FAILED_OVER, updated_at: null }))
    const file = confFile(`${PURE}${PURE.replace('[arrayA]', '[arrayX]')}`)
    const other = NAME.replace('arrayA', 'arrayX')
    await edit(file)
    await edit(file, 'vol1@arrayX')
    expect(list(file)).toEqual([NAME, other, 'cinder.conf'])
    await reset(file)
    expect(list(file)).toEqual([other, 'cinder.conf'])
    await reset(file, 'vol1@arrayX')
    expect(list(file)).toEqual(['cinder.conf'])
  })

  test.each(['array A', 'a/b', '../b', '%41', '.', 'tür', 'a\'b"', 'x.conf'])(
    'of the section %j stays in the folder, and is found again',
    async (section) => {
      const host = `vol1@${section}`
      await database.execute(`DELETE FROM services;\n${service(1, host, { ...FAILED_OVER, updated_at: null })}`)
      const text = PURE.replace('[arrayA]', `[${section}]`)
      const file = confFile(text)
      await edit(file, host)
      expect(list(file)).toHaveLength(2)
      const copies = readOldCopies({ path: file, bytes: Buffer.from(''), text: '' })
      expect(copies).toMatchObject([{ section, original: file, file: { text } }])
      await reset(file, host)
      expect(list(file)).toEqual(['cinder.conf'])
    },
  )

  test.each<readonly [string, string, string | Buffer]>([
    ['is torn', NAME, PURE.slice(0, -60).replace('san_ip =', 'san_ip')],
    ['is empty', NAME, ''],
    ['is no text', NAME, Buffer.from([0xff, 0xfe, 0x5b, 0x00])],
    ['has a name that cannot be decoded', `${NAME}%`, PURE],
    ['has no section in its name', NAME.replace('arrayA', ''), PURE],
  ])('that %s proves nothing, and does no harm', async (_, name, content) => {
    const file = confFile(PURE)
    await edit(file)
    rmSync(join(dirname(file), NAME))
    writeFileSync(join(dirname(file), name), content)
    expect((await run(file, RESET)).error?.code).toBe('not_promoted')
    expect(await run(file, { ...RESET, promoted: 'arrayB' })).toMatchObject({ changed: true, failed: false })
  })
})

const { strace } = missing
describe.skipIf(strace !== null)(
  strace === null ? 'a copy that cannot be removed' : `a copy that cannot be removed (skipped: ${strace})`,
  () => {
    test('is named in a warning, and its removal is tried once', async () => {
      const file = confFile(PURE)
      const copy = join(dirname(file), NAME)
      const base = { host: 'vol1@arrayA', connection: database.connection, config_file: file }
      const inject = ['-P', copy, '-e', 'inject=/^unlink:error=EROFS']
      const [program, ...args] = ['strace', '-qq', '-o', '/dev/null', ...inject, process.execPath, EXECUTABLE]
      const { stdout } = spawnSync(program ?? '', args, {
        input: JSON.stringify({ ...base, ...RESET, config: EDIT }),
        encoding: 'utf8',
        timeout: 60_000,
      })
      const result = JSON.parse(stdout)
      expect(result).toMatchObject({ changed: true, failed: false })
      expect(result.warnings.join()).toContain(copy)
      expect(list(file)).toEqual([NAME, 'cinder.conf'])
      expect((await run(file, { frozen: false, config: EDIT })).warnings.join()).not.toContain(copy)
      expect(list(file)).toEqual(['cinder.conf'])
    })
  },
)

describe.skipIf(strace !== null)(
  strace === null ? 'a run that is killed' : `a run that is killed (skipped: ${strace})`,
  () => {
    // The signal comes before the call: the second rename puts the new file in place, and the third fsync is that of the folder after it.
    test.each<readonly [string, (copy: string) => readonly string[], string | null]>([
      ['once the copy is made', () => ['-e', 'inject=rename:signal=SIGKILL:when=2'], 'arrayB'],
      ['between the edit and the reset', () => ['-e', 'inject=fsync:signal=SIGKILL:when=3'], 'arrayB'],
      [
        'before the removal of the copy, which is the last step,',
        (copy) => ['-P', copy, '-e', 'inject=/^unlink:error=EINTR:signal=SIGKILL'],
        null,
      ],
    ])('%s is finished by the next one, which leaves no copy', async (when, inject, active) => {
      const file = confFile(PURE)
      const copy = join(dirname(file), NAME)
      const on = join(mkdtempSync(join(folder, 'flag-')), 'on')
      writeFileSync(on, '')
      const request = {
        host: 'vol1@arrayA',
        connection: database.connection,
        config_file: file,
        ...RESET,
        config: EDIT,
        service: { manager: 'command', start: ['touch', on], stop: ['rm', '-f', on], status: ['test', '-e', on] },
        wait: false,
      }
      const command = ['strace', '-qq', '-o', '/dev/null', ...inject(copy), process.execPath, EXECUTABLE]
      const [program = '', ...args] = command
      spawnSync(program, args, { input: JSON.stringify(request) })
      expect(readFileSync(copy, 'utf8')).toBe(PURE)
      expect(readFileSync(file, 'utf8') === PURE).toBe(when === 'once the copy is made')
      expect(await database.rows('services')).toMatchObject([{ active_backend_id: active }])
      expect(existsSync(on)).toBe(active === null)
      expect((await agent(request)).result).toMatchObject({ changed: active !== null, failed: false })
      expect(readFileSync(file, 'utf8')).toContain('san_ip = 10.0.0.2')
      expect(await database.rows('services')).toMatchObject([{ active_backend_id: null }])
      expect(existsSync(on)).toBe(true)
      expect(list(file)).toEqual(['cinder.conf'])
      expect((await agent(request)).result).toMatchObject({ changed: false, failed: false })
    })
  },
)
