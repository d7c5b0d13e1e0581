import type { OptionValues } from './options.js'

/** The request keys that name the backends of a command line. */
export function makeTargets(names: readonly string[], { cluster }: Pick<OptionValues, 'cluster'>): object {
  const key = cluster === true ? 'cluster' : 'host'
  const [first, ...others] = new Set(names)
  return others.length === 0 ? { [key]: first } : { backends: [first, ...others].map((name) => ({ [key]: name })) }
}
