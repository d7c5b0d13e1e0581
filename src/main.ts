import { writeSync } from 'node:fs'
import type { ResultDocument } from './contract.generated.js'
import { AgentError, quotable } from './errors.js'
import { input } from './input.js'
import { failure } from './report/result.js'
import { run } from './run.js'

declare const VERSION: string

const HELP = `cinder-backend ${VERSION}

Brings OpenStack Cinder volume backends into a desired state: a JSON request on standard input, a JSON result on standard output.

Usage: cinder-backend [OPTION]... < REQUEST.json

  --check               tell what would be changed, and change nothing (check_mode)
  --diff                show the rows before and after (diff)
  --detailed-exitcode   exit with 0: nothing to change, 2: changed (with --check: would change), 1: failed
  --verbose             on an internal error, show the stack on standard error
  --version             show the version
  --help                show this help

Example:
  echo '{"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled"}' | cinder-backend --check --diff

The connection comes from "connection" in the request, else from OS_DATABASE__CONNECTION, else from the cinder.conf that cinder-volume reads.
Without --detailed-exitcode the exit status is 0 when the result says "failed": false, else 1.
`

const OPTIONS = {
  check: { type: 'boolean' },
  diff: { type: 'boolean' },
  'detailed-exitcode': { type: 'boolean' },
  verbose: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

let detailed = false
let verbose = false

/** The end of the process: one line on standard output, and the exit status that goes with it. */
function finish(result: ResultDocument): never {
  print(`${JSON.stringify(result)}\n`)
  if (result.failed) process.exit(1)
  process.exit(detailed && result.changed ? 2 : 0)
}

function print(text: string): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(written(rest))
  } catch {
    process.exit(1) // nobody reads any more
  }
}

/** Bytes written; 0 where a non-blocking pipe is full for the moment. */
function written(rest: Buffer): number {
  try {
    return writeSync(1, rest)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    return 0
  }
}

function onBug(error: unknown): void {
  if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`)
}

function crash(error: unknown): never {
  onBug(error)
  finish(failure(error, [], { diff: false, serviceDownTime: 0, warnings: [] }))
}

async function options(args: readonly string[]) {
  const { parseArgs } = await import('node:util')
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : ''
    return finish(
      failure(new AgentError('invalid_request', `${quotable(said)}.`, { hint: 'See cinder-backend --help.' }), [], {
        diff: false,
        serviceDownTime: 0,
        warnings: [],
      }),
    )
  }
}

async function main(args: readonly string[]): Promise<void> {
  const abort = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => abort.abort())
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  const { check = false, diff = false, help, version, ...rest } = args.length === 0 ? {} : await options(args)
  detailed = rest['detailed-exitcode'] ?? false
  verbose = rest.verbose ?? false
  if (help || version) {
    print(help ? HELP : `${VERSION}\n`)
    return
  }
  const { signal } = abort
  finish(await run(() => input(signal), { check, diff }, { env: process.env, signal, onBug }))
}

void main(process.argv.slice(2))
