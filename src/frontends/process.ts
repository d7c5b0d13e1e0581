import { writeSync } from 'node:fs'
import type { ResultDocument } from '../model/contract.generated.js'
import { getErrorCode } from '../model/errors.js'
import { failure } from '../report/result.js'
import type { Flags } from '../request/request.js'
import { run, type Surroundings } from '../run.js'
import type { Audience } from '../text/hints.js'

export interface ServeOptions extends Flags {
  /** Exit with 2 where something was changed, or would be. */
  readonly detailed: boolean
  /** The stack of an unforeseen error goes to standard error. */
  readonly verbose: boolean
  /** The result as the caller wants to read it: one JSON object. */
  readonly format: (result: ResultDocument) => object
}

/** Signals end the run early, and a crash ends it with `end`; at a terminal `say` tells on standard error what is being done. */
export function surroundings(
  verbose: boolean,
  audience: Audience,
  end: (result: ResultDocument) => never,
): Surroundings {
  const abort = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => abort.abort())
  const onBug = (error: unknown) => {
    if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  }
  const crash = (error: unknown) => {
    onBug(error)
    end(failed(error, audience))
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  let said = ''
  const say = (text: string) => {
    if (process.stderr.isTTY && text !== said) process.stderr.write(`cinder-backend: ${text}\n`)
    said = text
  }
  return { env: process.env, signal: abort.signal, onBug, say, audience }
}

/**
 * One request, and the end of the process: one JSON document on one line of standard output, and the exit status that goes with it, whatever
 * happens.
 */
export async function serve(input: (signal: AbortSignal) => Promise<Buffer>, options: ServeOptions): Promise<never> {
  const around = surroundings(options.verbose, 'request', (result) => finish(result, options))
  return finish(await run(() => input(around.signal), options, around), options)
}

/** The result of what failed before there was a request. */
export function failed(error: unknown, audience: Audience): ResultDocument {
  return failure(error, {
    audience,
    seen: [],
    pending: [],
    diff: false,
    serviceDownTime: 0,
    warnings: [],
    written: [],
    source: {},
  })
}

export function finish(result: ResultDocument, { detailed, format }: Pick<ServeOptions, 'detailed' | 'format'>): never {
  print(`${JSON.stringify(format(result))}\n`)
  leave(result, detailed)
}

export function leave(result: ResultDocument, detailed: boolean): never {
  if (result.failed) process.exit(1)
  process.exit(detailed && result.changed ? 2 : 0)
}

/** With `mayBeCut` a reader who has seen enough, as `head` has, is no failure. */
export function print(text: string, mayBeCut = false): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(written(rest))
  } catch (error) {
    if (!mayBeCut || getErrorCode(error) !== 'EPIPE') complain()
  }
}

function complain(): never {
  process.stderr.write('The result could not be written to standard output.\n')
  process.exit(1)
}

/** Bytes written; 0 where a non-blocking pipe is full for the moment. */
function written(rest: Buffer): number {
  try {
    return writeSync(1, rest)
  } catch (error) {
    if (getErrorCode(error) !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    return 0
  }
}
