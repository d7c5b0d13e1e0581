import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import type { ResultDocument } from '../contract.generated.js'
import { AgentError, codeOf, quotable } from '../errors.js'

/**
 * Opens the file before anything is changed, and keeps the result of a change there. It is a new one: an older result in it may be the only way
 * back. What is given back are warnings. Errors: invalid_request where the file is there already, or cannot be made.
 */
export function saving(path: string | undefined): (result: ResultDocument) => readonly string[] {
  if (path === undefined) return () => []
  const file = opened(path)
  return (result) => {
    try {
      if (result.changed) writeFileSync(file, `${JSON.stringify(result)}\n`)
      else unlinkSync(path)
      closeSync(file)
      return []
    } catch (error) {
      process.stderr.write(`${JSON.stringify(result)}\n`) // it may be the only way back
      return [`The result could not be written to ${quotable(path)} (${codeOf(error) ?? 'unknown error'}).`]
    }
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    const code = codeOf(error)
    const problem = code === 'EEXIST' ? 'is there already' : `cannot be made (${code ?? 'unknown error'})`
    throw new AgentError('invalid_request', `${quotable(path)} ${problem}, so nothing was done.`, {
      hint: 'Name a new file with --save.',
    })
  }
}
