import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import requestSchema from '../../../schemas/request.schema.json' with { type: 'json' }
import resultSchema from '../../../schemas/result.schema.json' with { type: 'json' }
import { checked } from '../../support/agent.js'
import { ansible, cleanLibrary } from '../../support/ansible.js'
import { embedded, mariaDb, type TestDatabase, titled } from '../../support/databases.js'
import { FAILED_OVER, service } from '../../support/rows.js'

const { missing, folder } = inject('peers')
const title = missing.ansible === null ? 'under Ansible' : `under Ansible (skipped: ${missing.ansible})`
const NODE_PATH = new URL('../../../node_modules', import.meta.url).pathname
const library = cleanLibrary()
const module = join(library, 'cinder_backend.js')

const FLEET =
  service(1, 'vol1@arrayA', FAILED_OVER) +
  service(2, 'vol2@arrayA', FAILED_OVER) +
  service(3, 'vol3@arrayA', { ...FAILED_OVER, frozen: 0 })

describe('the module as a file', () => {
  test('is not over 500 KB, and says that it wants JSON', () => {
    expect(statSync(module).size).toBeLessThan(500_000)
    expect(readFileSync(module, 'utf8')).toContain('WANT_JSON')
  })

  test.each(['node', 'nodejs'])('runs directly with only %s on PATH', (name) => {
    const bin = mkdtempSync(join(folder, 'bin-'))
    symlinkSync(process.execPath, join(bin, name))
    const file = join(bin, 'args.json')
    writeFileSync(file, '{"hots": "vol1@arrayA", "_ansible_check_mode": false}')
    const { stdout } = spawnSync(module, [file], { env: { PATH: bin } })
    expect(checked(stdout.toString()).result).toMatchObject({ failed: true, error: { code: 'invalid_request' } })
  })

  test('runs below a package.json that makes every .js an ES module', () => {
    const home = mkdtempSync(join(folder, 'esm-'))
    writeFileSync(join(home, 'package.json'), '{"type": "module"}')
    copyFileSync(module, join(home, 'cinder_backend.js'))
    const { stdout } = spawnSync(join(home, 'cinder_backend.js'), ['/dev/null'])
    expect(checked(stdout.toString()).result).toMatchObject({ failed: true, error: { code: 'invalid_json' } })
  })

  test('says so in JSON where there is no node', () => {
    const { stdout, status } = spawnSync(module, ['/dev/null'], { env: { PATH: '/nowhere' } })
    expect(checked(stdout.toString()).result).toMatchObject({
      failed: true,
      msg: expect.stringMatching(/no node or nodejs.+Node 20/),
    })
    expect(status).toBe(1)
  })

  test('says so in JSON where Node is too old', () => {
    const source = readFileSync(module, 'utf8').replace('process.versions.node)', "'18.19.0')")
    const copy = join(folder, 'old_node.js')
    writeFileSync(copy, source)
    const { stdout, status } = spawnSync(process.execPath, [copy, '/dev/null'])
    expect(checked(stdout.toString()).result).toMatchObject({
      failed: true,
      msg: expect.stringMatching(/too old.+Node 20/),
    })
    expect(status).toBe(1)
  })

  test('says what to install where better-sqlite3 is missing, and finds it through NODE_PATH', async () => {
    const database = await embedded.create()
    await database.execute(service(1, 'vol1@arrayA'))
    const file = join(folder, 'sqlite-args.json')
    writeFileSync(file, JSON.stringify({ host: 'vol1@arrayA', connection: database.connection }))
    const run = (env: NodeJS.ProcessEnv) =>
      checked(spawnSync(module, [file], { env: { ...process.env, ...env } }).stdout.toString()).result
    expect(run({ NODE_PATH })).toMatchObject({ failed: false })
    expect(run({ NODE_PATH: '' })).toMatchObject({
      failed: true,
      msg: expect.stringContaining('npm install --global better-sqlite3'),
    })
    await database.close()
  })
})

describe.skipIf(missing.ansible !== null)(title, () => {
  describe.skipIf(mariaDb.missing !== null)(titled(mariaDb), () => {
    let database: TestDatabase
    beforeEach(async () => {
      database = await mariaDb.create()
      await database.execute(FLEET)
    })
    afterEach(() => database.close())

    const play = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const vars = join(mkdtempSync(join(folder, 'vars-')), 'vars.json')
      writeFileSync(vars, JSON.stringify({ cinder_connection: database.connection }))
      return ansible('ansible-playbook', ['-i', 'localhost,', '-c', 'local', '-e', `@${vars}`, ...args], env)
    }
    const behaviour = new URL('behaviour.yml', import.meta.url).pathname
    const secrets = () => {
      const password = /:([^:@]+)@/.exec(database.connection)?.[1] ?? ''
      return [password, decodeURIComponent(password)]
    }

    test('drives changed, failed, register, handlers, loop, failed_when, run_once, delegate_to and module_defaults', () => {
      const { output, status } = play([behaviour])
      expect(output).toContain('All assertions passed')
      expect(output).toContain('handler ran')
      expect(output).not.toContain('this must not run')
      expect(status).toBe(0)
    })

    test('shows no secret at -vvv, in no part of the output', () => {
      const { output } = play([behaviour, '-vvv', '--diff'])
      expect(output).toContain('All assertions passed')
      for (const secret of secrets()) expect(output).not.toContain(secret)
      const failed = play([behaviour, '-vvv'], { OS_DATABASE__CONNECTION: 'x' })
      for (const secret of secrets()) expect(failed.output).not.toContain(secret)
    })

    test('shows a readable diff, one entry a row, and in check mode changes nothing', async () => {
      const before = await database.rows('services')
      const playbook = join(folder, 'diff.yml')
      writeFileSync(
        playbook,
        '- hosts: localhost\n  gather_facts: false\n  tasks:\n    - cinder_backend: {connection: "{{ cinder_connection }}", backends: [{host: vol1@arrayA}, {host: vol2@arrayA}], active_backend: reset}\n',
      )
      const { output } = play([playbook, '--check', '--diff'])
      expect(output).toContain('--- before: services vol1@arrayA\n+++ after: services vol1@arrayA\n')
      expect(output).toContain('-disabled: true\n')
      expect(output).toContain('+replication_status: disabled\n')
      expect(output.match(/^--- before/gm)).toHaveLength(2)
      expect(output).toContain('changed=1')
      expect(await database.rows('services')).toEqual(before)
    })

    test('as an ad-hoc command, with a failure that shows message and code', () => {
      const { output, status } = ansible('ansible', [
        '-i',
        'localhost,',
        '-c',
        'local',
        'localhost',
        '-m',
        'cinder_backend',
        '-a',
        `host=vol9@arrayA connection=${database.connection}`,
      ])
      expect(output).toContain('No volume service has the host')
      expect(output).toContain('service_not_found')
      for (const secret of secrets()) expect(output).not.toContain(secret)
      expect(status).not.toBe(0)
    })
  })

  describe('its documentation', () => {
    interface Option {
      readonly type: string
      readonly elements?: string
      readonly choices?: readonly string[]
      readonly default?: unknown
      readonly description: unknown
      readonly suboptions?: Readonly<Record<string, Option>>
    }
    interface Returned {
      readonly contains?: Readonly<Record<string, Returned>>
    }
    interface Documentation {
      readonly doc: {
        readonly options: Readonly<Record<string, Option>>
        readonly attributes: object
        readonly version_added: string
        readonly notes: readonly string[]
      }
      readonly examples: string
      readonly return: Readonly<Record<string, Returned>>
    }
    const documentation = (): Documentation => {
      const shown = execFileSync('ansible-doc', ['-M', library, '-t', 'module', '-j', 'cinder_backend'], {
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      })
      return JSON.parse(shown.toString()).cinder_backend
    }

    interface Property {
      readonly $ref?: string
      readonly type?: string | readonly string[]
      readonly enum?: readonly string[]
      readonly default?: unknown
      readonly items?: Property
      readonly properties?: Readonly<Record<string, Property>>
    }
    const TYPES: Readonly<Record<string, string>> = {
      string: 'str',
      boolean: 'bool',
      integer: 'int',
      array: 'list',
      object: 'dict',
      'string,boolean': 'raw',
      'array,string': 'raw',
    }
    const definitions: Readonly<Record<string, Property>> = requestSchema.$defs
    const resolved = (property: Property): Property => ({
      ...definitions[property.$ref?.replace('#/$defs/', '') ?? ''],
      ...property,
    })

    /** What the schema says of options, in the words of Ansible's documentation. */
    function wanted(properties: Readonly<Record<string, Property>>): object {
      return Object.fromEntries(
        Object.entries(properties).map(([name, property]) => {
          const { type = '', enum: choices, default: standard, items, properties: own } = resolved(property)
          const element = items && resolved(items)
          return [
            name,
            {
              type: TYPES[String(type)],
              choices,
              default: standard,
              ...((element?.properties ?? own) && { suboptions: wanted(element?.properties ?? own ?? {}) }),
            },
          ]
        }),
      )
    }

    function told(options: Readonly<Record<string, Option>>): object {
      return Object.fromEntries(
        Object.entries(options).map(([name, { type, choices, default: standard, suboptions }]) => [
          name,
          { type, choices, default: standard ?? undefined, ...(suboptions && { suboptions: told(suboptions) }) },
        ]),
      )
    }

    test('has the options of the request’s schema, with their types, choices and defaults, and no others', () => {
      const { doc } = documentation()
      expect(told(doc.options)).toEqual(wanted(requestSchema.properties))
      expect(doc).toMatchObject({
        version_added: expect.any(String),
        attributes: { check_mode: {}, diff_mode: {}, platform: {} },
        notes: expect.any(Array),
      })
    })

    test('has the keys of the result’s schema, and no others', () => {
      interface Schema {
        readonly $ref?: string
        readonly properties?: Readonly<Record<string, Schema>>
        readonly items?: Schema
      }
      const whole: Schema = JSON.parse(JSON.stringify(resultSchema)) // its literal type has no property in common with Schema
      const all: Readonly<Record<string, Schema>> = JSON.parse(JSON.stringify(resultSchema.$defs))
      const keysOf = (schema: Schema): object => {
        const { properties, items } =
          schema.$ref === undefined ? schema : (all[schema.$ref.replace('#/$defs/', '')] ?? {})
        if (items !== undefined) return keysOf(items)
        return Object.fromEntries(Object.entries(properties ?? {}).map(([name, property]) => [name, keysOf(property)]))
      }
      const toldKeys = (returned: Readonly<Record<string, Returned>>): object =>
        Object.fromEntries(Object.entries(returned).map(([name, { contains }]) => [name, toldKeys(contains ?? {})]))
      expect(toldKeys(documentation().return)).toEqual(keysOf(whole))
    })

    test('has six examples or more, each of which Ansible takes for a task', () => {
      const { examples } = documentation()
      expect(examples.match(/^- name:/gm)?.length).toBeGreaterThanOrEqual(6)
      const playbook = join(folder, 'examples.yml')
      writeFileSync(
        playbook,
        `- hosts: localhost\n  tasks:\n${examples.replace(/^/gm, '    ')}\n  handlers:\n    - name: Start cinder-volume\n      debug:\n`,
      )
      const { output, status } = ansible('ansible-playbook', ['--syntax-check', '-i', 'localhost,', playbook])
      expect(output).not.toMatch(/ERROR/)
      expect(status).toBe(0)
    })
  })
})
