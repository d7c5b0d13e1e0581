import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { PYTHON } from './peers/peers.js'

/** Asks one of the Python programs in support/peers how the real library sees the cases, all in one process. */
export function judge<Answer>(
  name: 'oslo' | 'sqlalchemy' | 'edits' | 'drivers' | 'devices',
  cases: readonly unknown[],
): readonly Answer[] {
  const program = new URL(`peers/judge-${name}.py`, import.meta.url).pathname
  const output = execFileSync(PYTHON, [program], {
    input: JSON.stringify(cases),
    env: { ...process.env, PYTHONUTF8: '1' },
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return JSON.parse(output.toString())
}

/** Keeps one of the Python programs for cases that come one after another, each a line. Errors: it has ended. */
export function openJudge<Answer>(name: 'primaries') {
  const program = new URL(`peers/judge-${name}.py`, import.meta.url).pathname
  const child = spawn(PYTHON, [program], { env: { ...process.env, PYTHONUTF8: '1' } })
  const errors: Buffer[] = []
  child.stderr.on('data', (chunk) => errors.push(chunk))
  child.stdin.on('error', () => {}) // it has ended: the answer is missing
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (each: unknown): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(each)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(Buffer.concat(errors).toString())
    return JSON.parse(value)
  }
  return { ask, close: () => child.stdin.end() }
}
