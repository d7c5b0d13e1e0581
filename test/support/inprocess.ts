import { runRequest } from '../../src/agent.js'
import type { ResultDocument } from '../../src/model/contract.generated.js'
import { valid } from './agent.js'

/** A run without a process of its own, for properties that need hundreds. */
export async function runHere(request: unknown, check = false): Promise<ResultDocument> {
  const bugs: unknown[] = []
  const result = await runRequest(
    async () => Buffer.from(JSON.stringify(request)),
    { check, diff: false },
    {
      env: { ...process.env, OS_DATABASE__CONNECTION: undefined },
      signal: new AbortController().signal,
      onBug: (bug) => bugs.push(bug),
      onProgress: () => {},
      audience: 'request',
    },
  )
  if (bugs.length > 0) throw bugs[0]
  return valid(result)
}
