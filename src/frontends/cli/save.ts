import { openSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError, getErrorCode } from '../../model/errors.js'
import { quote } from '../../text/quote.js'

export interface Saving {
  /** The file; undefined where none is asked for. */
  readonly path: string | undefined
  /** Keeps the result, where there is anything in it to be undone. */
  readonly keep: (result: ResultDocument) => ResultDocument
}

/**
 * Opens a file for the result before anything is done. It is a new one, with a number behind its name where that is taken: an older result may be the
 * only way back. Where nothing comes into it, it is gone when the process ends. Errors: invalid_request where none can be made.
 */
export function saving(wanted: string | undefined): Saving {
  if (wanted === undefined) return { path: undefined, keep: (result) => result }
  const { path, file } = opened(wanted)
  let isKept = false
  process.on('exit', () => {
    if (!isKept) remove(path)
  })
  const keep = (result: ResultDocument) => {
    if (result.undo === undefined) return result
    try {
      writeFileSync(file, `${JSON.stringify(result)}\n`)
      isKept = true
      return result
    } catch (error) {
      process.stderr.write(`${JSON.stringify(result)}\n`)
      const warning = `${quote(path)} could not be written (${getErrorCode(error) ?? 'unknown error'}): its content is above.`
      return { ...result, warnings: [...result.warnings, warning] }
    }
  }
  return { path, keep }
}

/** Names that are tried. */
const MOST_NAMES = 1000

function opened(wanted: string): { path: string; file: number } {
  if (['', '-'].includes(wanted)) throw new AgentError('invalid_request', '--save takes the name of a file.')
  for (let count = 0; count < MOST_NAMES; count++) {
    const path = count === 0 ? wanted : `${wanted}.${count}`
    try {
      return { path, file: openSync(path, isEmpty(path) ? 'w' : 'wx', 0o600) }
    } catch (error) {
      const code = getErrorCode(error)
      if (code === 'EEXIST') continue
      throw new AgentError('invalid_request', `${quote(path)} cannot be made (${code ?? 'unknown error'}).`)
    }
  }
  throw new AgentError('invalid_request', `There are ${MOST_NAMES} files of the name ${quote(wanted)} already.`)
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
