import { AgentError } from '../../model/errors.js'
import { quote } from '../../text/quote.js'
import type { CommandSpec } from './commands.js'
import type { OptionValues } from './options.js'

export interface CommandRequest {
  readonly request: object
  /** What the user must know beside the warnings of the result. */
  readonly warnings: readonly string[]
}

/** The request of a command. `document` is the content of the file of `apply` and `undo`. Errors: invalid_request. */
export function makeCommandRequest(
  { name, makeRequest }: CommandSpec,
  names: readonly string[],
  values: OptionValues,
  document: object,
): CommandRequest {
  const shared = makeSharedKeys(values)
  if (makeRequest !== undefined) return { request: { ...makeRequest(names, values), ...shared }, warnings: [] }
  if (name === 'undo') {
    return { request: { ...findRestoreRequest(document), ...shared }, warnings: warnOfEditedFiles(document) }
  }
  if ('changed' in document && 'backends' in document) {
    throw new AgentError('invalid_request', 'The file holds a result, not a request.', {
      hint: 'Use undo to restore the rows of a result.',
    })
  }
  return { request: { ...document, ...shared }, warnings: [] }
}

/** The keys that every request can have. */
function makeSharedKeys(values: OptionValues): object {
  const { configFile, configDir, connection, timeout, force, wait, waitTimeout, promoted } = values
  return {
    ...(configFile !== undefined && { config_file: [...configFile] }),
    ...(configDir !== undefined && { config_dir: [...configDir] }),
    ...(connection !== undefined && { connection }),
    ...(timeout !== undefined && { timeout }),
    ...(force === true && { force }),
    ...(promoted !== undefined && { promoted }),
    ...((wait === true || waitTimeout !== undefined) && { wait: true }),
    ...(waitTimeout !== undefined && { wait_timeout: waitTimeout }),
  }
}

/** `undo` of a result, or the document itself if it is such a request. */
function findRestoreRequest(document: object): object {
  const request: unknown = 'restore' in document ? document : getProperty(document, 'undo')
  if (typeof request === 'object' && request !== null) return request
  throw new AgentError('invalid_request', 'The file is not the result of a run that changed rows: it has no undo.', {
    hint: 'Use a result from --save, from --json, or from a run without a command.',
  })
}

/** Restored rows contradict a cinder.conf that still has the edit of the same run. */
function warnOfEditedFiles(result: object): readonly string[] {
  return getList(result, 'backends').flatMap((backend) => {
    const config = getProperty(backend, 'config')
    const file = getProperty(config, 'file')
    const backup = getProperty(config, 'backup')
    if (typeof file !== 'string' || getList(config, 'options').length === 0) return []
    const copy = typeof backup === 'string' ? ` Its backup is ${quote(backup)}.` : ''
    return [
      `undo restores the rows, but not ${quote(file)}, which the run changed too. Restore the file before you start cinder-volume.${copy}`,
    ]
  })
}

function getList(value: unknown, key: string): readonly unknown[] {
  const list = getProperty(value, key)
  return Array.isArray(list) ? list : []
}

function getProperty(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}
