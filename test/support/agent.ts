import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' }
import type { ResultDocument } from '../../src/model/contract.generated.js'
import { withMounts } from './mounts.js'

export const EXECUTABLE = new URL('../../dist/cinder-backend.cjs', import.meta.url).pathname

// setpriv is part of util-linux, which every Debian has.
const UNPRIVILEGED =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search,-chown,-fowner'] : []

const fits = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(resultSchema)

export interface Outcome {
  readonly result: ResultDocument
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface AgentOptions {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Without root's right to pass over the permissions of files. */
  readonly unprivileged?: boolean
  /** Folders that stand in the place of others (support/mounts.ts). */
  readonly mounts?: Readonly<Record<string, string>>
}

/** Runs the executable as a user would, and holds what every run must keep: one line, one JSON document, in its schema. */
export async function agent(
  request: unknown,
  { args = [], env = {}, cwd, unprivileged = false, mounts = {} }: AgentOptions = {},
): Promise<Outcome> {
  const command = withMounts(mounts, [...(unprivileged ? UNPRIVILEGED : []), process.execPath, EXECUTABLE, ...args])
  const child = spawn(command[0] ?? '', command.slice(1), { env: { ...process.env, ...env }, cwd })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => stderr.push(chunk))
  child.stdin.on('error', () => {}) // the agent may be done before it has read everything
  child.stdin.end(typeof request === 'string' || Buffer.isBuffer(request) ? request : JSON.stringify(request))
  const [status] = await once(child, 'close')
  return { status, ...checked(Buffer.concat(stdout).toString()), stderr: Buffer.concat(stderr).toString() }
}

/** One line that is a result by the published schema, with its keys in the order of the contract. */
export function checked(stdout: string): { result: ResultDocument; stdout: string } {
  expect(stdout).toMatch(/^[^\n]+\n$/)
  return { result: valid(JSON.parse(stdout)), stdout }
}

export function valid(result: ResultDocument): ResultDocument {
  expect(fits(result), JSON.stringify(fits.errors)).toBe(true)
  const order = ['changed', 'failed', 'msg', 'backends', 'diff', 'warnings', 'undo', 'unconfirmed', 'error']
  expect(Object.keys(result)).toEqual(order.filter((key) => key in result))
  return result
}
