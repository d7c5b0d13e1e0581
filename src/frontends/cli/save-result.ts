import { openSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError, getErrorCode } from '../../model/errors.js'
import { toJsonLine } from '../../text/control.js'
import { quote } from '../../text/quote.js'

export interface SaveFile {
  /** undefined: the user wants no file. */
  readonly path: string | undefined
  /** Writes a result that can be undone; returns it with a warning if the writing fails. */
  readonly save: (result: ResultDocument) => ResultDocument
}

/**
 * Opens the file before the change, so that a change is never without its undo file. An existing file stays: it can be the only undo file of an
 * older change. The exit of the process removes the file if it is still empty. Errors: invalid_request.
 */
export function openSaveFile(wanted: string | undefined): SaveFile {
  if (wanted === undefined) return { path: undefined, save: (result) => result }
  const { path, descriptor } = createSaveFile(wanted)
  let isSaved = false
  process.on('exit', () => {
    if (!isSaved) removeSaveFile(path)
  })
  const save = (result: ResultDocument) => {
    if (result.undo === undefined) return result
    try {
      writeFileSync(descriptor, toJsonLine(result))
      isSaved = true
      return result
    } catch (error) {
      process.stderr.write(toJsonLine(result))
      const warning = `${quote(path)} could not be written (${getErrorCode(error) ?? 'unknown error'}). Copy the JSON line above into a file for undo.`
      return { ...result, warnings: [...result.warnings, warning] }
    }
  }
  return { path, save }
}

const MAX_NAMES = 1000

/** The owner alone can read it: a result names hosts and files. */
const FILE_MODE = 0o600

function createSaveFile(wanted: string): { path: string; descriptor: number } {
  if (['', '-'].includes(wanted)) throw new AgentError('invalid_request', '--save needs the name of a file.')
  for (let count = 0; count < MAX_NAMES; count++) {
    const path = count === 0 ? wanted : `${wanted}.${count}`
    try {
      return { path, descriptor: openSync(path, isEmptyFile(path) ? 'w' : 'wx', FILE_MODE) }
    } catch (error) {
      const code = getErrorCode(error)
      if (code === 'EEXIST') continue
      throw new AgentError('invalid_request', `${quote(path)} cannot be created (${code ?? 'unknown error'}).`)
    }
  }
  throw new AgentError('invalid_request', `${quote(wanted)} and the ${MAX_NAMES - 1} names after it exist already.`, {
    hint: 'Use another name, or remove old files.',
  })
}

/** A killed run leaves an empty file. */
function isEmptyFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true && stats.size === 0
}

function removeSaveFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // The file is gone already, or stays empty.
  }
}
