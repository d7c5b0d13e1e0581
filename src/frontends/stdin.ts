import { constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { AgentError } from '../model/errors.js'
import { MAX_INPUT_BYTES } from '../request/parse.js'
import { interrupted } from '../store/retry.js'

/** All of standard input, or as much of it as shows that it is too large. Errors: interrupted, invalid_json. */
export async function input(signal: AbortSignal): Promise<Buffer> {
  const found = fstatSync(0)
  if (found.isFile()) return readFile(found.size)
  if (found.isCharacterDevice()) await greet()
  const { chunks, ended } = found.isFIFO() ? readWaiting() : { chunks: [], ended: false }
  return ended ? Buffer.concat(chunks) : readRest(chunks, signal)
}

/** Whoever has started it at a terminal with nothing to read would wait for it as it waits for them. */
async function greet(): Promise<void> {
  const { isatty } = await import('node:tty')
  if (!isatty(0)) return
  process.stderr.write('Reading a request; Ctrl-D ends it. For commands see cinder-backend --help.\n')
}

function readFile(size: number): Buffer {
  if (size > MAX_INPUT_BYTES) return Buffer.alloc(MAX_INPUT_BYTES + 1)
  try {
    return readFileSync(0)
  } catch {
    throw unreadable()
  }
}

function unreadable(): AgentError {
  return new AgentError('invalid_json', 'Standard input cannot be read.', { hint: 'Give the request there.' })
}

/**
 * What a pipe already holds, which mostly is all there is: whoever starts the agent writes before Node is up. Reading it this way spares
 * the loading of Node's streams, a tenth of a whole run; and a plain blocking read would be deaf to signals.
 */
function readWaiting(): { chunks: Buffer[]; ended: boolean } {
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
    return { chunks, ended: false } // EAGAIN: more is to come; or there is no /proc
  }
}

function readRest(chunks: Buffer[], signal: AbortSignal): Promise<Buffer> {
  return new Promise((fulfil, reject) => {
    let size = 0
    signal.addEventListener('abort', () => reject(interrupted()))
    process.stdin.on('error', () => reject(unreadable()))
    process.stdin.on('end', () => fulfil(Buffer.concat(chunks)))
    process.stdin.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_INPUT_BYTES) fulfil(Buffer.concat(chunks))
    })
  })
}
