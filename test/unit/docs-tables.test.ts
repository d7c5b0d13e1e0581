import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/drivers.js'
import { ACTIONS } from '../../src/model/actions.js'
import { GUARDS } from '../../src/plan/guards.js'
import { MANAGERS } from '../../src/service/managers.js'

// The documentation has the entries of the code's tables, each of them and nothing else; links lead somewhere.

const ROOT = new URL('../../', import.meta.url).pathname
const PAGES = [
  ...readdirSync(ROOT),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path)),
].filter((path) => path.endsWith('.md'))

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readme = read('README.md')
const guide = read('docs/admin-guide.md')
const architecture = read('docs/architecture.md')
const moduleDocs = read('library/cinder_backend.yml')

const actions = Object.keys(ACTIONS)
const managers = [...Object.keys(MANAGERS), 'auto']
const drivers = DRIVERS.map(({ name }) => name)

/** The text under a heading, to the next heading of any level. */
function chapter(page: string, title: string): string {
  const [, rest = ''] = page.split(new RegExp(`^#+ ${title}\n`, 'm'))
  expect(rest, title).not.toBe('')
  return rest.split(/^#+ /m)[0] ?? ''
}

/** The rows of the tables in a text, as their cells; no headings. */
function tableRows(text: string): readonly (readonly string[])[] {
  const rows = [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '))
  return rows.slice(1)
}

/** What is in backticks. */
function codes(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The drivers' names in a list such as "Dell Unity, PowerStore and PowerFlex": a maker is named once. */
function listDrivers(text: string): readonly string[] {
  return text.split(/, | and /).map((found) => {
    const meant = drivers.filter((name) => name === found || name.endsWith(` ${found}`))
    expect(meant, found).toHaveLength(1)
    return meant[0] ?? ''
  })
}

function matchOne(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  expect(found, String(pattern)).toBeDefined()
  return found ?? ''
}

describe('guards and error codes', () => {
  const schema = JSON.parse(read('schemas/result.schema.json'))
  const errorCodes: readonly string[] = schema.$defs.error.properties.code.enum

  test('README has every guard in its order, in the words of the code', () => {
    const told = tableRows(chapter(readme, 'Guards'))
    expect(told).toEqual(GUARDS.map(({ code, refusesWhen }) => [`\`${code}\``, refusesWhen]))
  })

  test('README has every error code once', () => {
    const told = tableRows(chapter(readme, 'Errors')).flatMap(([cell = '']) => codes(cell))
    expect([...told].sort()).toEqual([...errorCodes].sort())
  })

  test('README says which codes are of guards', () => {
    const row = tableRows(chapter(readme, 'Errors')).find(([, meaning = '']) => meaning.startsWith('a guard refused'))
    expect(codes(row?.[0] ?? '')).toEqual(GUARDS.map(({ code }) => code))
  })

  test('the guide has each guard, and no code that is none', () => {
    const told = tableRows(chapter(guide, 'When it refuses')).flatMap(([cell = '']) => codes(cell))
    expect(told.filter((code) => !errorCodes.includes(code))).toEqual([])
    expect(GUARDS.map(({ code }) => code).filter((code) => !told.includes(code))).toEqual([])
  })

  test('every message that the guide quotes is in the code', () => {
    const files = [
      'plan/compare-primary.ts',
      'plan/config-plan.ts',
      'plan/config-refusals.ts',
      'plan/evidence.ts',
      'plan/failing-over.ts',
      'plan/guards.ts',
      'plan/proof.ts',
      'oslo/files.ts',
      'execute/await-heartbeat.ts',
      'execute/require-progress.ts',
      'oslo/files.ts',
      'oslo/other-backend.ts',
      'oslo/section.ts',
      'service/containers.ts',
    ]
    const sources = files.map((file) => read(`src/${file}`)).join('\n')
    const quoted = [...chapter(guide, 'When it refuses').matchAll(/“([^”]+)”/g)].flatMap(([, text = '']) =>
      text.split('…').map((part) => part.trim()),
    )
    expect(quoted.length).toBeGreaterThan(5)
    expect(quoted.filter((part) => !sources.includes(part))).toEqual([])
  })
})

describe('actions', () => {
  test('README tells the steps of a promotion in the order of the code', () => {
    const sentence = matchOne(readme, /^The steps, each only where it is needed: (.*?`thaw`\.)/ms)
    const told = codes(sentence)
    expect(told).toEqual(actions.filter((action) => told.includes(action)))
    expect(actions.filter((action) => !told.includes(action))).toEqual([
      'set_active_backend_id',
      'set_replication_status',
      'restore',
    ])
  })

  test('the glossary has every action in the order of the code', () => {
    expect(codes(matchOne(read('docs/glossary.md'), /^The actions, in the order of a promotion: (.*?\.)$/ms))).toEqual(
      actions,
    )
  })

  test('the architecture has the kinds of steps with their actions', () => {
    const rows = tableRows(chapter(architecture, 'The loop'))
    expect(rows.flatMap(([, cell = '']) => codes(cell))).toEqual(
      actions.filter((action) => !['set_active_backend_id', 'set_replication_status', 'restore'].includes(action)),
    )
  })
})

describe('managers and drivers', () => {
  test('README has every service manager', () => {
    const row = matchOne(readme, /^\| `manager` \| `auto` \| (.*?); `auto`: /m)
    expect([...codes(row)].sort()).toEqual(managers.filter((name) => name !== 'auto').sort())
  })

  test("the guide's services have managers that there are", () => {
    const told = [...guide.matchAll(/"manager": "(\w+)"/g)].map(([, name]) => name)
    expect(told.length).toBeGreaterThan(5)
    expect(told.filter((name) => !managers.includes(name ?? ''))).toEqual([])
  })

  test('README, the guide and the module name the drivers whose settings promote knows', () => {
    const inReadme = matchOne(readme, /^`promote` knows where (.*?) keep a primary's settings\./ms)
    const inSteps = matchOne(guide, /It knows where (.*?) keep them;/s)
    const inModule = matchOne(moduleDocs, /Known are the drivers of (.*?)\. For others/)
    const inGuide = matchOne(chapter(guide, 'By driver'), /^\*\*(.*?)\*\*: `promote` knows the settings/m)
    for (const list of [inReadme, inSteps, inModule, `Ceph RBD, ${inGuide}`])
      expect([...listDrivers(list.replaceAll('\n', ' '))].sort()).toEqual([...drivers].sort())
    expect(guide).toContain('**Ceph RBD.**')
  })
})

test('the loop in the architecture is that of the code', () => {
  const loop = matchOne(architecture, /^```ts\n(for \(;;\) \{\n.*?^\})\n```$/ms)
  const inCode = loop.replace(/^(?=.)/gm, '    ')
  expect(read('src/execute/execute.ts')).toContain(inCode)
})

describe('links', () => {
  test.each(PAGES)('of %s lead somewhere', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !/^https?:/.test(link)).filter((link) => !leadsSomewhere(page, link))).toEqual([])
  })

  test.each(PAGES)('the files that %s names are there', (page) => {
    const paths = codes(withoutBlocks(read(page))).filter((code) =>
      /^(src|test|docs|schemas|library)\/[\w./-]+$/.test(code),
    )
    const made = ['library/cinder_backend.js']
    expect(paths.filter((path) => !made.includes(path) && !existsSync(join(ROOT, path)))).toEqual([])
  })
})

function leadsSomewhere(page: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const path = file === '' ? join(ROOT, page) : join(ROOT, dirname(page), file)
  if (relative(ROOT, path).startsWith('..') || !existsSync(path)) return false
  if (anchor === undefined) return true
  return statSync(path).isFile() && listAnchors(readFileSync(path, 'utf8')).includes(anchor)
}

/** As GitHub makes them (github.com/gjtorikian/html-pipeline, toc_filter). */
function listAnchors(page: string): readonly string[] {
  const titles = [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return titles.map((title, index) => {
    const earlier = titles.slice(0, index).filter((each) => each === title).length
    return earlier === 0 ? title : `${title}-${earlier}`
  })
}

function withoutBlocks(page: string): string {
  return page.replace(/^```.*?^```$/gms, '')
}

function withoutCode(page: string): string {
  return withoutBlocks(page).replace(/`[^`\n]+`/g, '')
}
