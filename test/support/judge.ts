import { execFileSync } from 'node:child_process'
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
