import type { ResultDocument } from '../model/contract.generated.js'

/** The forms of the result by the names that `--format` takes. */
export const FORMATS = { json: (result: ResultDocument): object => result, salt, bolt } as const

/**
 * What Salt's `cmd.run` reads with `stateful: True` (salt/states/cmd.py, _reinterpreted_state): `changed`, `comment`, and as the changes of
 * the state every other key, here each backend with its old and new columns.
 */
function salt({ changed, msg, backends, warnings }: ResultDocument): object {
  const changes = backends
    .filter((backend) => backend.changed)
    .map(({ host, cluster, before, after }) => [cluster ?? host, { old: before, new: after }])
  return { changed, comment: [msg, ...warnings].join('\n'), ...Object.fromEntries(changes) }
}

/** What Puppet Bolt reads: the result, and after a failure `_error` (https://www.puppet.com/docs/bolt/latest/writing_tasks). */
function bolt(result: ResultDocument): object {
  const { error, msg } = result
  return error === undefined
    ? result
    : { ...result, _error: { kind: `cinder-backend/${error.code}`, msg, details: error } }
}
