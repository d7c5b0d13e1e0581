import { openSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import type { ResultDocument } from '../contract.generated.js'
import { AgentError, codeOf, quotable } from '../errors.js'

/**
 * Opens the file before anything is done, and keeps the result of a change there; where nothing is changed it is gone when the process ends. It is
 * a new one, for an older result in it may be the only way back. Errors: invalid_request where there is one already, or none can be made.
 */
export function saving(path: string | undefined): (result: ResultDocument) => ResultDocument {
  if (path === undefined) return (result) => result
  const file = opened(path)
  let isKept = false
  process.on('exit', () => {
    if (!isKept) remove(path)
  })
  return (result) => {
    if (!result.changed) return result
    try {
      writeFileSync(file, `${JSON.stringify(result)}\n`)
      isKept = true
      return result
    } catch (error) {
      process.stderr.write(`${JSON.stringify(result)}\n`)
      const warning = `${quotable(path)} could not be written (${codeOf(error) ?? 'unknown error'}): its content is above.`
      return { ...result, warnings: [...result.warnings, warning] }
    }
  }
}

function opened(path: string): number {
  if (path === '-') throw new AgentError('invalid_request', '--save takes the name of a file.')
  try {
    return openSync(path, isEmpty(path) ? 'w' : 'wx', 0o600)
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'EEXIST') {
      throw new AgentError('invalid_request', `${quotable(path)} cannot be made (${code ?? 'unknown error'}).`)
    }
    throw new AgentError('invalid_request', `${quotable(path)} is there already, so nothing was done.`, {
      hint: 'It may be the way back of an earlier run: keep it, and name another file.',
    })
  }
}

/** As a run leaves it that was killed. */
function isEmpty(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && found.size === 0
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already, or stays as an empty file.
  }
}
