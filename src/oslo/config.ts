import { AgentError, quotable } from '../errors.js'
import type { SourceFile } from './files.js'
import { type Assignment, parseIni } from './ini.js'

/** An option by the group and name that Cinder registers it under. */
export interface OptionName {
  readonly group: string
  readonly name: string
  /** Older names, which count in the files where the new one is missing. */
  readonly deprecated?: readonly { readonly group: string; readonly name: string }[]
}

/** The value of an option, and where it stands, for messages. */
export interface Found {
  readonly value: string
  readonly place: string
}

/** Looks an option up; undefined where neither environment nor files set it. */
export type Lookup = (option: OptionName) => Found | undefined

/** Defaults of Cinder's own that other values are likely to refer to (cinder/common/config.py). */
const DEFAULTS: ReadonlyMap<string, string> = new Map([['DEFAULT.state_path', '/var/lib/cinder']])

/**
 * The options of all files together, as oslo.config reads them: environment, then the files from the last to the first, interpolated.
 * Errors: config_error, also from the lookup where a value refers to what is not there.
 */
export function readConfig(files: readonly SourceFile[], env: NodeJS.ProcessEnv): Lookup {
  const parsed = files.map(({ path, text }) => ({ path, assignments: parseIni(text, path) })).reverse()
  const raw = ({ group, name, deprecated = [] }: OptionName): Found | undefined => {
    const variable = `OS_${group.toUpperCase()}__${name.toUpperCase()}`
    const fromEnvironment = env[variable]
    if (fromEnvironment !== undefined) return { value: fromEnvironment, place: `the environment's ${variable}` }
    for (const { path, assignments } of parsed) {
      for (const alias of [{ group, name }, ...deprecated]) {
        const last = assignments.findLast((each) => isNamed(each, alias))
        if (last !== undefined) return { value: last.value, place: `${quotable(path)}, line ${last.line}` }
      }
    }
    return undefined
  }
  const lookup = (option: OptionName, within: readonly string[]): Found | undefined => {
    const found = raw(option)
    return found && { ...found, value: interpolated(found, option, within, lookup) }
  }
  return (option) => lookup(option, [])
}

/** Section names do not mind case, except DEFAULT; names of options do (oslo_config/cfg.py, _normalize_group_name). */
function isNamed(assignment: Assignment, { group, name }: { readonly group: string; readonly name: string }): boolean {
  return assignment.key === name && normalized(assignment.section) === normalized(group)
}

function normalized(group: string): string {
  return group === 'DEFAULT' ? group : group.toLowerCase()
}

/**
 * `$name`, `${name}` and `${group.name}` filled in; `$$` and `\$` are a `$`, and any other `$` stays (oslo_config/cfg.py, _substitute).
 * A name without a group is looked for in the option's own group, then in DEFAULT.
 */
function interpolated(
  { value, place }: Found,
  { group, name }: OptionName,
  within: readonly string[],
  lookup: (option: OptionName, within: readonly string[]) => Found | undefined,
): string {
  const self = `${group}.${name}`
  if (within.includes(self)) throw unusable(place, `refers to itself by way of $${name}`)
  const fill = (reference: string): string => {
    const dot = reference.indexOf('.')
    const groups = dot < 0 ? [group, 'DEFAULT'] : [reference.slice(0, dot)]
    const option = reference.slice(dot + 1)
    for (const candidate of groups) {
      const found = lookup({ group: candidate, name: option }, [...within, self])
      const known = found?.value ?? DEFAULTS.get(`${candidate}.${option}`)
      if (known !== undefined) return known
    }
    throw unusable(place, `refers to $${quotable(reference, [], 60)}, which is not set`)
  }
  return value
    .replaceAll('\\$', '$$$$')
    .replace(/\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi, (whole, escaped, named, braced) =>
      escaped ? '$' : fill(named ?? braced ?? whole),
    )
}

function unusable(place: string, what: string): AgentError {
  return new AgentError('config_error', `A value in ${place}, ${what}.`, {
    hint: 'Write a "$" that is meant as such as "$$", or give the connection itself.',
  })
}
