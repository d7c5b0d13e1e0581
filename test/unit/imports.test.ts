import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

/** What the files of a room may import. A name that ends with / is a room of src/. */
interface Rule {
  readonly only?: readonly string[]
  readonly never?: readonly string[]
  /** Modules of Node; without it, any. */
  readonly node?: readonly string[]
}

/** Values in, values out: nothing that reads or writes. */
const PURE = { never: ['oslo/write.ts', 'oslo/files.ts', 'oslo/settings.ts'], node: ['node:path'] }
const CORE = ['model/', 'text/', 'oslo/', 'drivers/']
const RULES: Readonly<Record<string, Rule>> = {
  'model/': { only: ['model/'] },
  'text/': { only: ['model/', 'text/'] },
  'plan/': { only: [...CORE, 'plan/'], ...PURE },
  'report/': { only: [...CORE, 'plan/', 'report/'], ...PURE },
  'observe/': { only: [...CORE, 'store/', 'service/', 'observe/'] },
  'execute/': { only: ['model/', 'text/', 'plan/', 'observe/', 'store/', 'service/', 'execute/'] },
  'oslo/': { only: ['model/', 'text/', 'oslo/'] },
  'drivers/': { only: ['model/', 'drivers/'] },
  'service/': { only: ['model/', 'text/', 'service/'] },
  'request/': { only: ['model/', 'text/', 'request/'] },
  'store/': { only: ['model/', 'text/', 'store/'] },
  'frontends/': { only: ['model/', 'text/', 'request/', 'report/', 'frontends/'] },
  'main.ts': { only: ['frontends/', 'report/', 'model/', 'text/'] },
  'ansible-module.ts': { only: ['frontends/', 'report/', 'model/', 'text/'] },
}

/** Other files of src/ itself are in no room. */
const NO_ROOM: Rule = { only: [] }

/** The one file that may import from every room. Only front ends and the programs import it. */
const AGENT = ['agent.ts']
const ABOVE_AGENT = ['frontends/', 'main.ts', 'ansible-module.ts']

interface Import {
  readonly from: string
  /** A path below src/, or the name of a module. */
  readonly to: string
  readonly isOurs: boolean
}

const SRC = new URL('../../src', import.meta.url).pathname
const SYNTAX =
  /^(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?'(?<name>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
const imports = files.sort().flatMap(importsOf)

function importsOf(from: string): readonly Import[] {
  const found = readFileSync(join(SRC, from), 'utf8').matchAll(SYNTAX)
  return [...found].map(({ groups: { name, lazy } = {} }) => {
    const imported = lazy ?? name ?? ''
    const isOurs = imported.startsWith('.')
    const path = relative(SRC, resolve(SRC, dirname(from), imported)).replace(/\.js$/, '.ts')
    return { from, to: isOurs ? path : imported, isOurs }
  })
}

function isAllowed({ from, to, isOurs }: Import): boolean {
  if (AGENT.includes(from)) return true
  const { only, never = [], node } = RULES[roomOf(from)] ?? (from.includes('/') ? {} : NO_ROOM)
  if (!isOurs) return !to.startsWith('node:') || node === undefined || node.includes(to)
  if (to.startsWith('..')) return true // the schemas
  if (AGENT.includes(to)) return isInside(from, ABOVE_AGENT)
  return !isInside(to, never) && (only === undefined || isInside(to, only))
}

function isInside(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
}

/** The room of a file; a file of src/ itself is a room of its own. */
function roomOf(path: string): string {
  return path.includes('/') ? `${path.split('/')[0]}/` : path
}

/** The rooms that import each other, straight or through others. */
function roomsInCycles(all: readonly Import[]): readonly string[] {
  const next = new Map<string, Set<string>>()
  for (const { from, to, isOurs } of all) {
    if (isOurs && !to.startsWith('..') && roomOf(from) !== roomOf(to))
      next.set(roomOf(from), (next.get(roomOf(from)) ?? new Set()).add(roomOf(to)))
  }
  const reaches = (start: string) => {
    const seen = new Set<string>()
    for (const queue = [start]; queue.length > 0; ) {
      for (const room of next.get(queue.pop() ?? '') ?? []) {
        if (!seen.has(room)) queue.push(room)
        seen.add(room)
      }
    }
    return seen
  }
  return [...next.keys()].filter((room) => reaches(room).has(room))
}

function tell({ from, to }: Import): string {
  return `${from} → ${to}`
}

test('the imports of every room are found', () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual([...Object.keys(RULES), 'agent.ts'].sort())
  expect(imports.filter(({ isOurs }) => isOurs).length).toBeGreaterThan(200)
})

test('every room imports only what it may', () => {
  expect(imports.filter((each) => !isAllowed(each)).map(tell)).toEqual([])
})

test('no rooms import each other in a circle', () => {
  expect(roomsInCycles(imports)).toEqual([])
})

test('docs/architecture.md has the same rules', () => {
  const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+\/)` \| (nothing|`\w+\/`(?:, `\w+\/`)*) \|$/gm)]
  const told = rows.map(([, room = '', others = '']) => [
    room,
    [...others.matchAll(/`(\w+\/)`/g)].map(([, name]) => name).sort(),
  ])
  const rules = Object.entries(RULES).filter(([room]) => room.endsWith('/'))
  const others = rules.map(([room, { only = [] }]) => [room, only.filter((each) => each !== room).sort()])
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(others))
})
