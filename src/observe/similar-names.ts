import type { Table } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import { quote } from '../text/quote.js'
import { findSimilar } from '../text/similar.js'

/** Few enough names to list all. */
const MOST_LISTED = 5

/**
 * The same error with similar names offered, if it says that a name was not found. `listNames` reads the names of a table; if that fails, the error
 * stays as it is.
 */
export async function addSimilarNames(
  error: unknown,
  listNames: (table: Table) => Promise<readonly string[]>,
): Promise<unknown> {
  if (!(error instanceof AgentError) || error.code !== 'service_not_found' || error.details.hint !== undefined)
    return error
  try {
    const hosts = await listNames('services')
    const clusters = await listNames('clusters')
    return new AgentError(error.code, error.problem, { ...error.details, hint: makeHint(error, hosts, clusters) })
  } catch {
    return error
  }
}

function makeHint({ details }: AgentError, hosts: readonly string[], clusters: readonly string[]): string {
  const { host, cluster } = details
  const name = host ?? cluster ?? ''
  const [known, others] = host === undefined ? [clusters, hosts] : [hosts, clusters]
  if (others.includes(name)) return host === undefined ? 'It is a host: {as_host}.' : 'It is a cluster: {as_cluster}.'
  const similar = findSimilar(name, known, 3)
  if (similar.length > 0) return `Similar: ${similar.map((each) => quote(each)).join(', ')}.`
  if (known.length === 0) return host === undefined ? 'There are no volume clusters.' : 'There are no volume services.'
  const listed = known.map((each) => quote(each)).join(', ')
  if (known.length <= MOST_LISTED) return `There ${known.length === 1 ? 'is' : 'are'} only ${listed}.`
  return `There are ${known.length}, none of them similar.`
}
