import { normalizeSection } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'
import { parseFile } from './ini.js'

/** An option by the group and name that Cinder registers it under. */
interface OptionName {
  readonly group: string
  readonly name: string
}

// oslo_db/options.py
const DEPRECATED: ReadonlyMap<string, readonly OptionName[]> = new Map([
  [
    'database.connection',
    [
      { group: 'DEFAULT', name: 'sql_connection' },
      { group: 'DATABASE', name: 'sql_connection' },
      { group: 'sql', name: 'connection' },
    ],
  ],
])

/** The value of an option, and its place for messages. */
interface Found {
  readonly value: string
  readonly place: string
}

/** Reads an option; undefined if neither environment nor files set it. */
export interface Lookup {
  (option: OptionName): Found | undefined
  /** Replaces the references in a value of a section. */
  readonly expand: (found: Found, group: string) => string
}

/** Cinder's defaults that other values may refer to (cinder/common/config.py). */
const DEFAULTS: ReadonlyMap<string, string> = new Map([['DEFAULT.state_path', '/var/lib/cinder']])

/** A value with a reference to an unset option. Its name is not kept: an unescaped `$` is mostly part of a password. */
interface UnresolvedReference {
  readonly isUnresolved: true
  readonly place: string
}

/**
 * The options of all files together, as oslo.config reads them: environment, then the files from the last to the first, interpolated.
 * Errors: config_error, also from the lookup if a value refers to an unset option.
 */
export function readConfig(files: readonly Pick<SourceFile, 'path' | 'text'>[], env: NodeJS.ProcessEnv): Lookup {
  const parsed = files.map((file) => ({ path: file.path, assignments: parseFile(file).assignments })).reverse()
  const findRaw = (option: OptionName): Found | undefined => {
    const variable = `OS_${option.group.toUpperCase()}__${option.name.toUpperCase()}`
    const fromEnvironment = env[variable]
    if (fromEnvironment !== undefined) return { value: fromEnvironment, place: `the environment's ${variable}` }
    for (const { path, assignments } of parsed) {
      for (const alias of [option, ...(DEPRECATED.get(toKey(option)) ?? [])]) {
        const last = assignments.findLast((each) => toKey({ group: each.section, name: each.key }) === toKey(alias))
        if (last !== undefined) return { value: last.value, place: `${quote(path)}, line ${last.line}` }
      }
    }
    const value = DEFAULTS.get(toKey(option))
    return value === undefined ? undefined : { value, place: "Cinder's defaults" }
  }
  const groups = new Set(
    parsed.flatMap(({ assignments }) => assignments.map(({ section }) => normalizeSection(section))),
  )
  const resolve = (option: OptionName, within: readonly string[]): Found | UnresolvedReference | undefined => {
    const found = findRaw(option)
    if (found === undefined) return undefined
    if (within.includes(toKey(option))) throw configValueError(found.place, 'refers to itself')
    return interpolate(found, option.group, (next) => {
      const target = resolve(next, [...within, toKey(option)])
      if (target === undefined && !groups.has(next.group) && next.group !== 'DEFAULT' && next.group !== option.group) {
        throw configValueError(found.place, 'refers by "$" to a group that does not exist')
      }
      return target
    })
  }
  const lookup = (option: OptionName) => requireResolved(resolve(option, []))
  const expand = (found: Found, group: string) =>
    requireResolved(interpolate(found, group, (next) => resolve(next, []))).value
  return Object.assign(lookup, { expand })
}

function requireResolved<T extends Found | undefined>(found: T | UnresolvedReference): T {
  if (isUnresolved(found)) throw configValueError(found.place, 'refers by "$" to an option that is not set')
  return found
}

function isUnresolved(found: Found | UnresolvedReference | undefined): found is UnresolvedReference {
  return found !== undefined && 'isUnresolved' in found
}

/** Unlike the names of sections, those of options are not case-insensitive. */
function toKey({ group, name }: OptionName): string {
  return `${normalizeSection(group)}.${name}`
}

/**
 * Replaces `$name`, `${name}` and `${group.name}`; `$$` and `\$` are a `$`, and any other `$` stays (oslo_config/cfg.py, _substitute).
 * A name without a group is looked up in the option's own group, then in DEFAULT.
 */
function interpolate(
  { value, place }: Found,
  group: string,
  resolve: (option: OptionName) => Found | UnresolvedReference | undefined,
): Found | UnresolvedReference {
  let unresolved: UnresolvedReference | undefined
  const fill = (reference: string): string => {
    if (unresolved !== undefined) return ''
    const dot = reference.indexOf('.')
    const groups = dot < 0 ? [group, 'DEFAULT'] : [reference.slice(0, dot)]
    for (const candidate of groups) {
      const found = resolve({ group: candidate, name: reference.slice(dot + 1) })
      if (found !== undefined && 'value' in found) return found.value
    }
    unresolved = { isUnresolved: true, place }
    return ''
  }
  const filled = value
    .replaceAll('\\$', '$$$$')
    .replace(/\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi, (whole, escaped, named, braced) =>
      escaped ? '$' : fill(named ?? braced ?? whole),
    )
  return unresolved ?? { value: filled, place }
}

function configValueError(place: string, what: string): AgentError {
  return new AgentError('config_error', `The value in ${place}, ${what}.`, {
    hint: 'Write a literal "$" as "$$", or set {connection}.',
  })
}
