import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

/** What the files of a room may import. A name that ends with / is a room of src/, with `types` for its types alone. */
interface Rule {
  readonly only?: readonly string[]
  readonly never?: readonly string[]
  readonly types?: readonly string[]
  /** Modules of Node; without it, any. */
  readonly node?: readonly string[]
}

const PURE = { never: ['oslo/write.ts', 'oslo/files.ts'], types: ['oslo/files.ts'], node: ['node:path'] }
const CORE = ['model/', 'text/', 'oslo/', 'drivers/']
const RULES: Readonly<Record<string, Rule>> = {
  'model/': { only: ['model/'] },
  'text/': { only: ['model/', 'text/'] },
  'plan/': { only: [...CORE, 'plan/'], ...PURE },
  'report/': { only: [...CORE, 'plan/', 'report/'], ...PURE },
  'request/': { never: ['store/', 'plan/', 'execute/'] },
  'store/': { only: ['model/', 'text/', 'store/'] },
  'frontends/': { never: ['store/', 'plan/', 'execute/', 'oslo/', 'service/'] },
  'main.ts': { only: ['frontends/', 'report/', 'model/', 'text/'] },
  'ansible-module.ts': { only: ['frontends/', 'report/', 'model/', 'text/'] },
}

/** Other files of src/ itself are in no room. */
const NO_ROOM: Rule = { only: [] }

/** The one file that may import from every room. Only front ends and the programs import it. */
const AGENT = ['agent.ts', 'run.ts']
const ABOVE_AGENT = ['frontends/', 'main.ts', 'ansible-module.ts']

/** What breaks the rules today: a file with all that it imports, or one import of it. This list only gets shorter. */
const EXCEPTIONS: readonly string[] = [
  'apply.ts',
  'progress.ts',
  'tables.ts',
  'waiting.ts',
  'frontends/stdin.ts → store/retry.ts',
  'text/secrets.ts → oslo/ini.ts',
  'text/secrets.ts → oslo/value.ts',
]

interface Import {
  readonly from: string
  /** A path below src/, or the name of a module. */
  readonly to: string
  readonly isOurs: boolean
  readonly isTypeOnly: boolean
}

const SRC = new URL('../../src', import.meta.url).pathname
const SYNTAX =
  /^(?:import|export)\s+(?<type>type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?'(?<name>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm

const imports = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .flatMap(importsOf)

function importsOf(from: string): readonly Import[] {
  const found = readFileSync(join(SRC, from), 'utf8').matchAll(SYNTAX)
  return [...found].map(({ groups: { type, name, lazy } = {} }) => {
    const imported = lazy ?? name ?? ''
    const isOurs = imported.startsWith('.')
    const path = relative(SRC, resolve(SRC, dirname(from), imported)).replace(/\.js$/, '.ts')
    return { from, to: isOurs ? path : imported, isOurs, isTypeOnly: type !== undefined }
  })
}

function isAllowed({ from, to, isOurs, isTypeOnly }: Import): boolean {
  if (AGENT.includes(from)) return true
  const { only, never = [], types = [], node } = RULES[roomOf(from)] ?? (from.includes('/') ? {} : NO_ROOM)
  if (!isOurs) return !to.startsWith('node:') || node === undefined || node.includes(to)
  if (to.startsWith('..')) return true // the schemas
  if (AGENT.includes(to)) return isInside(from, ABOVE_AGENT)
  if (isTypeOnly && isInside(to, types)) return true
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

function isExcepted(each: Import): boolean {
  return EXCEPTIONS.includes(each.from) || EXCEPTIONS.includes(tell(each))
}

function tell({ from, to }: Import): string {
  return `${from} → ${to}`
}

test('the imports of every room are found', () => {
  expect(imports.map(({ from }) => roomOf(from))).toEqual(expect.arrayContaining(Object.keys(RULES)))
  expect(imports.filter(({ isOurs }) => isOurs).length).toBeGreaterThan(200)
})

test('every room imports only what it may', () => {
  expect(imports.filter((each) => !isAllowed(each) && !isExcepted(each)).map(tell)).toEqual([])
})

test('no rooms import each other in a circle', () => {
  expect(roomsInCycles(imports.filter((each) => !isExcepted(each)))).toEqual([])
})

test('every exception is still needed', () => {
  const circle = roomsInCycles(imports)
  const breaking = imports.filter((each) => !isAllowed(each) || circle.includes(roomOf(each.from)))
  const needed = breaking.flatMap((each) => [each.from, tell(each)])
  expect(EXCEPTIONS.filter((each) => !needed.includes(each))).toEqual([])
})
