import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { replaceFile } from '../../src/oslo/write.js'
import { agent, checked, EXECUTABLE } from '../support/agent.js'
import { confFile, PURE } from '../support/conf.js'
import { embedded, type TestDatabase } from '../support/databases.js'
import { service } from '../support/rows.js'

const { folder, missing } = inject('peers')
const root = process.getuid?.() === 0
const byRoot = root ? '' : ' (skipped: needs root)'

let database: TestDatabase
beforeAll(async () => {
  database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA'))
})
afterAll(() => database.close())

const request = (file: string, value = '10.0.0.9') => ({
  host: 'vol1@arrayA',
  connection: database.connection,
  config: { file, options: { san_ip: value } },
})
const EDITED = PURE.replace('san_ip = 10.0.0.1', 'san_ip = 10.0.0.9')

describe('the file that is written', () => {
  test('keeps its mode, and a link stays a link', async () => {
    const file = confFile(PURE)
    chmodSync(file, 0o640)
    const link = join(mkdtempSync(join(folder, 'link-')), 'cinder.conf')
    symlinkSync(file, link)
    expect((await agent(request(link))).result.changed).toBe(true)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(statSync(file).mode & 0o7777).toBe(0o640)
    expect(readFileSync(file, 'utf8')).toBe(EDITED)
    expect(readdirSync(dirname(link))).toEqual(['cinder.conf'])
  })

  test.skipIf(!root)(`keeps its owner and group, and so does the backup${byRoot}`, async () => {
    const file = confFile(PURE)
    chownSync(file, 1234, 5678)
    const { result } = await agent({
      ...request(file),
      config: { file, options: { san_ip: '10.0.0.9' }, backup: true },
    })
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 5678 })
    expect(statSync(result.backends[0]?.config?.backup ?? '')).toMatchObject({ uid: 1234, gid: 5678 })
  })

  test('keeps CRLF and Latin-1', async () => {
    const text = Buffer.from(`# caf\xe9\r\n${PURE.replaceAll('\n', '\r\n')}`, 'latin1')
    const file = confFile(text)
    await agent(request(file))
    expect(readFileSync(file).toString('latin1')).toBe(text.toString('latin1').replace('10.0.0.1', '10.0.0.9'))
  })
})

describe('a file that cannot be written is as it was, and nothing is left beside it', () => {
  const refused = async (file: string, unprivileged = false) => {
    const { result } = await agent(request(file), { unprivileged })
    expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'config_write_failed' } })
    expect(readFileSync(file, 'utf8')).toBe(PURE)
    expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
    return result.msg
  }

  test('without permission for the folder', async () => {
    const file = confFile(PURE)
    chmodSync(dirname(file), 0o555)
    await refused(file, true)
    chmodSync(dirname(file), 0o755)
  })

  test.skipIf(!root)(`whose owner the agent could not keep${byRoot}`, async () => {
    const file = confFile(PURE)
    chownSync(file, 1234, 5678)
    expect(await refused(file, true)).toContain('owner')
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 5678 })
  })

  describe.skipIf(!root)(`on a file system of its own${byRoot}`, () => {
    let mounted: string
    beforeAll(() => {
      mounted = mkdtempSync(join(folder, 'tmpfs-'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mounted])
    })
    afterAll(() => {
      execFileSync('umount', [mounted])
    })

    test('that is full, and that is read-only', async () => {
      const conf = join(mounted, 'conf')
      mkdirSync(conf)
      const file = join(conf, 'cinder.conf')
      writeFileSync(file, PURE)
      try {
        writeFileSync(join(mounted, 'ballast'), Buffer.alloc(1 << 20))
      } catch {
        // until no byte is left
      }
      expect(await refused(file)).toContain('the disk is full')
      execFileSync('rm', [join(mounted, 'ballast')])
      execFileSync('mount', ['-o', 'remount,ro', mounted])
      await refused(file)
      execFileSync('mount', ['-o', 'remount,rw', mounted])
      expect((await agent(request(file))).result.changed).toBe(true)
    })
  })
})

test('a file that somebody else replaced between reading and writing is a conflict, and theirs stays', () => {
  const file = confFile(PURE)
  writeFileSync(file, 'theirs')
  expect(() => replaceFile({ file, before: Buffer.from(PURE), after: Buffer.from(EDITED), backup: false })).toThrow(
    expect.objectContaining({ code: 'conflict' }),
  )
  expect(readFileSync(file, 'utf8')).toBe('theirs')
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
})

test.skipIf(missing.strace !== null)(
  'a folder that cannot be synced after the rename is a failure with the new content in place, and the backup kept',
  () => {
    const file = confFile(PURE)
    const strace = ['strace', '-qq', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO:when=2']
    const [program = '', ...args] = [...strace, process.execPath, EXECUTABLE]
    const config = { ...request(file).config, backup: true }
    const { stdout } = spawnSync(program, args, {
      input: JSON.stringify({ ...request(file), config }),
      encoding: 'utf8',
    })
    const { result } = checked(stdout)
    expect(result).toMatchObject({ changed: true, failed: true, error: { code: 'config_write_failed' } })
    expect(result.msg).toContain('has the new content')
    expect(readFileSync(file, 'utf8')).toBe(EDITED)
    const [backup = ''] = readdirSync(dirname(file)).filter((name) => name.endsWith('~'))
    expect(result.msg).toContain(backup)
    expect(readFileSync(join(dirname(file), backup), 'utf8')).toBe(PURE)
  },
)

test('killed at any moment, the file is the old or the new one, and the next run leaves nothing behind', async () => {
  const file = confFile(PURE)
  const start = performance.now()
  await agent(request(file, '10.0.0.1'))
  const wholeMs = performance.now() - start
  const seen = new Set<string>()
  for (let round = 0; round < 60; round++) {
    const value = round % 2 === 0 ? '10.0.0.9' : '10.0.0.1'
    const child = spawn(process.execPath, [EXECUTABLE], { stdio: ['pipe', 'ignore', 'ignore'] })
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(request(file, value)))
    await Promise.race([once(child, 'exit'), pause(wholeMs * (0.4 + round / 60))])
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const text = readFileSync(file, 'utf8')
    expect([PURE, EDITED]).toContain(text)
    seen.add(`${text === EDITED} ${readdirSync(dirname(file)).length}`)
  }
  expect(seen.size).toBeGreaterThan(1)
  await agent(request(file, '10.0.0.7'))
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
})
