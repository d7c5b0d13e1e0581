import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { replaceFile } from '../../../src/oslo/write.js'
import { agent, checked, EXECUTABLE } from '../../support/agent.js'
import { confFile, PURE } from '../../support/conf.js'
import { embedded, type TestDatabase, titled } from '../../support/databases.js'
import { service } from '../../support/rows.js'
import { chance, tellChance } from '../../support/seed.js'

const { folder, missing } = inject('peers')
const root = process.getuid?.() === 0
const byRoot = root ? '' : ' (skipped: needs root)'
const mounts = titled({ name: 'on a file system of its own', missing: missing.mounts })

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

  test('with other names, hard links, which would keep the old content', async () => {
    const file = confFile(PURE)
    const other = join(mkdtempSync(join(folder, 'link-')), 'other.conf')
    linkSync(file, other)
    expect(await refused(file)).toContain('hard link')
    const check = (await agent(request(file), { args: ['--check'] })).result
    expect(check).toMatchObject({ changed: false, error: { code: 'config_write_failed' } })
    expect(check.error?.hint).toContain(file)
    unlinkSync(other)
    expect((await agent(request(file))).result.changed).toBe(true)
  })

  const denied = titled({ name: 'without permission for the folder', missing: missing.setpriv })
  test.skipIf(missing.setpriv !== null)(denied, async () => {
    const file = confFile(PURE)
    chmodSync(dirname(file), 0o555)
    await refused(file, true)
    chmodSync(dirname(file), 0o755)
  })

  test.skipIf(!root || missing.setpriv !== null)(`whose owner the agent could not keep${byRoot}`, async () => {
    const file = confFile(PURE)
    chownSync(file, 1234, 5678)
    expect(await refused(file, true)).toContain('owner')
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 5678 })
  })

  const immutable = titled({ name: 'that is immutable', missing: missing.immutableFiles })
  test.skipIf(missing.immutableFiles !== null)(immutable, async () => {
    const file = confFile(PURE)
    execFileSync('chattr', ['+i', file])
    try {
      await refused(file)
      expect((await agent(request(file), { args: ['--check'] })).result).toMatchObject({
        error: { code: 'config_write_failed' },
      })
    } finally {
      execFileSync('chattr', ['-i', file])
    }
  })

  describe.skipIf(missing.mounts !== null)(mounts, () => {
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

const PLAIN = { section: 'arrayA', keepsOldCopy: false }

test('a file that somebody else replaced between reading and writing is a conflict, and theirs stays', () => {
  const file = confFile(PURE)
  writeFileSync(file, 'theirs')
  expect(() =>
    replaceFile({ file, before: Buffer.from(PURE), after: Buffer.from(EDITED), backup: false, ...PLAIN }),
  ).toThrow(expect.objectContaining({ code: 'conflict' }))
  expect(readFileSync(file, 'utf8')).toBe('theirs')
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
})

describe('replacing a file', () => {
  const replace = (file: string, after: string, backup = false) =>
    replaceFile({ file, before: readFileSync(file), after: Buffer.from(after), backup, ...PLAIN })

  test('leaves nothing of the old content behind a shorter one', () => {
    const file = confFile(PURE)
    replace(file, '[arrayA]\n')
    expect(readFileSync(file, 'utf8')).toBe('[arrayA]\n')
  })

  test('twice in a second leaves two backups', () => {
    const file = confFile('1')
    const backups = [2, 3, 4].map((each) => readFileSync(replace(file, String(each), true) ?? '', 'utf8'))
    expect(backups).toEqual(['1', '2', '3'])
    expect(readdirSync(dirname(file))).toHaveLength(4)
  })

  test('takes away the copy of a run that was killed, and not that of one that is at work', () => {
    const file = confFile(PURE)
    const { pid } = spawnSync('true')
    const copies = [pid, process.ppid].map((each) => `.cinder.conf.cinder-backend-${each}`)
    for (const copy of copies) writeFileSync(join(dirname(file), copy), '')
    replace(file, EDITED)
    expect(readdirSync(dirname(file))).toEqual([copies[1], 'cinder.conf'])
  })

  test.skipIf(!root)(`as a user who may write to the folder, and cannot keep the owner, is refused${byRoot}`, () => {
    const open = mkdtempSync(join(tmpdir(), 'cinder-backend-'))
    const file = join(open, 'cinder.conf')
    writeFileSync(file, PURE, { mode: 0o644 })
    chmodSync(open, 0o777)
    try {
      process.seteuid?.(65534)
      expect(() => replace(file, EDITED)).toThrow(expect.objectContaining({ code: 'config_write_failed' }))
    } finally {
      process.seteuid?.(0)
    }
    expect(readdirSync(open)).toEqual(['cinder.conf'])
    expect(readFileSync(file, 'utf8')).toBe(PURE)
    rmSync(open, { recursive: true })
  })
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
  const started = Date.now()
  for (const value of ['10.0.0.9', '10.0.0.1']) await agent(request(file, value))
  const whole = (Date.now() - started) / 2
  const seen = new Set<string>()
  for (let round = 0; round < 60; round++) {
    const value = round % 2 === 0 ? '10.0.0.9' : '10.0.0.1'
    const after = Math.round(whole * (0.5 + 0.6 * chance(`round ${round}`)))
    await tellChance(`Round ${round}, killed after ${after} ms`, async () => {
      const child = spawn(process.execPath, [EXECUTABLE], { stdio: ['pipe', 'ignore', 'ignore'] })
      child.stdin.on('error', () => {})
      child.stdin.end(JSON.stringify(request(file, value)))
      await Promise.race([once(child, 'exit'), pause(after)])
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      const text = readFileSync(file, 'utf8')
      expect([PURE, EDITED]).toContain(text)
      seen.add(`${text === EDITED} ${readdirSync(dirname(file)).length}`)
    })
  }
  expect(seen.size).toBeGreaterThan(1)
  await agent(request(file, '10.0.0.7'))
  expect(readdirSync(dirname(file))).toEqual(['cinder.conf'])
})
