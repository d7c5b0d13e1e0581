import { readFileSync } from 'node:fs'
import type { ResultDocument } from '../contract.generated.js'
import { AgentError, codeOf, quotable } from '../errors.js'
import { input } from '../input.js'
import { FORMATS } from '../report/formats.js'
import { parse as parseJson } from '../request/parse.js'
import { run } from '../run.js'
import { failed, finish, leave, print, surroundings } from '../serve.js'
import { type CommandSpec, surroundings as given } from './commands.js'
import { CHANGING, type Values } from './options.js'
import { parse } from './program.js'
import { changes, fileDiff, isMarked, problem, report } from './show.js'
import { ask, fitted, spinner, type Terminal, terminal } from './terminal.js'

const INTRO =
  'Brings OpenStack Cinder volume backends from failed over back to normal. Without a command: a JSON request on standard input, a JSON result on standard output.'

/** A command for people: it makes a request, has it run, and shows the result. */
export async function main(args: readonly string[], version: string): Promise<never> {
  const screen = terminal(!args.includes('--no-color'))
  const shows = !args.includes('--json')
  const end = (result: ResultDocument) =>
    shows ? explain(result, screen) : finish(result, { detailed: false, format: FORMATS.json })
  const around = surroundings(args.includes('--verbose'), 'command', end)
  try {
    const parsed = parse(args, INTRO, version, Math.min(screen.width, 100))
    if ('text' in parsed) return quit(parsed.text)
    const { command, names, values } = parsed
    if (command.name === 'schema') return quit(await schema(names[0]))
    if (command.name === 'completion') return quit((await import('./completion.js')).completion(names[0]))
    const { request, notes } = await requestOf(command, names, values, around.signal)
    return await carryOut({ command, values, screen, around, request, notes })
  } catch (error) {
    if (!(error instanceof AgentError)) around.onBug(error)
    return end(failed(error, 'command'))
  }
}

interface Work {
  readonly command: CommandSpec
  readonly values: Values
  readonly screen: Terminal
  readonly around: ReturnType<typeof surroundings>
  readonly request: object
  /** What is told beside the result. */
  readonly notes: readonly string[]
}

async function carryOut({ command, values, screen, around, request, notes }: Work): Promise<never> {
  const { check = false, diff = false, yes = false, json = false, detailedExitcode: detailed = false } = values
  const progress = spinner(screen.style)
  const asks = !yes && !check && !isReport(command)
  const go = async (dry: boolean) => {
    const result = await run(
      async () => Buffer.from(JSON.stringify(request)),
      { check: dry, diff: diff || asks }, // whoever is asked sees the lines of cinder.conf too
      { ...around, audience: command.name === 'apply' ? 'request' : 'command', say: progress.say },
    )
    progress.stop(result.failed)
    return { ...result, warnings: [...result.warnings, ...(result.failed ? [] : notes)] }
  }
  const show = (result: ResultDocument, would: boolean, rows = true): never => {
    const { diff: _, ...withoutDiff } = result
    if (json) return finish(diff ? result : withoutDiff, { detailed, format: FORMATS.json })
    if (result.failed) return explain(result, screen)
    if (values.names === true) {
      write(names(result, values))
      return leave(result, detailed)
    }
    const form = command.name === 'show' ? 'blocks' : 'table'
    const told = isReport(command) ? report(result, screen, form) : changes(result, { would, rows }, screen)
    write(fitted(told + (rows ? fileDiff(result, screen) : ''), process.stdout))
    return leave(result, detailed)
  }
  if (isReport(command)) return show(command.name === 'list' ? chosen(await go(false), values) : await go(false), false)
  if (yes && !check) return show(await go(false), false)
  const plan = await go(true)
  if (check || plan.failed || !plan.changed) return show(plan, true)
  if (!screen.answers) {
    throw new AgentError('invalid_request', 'This would change something, and there is no terminal to ask at.', {
      hint: 'Say --yes, or --check to see what it would be.',
    })
  }
  process.stderr.write(
    fitted(changes(plan, { would: true, rows: true }, screen) + fileDiff(plan, screen), process.stderr),
  )
  const answer = await ask('Do it?')
  if (answer !== 'yes') {
    process.stderr.write('Nothing was changed.\n')
    process.exit(answer === 'no' ? 1 : 130)
  }
  mustBeTheSame(plan, await go(true))
  return show(await go(false), false, false) // the rows were shown with the question
}

/** What was shown must be what is done; somebody may have changed the rows while the question stood. */
function mustBeTheSame(shown: ResultDocument, now: ResultDocument): void {
  const deeds = ({ backends, diff }: ResultDocument) => JSON.stringify([diff, backends.map(({ actions }) => actions)])
  if (now.failed || deeds(shown) === deeds(now)) return
  throw new AgentError(
    'conflict',
    'The rows were changed while the question stood, so another change would be made than the one shown.',
    {
      hint: 'Nothing was done; run it again to see.',
    },
  )
}

function isReport({ options }: CommandSpec): boolean {
  return !options.includes(CHANGING.yes)
}

/** What `list` was asked for. */
function chosen(result: ResultDocument, { failedOver = false, cluster = false }: Values): ResultDocument {
  if (result.failed || !(failedOver || cluster)) return result
  const all = cluster ? result.backends.filter((each) => each.cluster !== undefined) : result.backends
  const backends = failedOver ? all.filter(isMarked) : all
  const kind = cluster ? 'clusters' : 'backends'
  const msg = failedOver
    ? `${backends.length} of ${all.length} ${kind} are failed over`
    : `There are ${all.length} ${kind}`
  return { ...result, msg, backends }
}

function names({ backends }: ResultDocument, { cluster: ofClusters = false }: Values): string {
  const found = backends.flatMap(({ host, cluster, members = [] }) =>
    ofClusters ? (cluster ?? []) : cluster === undefined ? (host ?? []) : members.map((member) => member.host),
  )
  return found.map((name) => `${quotable(name)}\n`).join('')
}

/** The request of the command; of `apply` the one in the file, of `undo` the one in the result there. */
async function requestOf(
  { name, request }: CommandSpec,
  names: readonly string[],
  values: Values,
  signal: AbortSignal,
): Promise<Pick<Work, 'request' | 'notes'>> {
  if (request !== undefined) {
    const unstarted = name === 'promote' && values.service === undefined
    const next = 'cinder-volume is not started by this: do that next, look at its log, and thaw the backend.'
    return { request: { ...request(names, values), ...given(values) }, notes: unstarted ? [next] : [] }
  }
  const document = await documentIn(names[0] ?? '-', signal)
  if (name === 'apply') {
    if ('changed' in document && 'backends' in document) {
      throw new AgentError('invalid_request', 'This is a result, not a request.', { hint: 'To take it back use undo.' })
    }
    return { request: { ...document, ...given(values) }, notes: [] }
  }
  const { undo, restore, backends } = document as { undo?: object; restore?: object; backends?: unknown } // the request's schema judges it
  const back = restore === undefined ? undo : document
  if (typeof back === 'object' && back !== null)
    return { request: { ...back, ...given(values) }, notes: edits(backends) }
  throw new AgentError('invalid_request', 'This is no result of a run that changed rows: it has no undo.', {
    hint: 'Give what a run printed with --json, or without a command.',
  })
}

/** Rows alone are put back; a section that was edited with them would contradict them. */
function edits(backends: unknown): readonly string[] {
  if (!Array.isArray(backends)) return []
  return backends.flatMap((each) => {
    const { file, options = [], backup } = each?.config ?? {}
    if (typeof file !== 'string' || !Array.isArray(options) || options.length === 0) return []
    const copy = typeof backup === 'string' ? `; as it was it is ${quotable(backup)}` : ''
    return [
      `${quotable(file)} was changed by that run too, and stays so: put it back before cinder-volume starts${copy}.`,
    ]
  })
}

/** JSON or YAML. Errors: invalid_json, invalid_request. */
async function documentIn(path: string, signal: AbortSignal): Promise<object> {
  const bytes = path === '-' ? await input(signal) : contentOf(path)
  const document: unknown = /^\s*[{[]/.test(bytes.toString('utf8'))
    ? parseJson(bytes)
    : await yaml(bytes.toString('utf8'))
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  throw new AgentError('invalid_request', `${quotable(path)} holds no request.`, {
    hint: 'Give one JSON or YAML object.',
  })
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new AgentError('invalid_request', `${quotable(path)} cannot be read (${codeOf(error) ?? 'unknown error'}).`)
  }
}

async function yaml(text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error === undefined) return document.toJS()
  const [place] = error.linePos ?? []
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
  throw new AgentError('invalid_json', `This is neither one JSON document nor one of YAML${where}.`)
}

async function schema(name = 'request'): Promise<string> {
  const { default: request } = await import('../../schemas/request.schema.json', { with: { type: 'json' } })
  const { default: result } = await import('../../schemas/result.schema.json', { with: { type: 'json' } })
  const found = { request, result }[name]
  if (found !== undefined) return `${JSON.stringify(found, undefined, 2)}\n`
  throw new AgentError('invalid_request', 'There are two schemas: request and result.')
}

function explain(result: ResultDocument, screen: Terminal): never {
  process.stderr.write(fitted(problem(result, screen), process.stderr))
  process.exit(1)
}

function quit(text: string): never {
  write(text)
  process.exit(0)
}

/** Whoever reads may have seen enough, as `head` does. */
function write(text: string): void {
  print(text, true)
}
