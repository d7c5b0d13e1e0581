import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { agent } from '../../support/agent.js'
import { embedded, type TestDatabase } from '../../support/databases.js'
import { service } from '../../support/rows.js'

const { folder } = inject('peers')

describe('the connection comes', () => {
  let database: TestDatabase
  let home: string
  beforeEach(async () => {
    database = await embedded.create()
    await database.execute(service(1, 'vol1@arrayA'))
    home = mkdtempSync(join(folder, 'home-'))
  })
  afterEach(() => database.close())

  const write = (name: string, text: string) => {
    const path = join(home, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }
  const good = () => `[database]\nconnection = ${database.connection}\n`
  const bad = '[database]\nconnection = sqlite:////nowhere.sqlite\n'
  const report = async (request: object = {}, env: NodeJS.ProcessEnv = {}) =>
    (await agent({ host: 'vol1@arrayA', ...request }, { env: { HOME: home, ...env } })).result

  test('from the files of the request, the last of them winning, instead of the default ones', async () => {
    write('.cinder/cinder.conf', bad)
    const files = [write('one.conf', bad), write('two.conf', good())]
    expect(await report({ config_file: files })).toMatchObject({ failed: false })
    expect(await report({ config_file: files.join(',') })).toMatchObject({ failed: false })
    expect(await report({ config_file: '~/two.conf' })).toMatchObject({ failed: false })
    expect(await report({ config_file: files.reverse() })).toMatchObject({ error: { code: 'connection_failed' } })
  })

  test('from the folders of the request', async () => {
    write('.cinder/cinder.conf', bad)
    write('parts/b.conf', good())
    write('parts/a.conf', bad)
    expect(await report({ config_dir: join(home, 'parts') })).toMatchObject({ failed: false })
  })

  test('from the environment before the files, and from the request before both', async () => {
    const config_file = write('one.conf', bad)
    expect(await report({ config_file }, { OS_DATABASE__CONNECTION: database.connection })).toMatchObject({
      failed: false,
    })
    const elsewhere = { OS_DATABASE__CONNECTION: 'sqlite:////nowhere.sqlite' }
    expect(await report({ config_file, connection: database.connection }, elsewhere)).toMatchObject({ failed: false })
  })

  test('put together from other options', async () => {
    const path = database.connection.slice('sqlite:///'.length)
    const config_file = write(
      'one.conf',
      `[DEFAULT]\nstate_path = ${dirname(path)}\n[database]\nconnection = sqlite:///$state_path/${path.slice(dirname(path).length + 1)}\n`,
    )
    expect(await report({ config_file })).toMatchObject({ failed: false })
  })

  test("from Cinder's own default, where that database exists", async () => {
    const state = join(home, 'state')
    const config_file = write('one.conf', `[DEFAULT]\nstate_path = ${state}\n`)
    expect(await report({ config_file })).toMatchObject({
      error: { code: 'config_error' },
      msg: expect.stringContaining(config_file),
    })
    write('state/cinder.sqlite', '')
    expect(await report({ config_file })).toMatchObject({ error: { code: 'schema_mismatch' } })
  })

  test('with connection_parameters appended', async () => {
    const config_file = write(
      'one.conf',
      '[database]\nconnection = mysql://u:p@127.0.0.1:1/d\nconnection_parameters = colour=blue\n',
    )
    const { warnings } = await report({ config_file })
    expect(warnings).toEqual(["The connection's parameter colour is ignored."])
  })

  test('or an error says in which file and line, and shows no secret', async () => {
    const said = async (text: string) => {
      const config_file = write('one.conf', text)
      const result = await report({ config_file })
      expect(result).toMatchObject({ failed: true, error: { code: 'config_error' } })
      expect(JSON.stringify(result)).not.toContain('s3cret')
      return result.msg.replaceAll(config_file, 'FILE')
    }
    expect(await said('[database]\nconnection = mysql://u:s3cret@h/d\n[broken\n')).toMatch(/^FILE, line 3: /)
    expect(await said('[database]\nconnection = postgresql://u:s3cret@h/d\n')).toMatch(/^FILE, line 2: .+not supported/)
    expect(await said('[database]\nconnection = mysql://u:s3cret$x@h/d\n')).toMatch(
      /FILE, line 2, refers by "\$" to an option that is not set/,
    )
    expect(await said('[DEFAULT]\nservice_down_time = soon\n[database]\nconnection = mysql://u:s3cret@h/d\n')).toMatch(
      /service_down_time in FILE, line 2/,
    )
    const soon = write('soon.conf', `[DEFAULT]\nservice_down_time = soon\n${good()}`)
    expect(await report({ config_file: soon, service_down_time: 30 })).toMatchObject({ failed: false })
    expect((await report({ config_file: '/nowhere.conf' })).msg).toMatch(/\/nowhere\.conf cannot be read \(ENOENT\)/)
    expect((await report({ config_dir: '/nowhere.d' })).msg).toMatch(/\/nowhere\.d cannot be read \(ENOENT\)/)
  })

  test('and service_down_time with it, unless the request has its own', async () => {
    const ago = new Date(Date.now() - 100_000).toISOString().replace('T', ' ').slice(0, 19)
    await database.execute(`UPDATE services SET updated_at = '${ago}'`)
    const state = async (request: object) => (await report(request)).backends[0]?.state
    const patient = write('patient.conf', `[DEFAULT]\nservice_down_time = 200\n${good()}`)
    expect(await state({ config_file: write('one.conf', good()) })).toBe('down')
    expect(await state({ config_file: patient })).toBe('up')
    expect(await state({ config_file: patient, service_down_time: 90 })).toBe('down')
    expect(await state({ config_file: patient, connection: database.connection })).toBe('up')
    expect(await state({ connection: database.connection, service_down_time: ' 200 ' })).toBe('up')
  })
})
