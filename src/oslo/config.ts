import { AgentError } from '../model/errors.js'
import type { SourceFile } from '../model/observation.js'
import { quote } from '../text/quote.js'
import { normalized, parseIni } from './ini.js'

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

/** The value of an option, and where it stands, for messages. */
interface Found {
  readonly value: string
  readonly place: string
}

/** Looks an option up; undefined where neither environment nor files set it. */
export interface Lookup {
  (option: OptionName): Found | undefined
  /** A value as it stands in a section, with its references filled in. */
  readonly expand: (found: Found, group: string) => string
}

/** Defaults of Cinder's own that other values are likely to refer to (cinder/common/config.py). */
const DEFAULTS: ReadonlyMap<string, string> = new Map([['DEFAULT.state_path', '/var/lib/cinder']])

/** A value that refers to nowhere. What it refers to is not told, for an unescaped `$` is mostly part of a password. */
interface Dangling {
  readonly dangling: true
  readonly place: string
}

/**
 * The options of all files together, as oslo.config reads them: environment, then the files from the last to the first, interpolated.
 * Errors: config_error, also from the lookup where a value refers to what is not there.
 */
export function readConfig(files: readonly Pick<SourceFile, 'path' | 'text'>[], env: NodeJS.ProcessEnv): Lookup {
  const parsed = files.map(({ path, text }) => ({ path, assignments: parseIni(text, path).assignments })).reverse()
  const raw = (option: OptionName): Found | undefined => {
    const variable = `OS_${option.group.toUpperCase()}__${option.name.toUpperCase()}`
    const fromEnvironment = env[variable]
    if (fromEnvironment !== undefined) return { value: fromEnvironment, place: `the environment's ${variable}` }
    for (const { path, assignments } of parsed) {
      for (const alias of [option, ...(DEPRECATED.get(key(option)) ?? [])]) {
        const last = assignments.findLast((each) => key({ group: each.section, name: each.key }) === key(alias))
        if (last !== undefined) return { value: last.value, place: `${quote(path)}, line ${last.line}` }
      }
    }
    const value = DEFAULTS.get(key(option))
    return value === undefined ? undefined : { value, place: "Cinder's defaults" }
  }
  const groups = new Set(parsed.flatMap(({ assignments }) => assignments.map(({ section }) => normalized(section))))
  const resolve = (option: OptionName, within: readonly string[]): Found | Dangling | undefined => {
    const found = raw(option)
    if (found === undefined) return undefined
    if (within.includes(key(option))) throw unusable(found.place, 'refers to itself')
    return interpolated(found, option.group, (next) => {
      const target = resolve(next, [...within, key(option)])
      if (target === undefined && !groups.has(next.group) && next.group !== 'DEFAULT' && next.group !== option.group) {
        throw unusable(found.place, 'refers by "$" to a group that is not there')
      }
      return target
    })
  }
  const settled = <T>(found: T | Dangling): T => {
    if (typeof found !== 'object' || found === null || !('dangling' in found)) return found as T // all but Dangling
    throw unusable(found.place, 'refers by "$" to an option that is not set')
  }
  const lookup = (option: OptionName) => settled(resolve(option, []))
  const expand = (found: Found, group: string) => settled(interpolated(found, group, (next) => resolve(next, []))).value
  return Object.assign(lookup, { expand })
}

/** Names of options mind case. */
function key({ group, name }: OptionName): string {
  return `${normalized(group)}.${name}`
}

/**
 * `$name`, `${name}` and `${group.name}` filled in; `$$` and `\$` are a `$`, and any other `$` stays (oslo_config/cfg.py, _substitute).
 * A name without a group is looked for in the option's own group, and in DEFAULT if that leads nowhere.
 */
function interpolated(
  { value, place }: Found,
  group: string,
  resolve: (option: OptionName) => Found | Dangling | undefined,
): Found | Dangling {
  let dangling: Dangling | undefined
  const fill = (reference: string): string => {
    if (dangling !== undefined) return ''
    const dot = reference.indexOf('.')
    const groups = dot < 0 ? [group, 'DEFAULT'] : [reference.slice(0, dot)]
    for (const candidate of groups) {
      const found = resolve({ group: candidate, name: reference.slice(dot + 1) })
      if (found !== undefined && 'value' in found) return found.value
    }
    dangling = { dangling: true, place }
    return ''
  }
  const filled = value
    .replaceAll('\\$', '$$$$')
    .replace(/\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi, (whole, escaped, named, braced) =>
      escaped ? '$' : fill(named ?? braced ?? whole),
    )
  return dangling ?? { value: filled, place }
}

function unusable(place: string, what: string): AgentError {
  return new AgentError('config_error', `A value in ${place}, ${what}.`, {
    hint: 'Write a "$" that is meant as such as "$$", or give the connection itself.',
  })
}
