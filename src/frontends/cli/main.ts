import type { ResultDocument } from '../../model/contract.generated.js'
import { AgentError } from '../../model/errors.js'
import { FORMATS } from '../../report/formats.js'
import { failed, finish, surroundings } from '../process.js'
import { carryOut, explain, write } from './carry-out.js'
import { parse } from './program.js'
import { requestOf } from './request.js'
import { terminal } from './terminal.js'

/** A command for people: it makes a request, has it run, and shows the result. */
export async function main(args: readonly string[], version: string): Promise<never> {
  const screen = terminal(!args.includes('--no-color'))
  const shows = !args.includes('--json')
  const end = (result: ResultDocument) =>
    shows ? explain(result, screen) : finish(result, { detailed: false, format: FORMATS.json })
  const around = surroundings(args.includes('--verbose'), 'command', end)
  try {
    const parsed = parse(args, version, Math.min(screen.out.width, 100))
    if ('text' in parsed) return quit(parsed.text)
    const { command, names, values } = parsed
    if (command.name === 'schema') return quit(await schema(names[0]))
    if (command.name === 'completion') return quit((await import('./completion/completion.js')).completion(names[0]))
    const asked = await requestOf(command, names, values, around)
    if ('failed' in asked) return end(asked)
    return await carryOut({ ...asked, command, values, screen, around, typed: names[0] === '-' })
  } catch (error) {
    if (!(error instanceof AgentError)) around.onBug(error)
    return end(failed(error, 'command'))
  }
}

async function schema(name = 'request'): Promise<string> {
  const { default: request } = await import('../../../schemas/request.schema.json', { with: { type: 'json' } })
  const { default: result } = await import('../../../schemas/result.schema.json', { with: { type: 'json' } })
  const found = { request, result }[name]
  if (found !== undefined) return `${JSON.stringify(found, undefined, 2)}\n`
  throw new AgentError('invalid_request', 'There are two schemas: request and result.')
}

function quit(text: string): never {
  write(text)
  process.exit(0)
}
