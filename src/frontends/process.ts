/**
 * src/frontends/ turns a caller into one request of the agent, and the agent's result into output and an exit status.
 *
 *   process.ts   signals, crashes, the output, the exit status      stdin.ts   the request on standard input      cli/   the commands
 *
 * A front end may import agent.ts, model/, text/, request/ (parsing, flags) and report/ (formats, makeFailure), and nothing else of src/.
 * Promises: one JSON document on one line of standard output, whatever happens; the exit status depends on the result alone; no control
 * character from outside reaches a terminal. A front end adds no guard and no step of its own: each caller gets the same behaviour.
 */
import { writeSync } from 'node:fs'
import { type RunContext, runRequest } from '../agent.js'
import type { ResultDocument } from '../model/contract.generated.js'
import { getErrorCode } from '../model/errors.js'
import { makeFailure } from '../report/result.js'
import type { Flags } from '../request/request.js'
import { stripControlCharacters, toJsonLine } from '../text/control.js'
import type { Audience } from '../text/hints.js'

const PIPE_RETRY_MS = 5

export interface ServeOptions extends Flags {
  /** Exit status 2 means: changed, or in check mode would change. */
  readonly detailedExitcode: boolean
  /** The stack of an unexpected error goes to standard error. */
  readonly verbose: boolean
  /** The result in the form that the caller reads: one JSON object. */
  readonly format: (result: ResultDocument) => object
}

/** A signal aborts the run; a crash ends the process with `exitWithResult`. Progress goes to standard error if that is a terminal. */
export function installProcessHandlers(
  verbose: boolean,
  audience: Audience,
  exitWithResult: (result: ResultDocument) => never,
): RunContext {
  const abort = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => abort.abort())
  const onBug = (error: unknown) => {
    if (verbose && error instanceof Error) process.stderr.write(stripControlCharacters(`${error.stack}\n`))
  }
  const endCrash = (error: unknown) => {
    onBug(error)
    exitWithResult(makeFailure(error, { audience }))
  }
  process.on('uncaughtException', endCrash)
  process.on('unhandledRejection', endCrash)
  let lastStep = ''
  const printStep = (step: string) => {
    if (process.stderr.isTTY && step !== lastStep)
      process.stderr.write(stripControlCharacters(`cinder-backend: ${step}\n`))
    lastStep = step
  }
  return { env: process.env, signal: abort.signal, onBug, onProgress: printStep, audience }
}

/** One request, one JSON document on one line of standard output, one exit status. */
export async function serveRequest(
  readInput: (signal: AbortSignal) => Promise<Buffer>,
  options: ServeOptions,
): Promise<never> {
  const context = installProcessHandlers(options.verbose, 'request', (result) => printResultAndExit(result, options))
  return printResultAndExit(await runRequest(() => readInput(context.signal), options, context), options)
}

export function printResultAndExit(
  result: ResultDocument,
  { detailedExitcode, format }: Pick<ServeOptions, 'detailedExitcode' | 'format'>,
): never {
  writeOutput(toJsonLine(format(result)))
  exitWithStatus(result, detailedExitcode)
}

export function exitWithStatus(result: ResultDocument, detailedExitcode: boolean): never {
  if (result.failed) process.exit(1)
  process.exit(detailedExitcode && result.changed ? 2 : 0)
}

/** `readerMayStop`: a reader such as `head` may close the pipe early. */
export function writeOutput(text: string, readerMayStop = false): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeChunk(rest))
  } catch (error) {
    if (!readerMayStop || getErrorCode(error) !== 'EPIPE') failOutput()
  }
}

function failOutput(): never {
  process.stderr.write('The result could not be written to standard output.\n')
  process.exit(1)
}

/** The number of bytes written; 0 if a non-blocking pipe is full at the moment. */
function writeChunk(rest: Buffer): number {
  try {
    return writeSync(1, rest)
  } catch (error) {
    if (getErrorCode(error) !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_RETRY_MS)
    return 0
  }
}
