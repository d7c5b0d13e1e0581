import { constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import { MAX_INPUT_BYTES } from '../request/parse.js'

/** All of standard input, or enough of it to show that it is too large. Errors: interrupted, invalid_json. */
export async function readStdin(signal: AbortSignal): Promise<Buffer> {
  const stats = fstatSync(0)
  if (stats.isFile()) return readRedirectedFile(stats.size)
  if (stats.isCharacterDevice()) await printStdinHint()
  const { chunks, ended } = stats.isFIFO() ? readPipeBuffer() : { chunks: [], ended: false }
  return ended ? Buffer.concat(chunks) : readStream(chunks, signal)
}

/** Without the hint, a user at a terminal does not know that the program waits for input. */
async function printStdinHint(): Promise<void> {
  const { isatty } = await import('node:tty')
  if (!isatty(0)) return
  process.stderr.write('Reading a request from the terminal. Press Ctrl-D to end it. For help: cinder-backend --help\n')
}

function readRedirectedFile(size: number): Buffer {
  if (size > MAX_INPUT_BYTES) return Buffer.alloc(MAX_INPUT_BYTES + 1)
  try {
    return readFileSync(0)
  } catch {
    throw makeUnreadableError()
  }
}

/**
 * What the pipe holds already: in most cases the whole request, because callers write before Node has started. This read saves the loading of
 * Node's streams, a tenth of a whole run. A blocking read would not notice signals.
 */
function readPipeBuffer(): { chunks: Buffer[]; ended: boolean } {
  const chunks: Buffer[] = []
  try {
    const pipe = openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK)
    for (let size = 0; size <= MAX_INPUT_BYTES; ) {
      const chunk = Buffer.allocUnsafe(65536)
      const count = readSync(pipe, chunk)
      if (count === 0) break
      chunks.push(chunk.subarray(0, count))
      size += count
    }
    return { chunks, ended: true }
  } catch {
    return { chunks, ended: false } // EAGAIN: the writer has not finished. ENOENT: there is no /proc.
  }
}

function readStream(chunks: Buffer[], signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let size = 0
    const stop = () => reject(makeInterruptedError())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    process.stdin.on('error', () => reject(makeUnreadableError()))
    process.stdin.on('end', () => resolve(Buffer.concat(chunks)))
    process.stdin.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_INPUT_BYTES) resolve(Buffer.concat(chunks))
    })
  })
}

function makeUnreadableError(): AgentError {
  return new AgentError('invalid_json', 'Standard input cannot be read.', {
    hint: 'Send the request on standard input.',
  })
}

function makeInterruptedError(): AgentError {
  return new AgentError(
    'interrupted',
    'A signal interrupted the run while it read standard input. Nothing was changed.',
    { hint: 'Run it again.' },
  )
}
