import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isFailedOver } from '../../../src/model/failover.js'
import {
  describeWorld,
  type Effect,
  Killed,
  makeConf,
  readPrimary,
  runInWorld,
  type World,
  type WorldRun,
} from '../../support/world.js'
import { ask, FAILED_OVER, GUARDS, HEALTHY, HOST, makeHostWorld } from '../../support/worlds.js'

// Hands, deploy tools, failovers and runs of the agent, in any order.

const RUNS = 300

const device = (id: string) => ({ backend_id: id, san_ip: `ip-${id}`, api_token: `t-${id}` })
const settingsOf = (id: string) => ({ san_ip: `ip-${id}`, pure_api_token: `t-${id}` })
const SERVICE = { service: { manager: 'systemd', state: 'started' } }
const RESET = { active_backend: 'reset', replication: 'enabled' }
const WHOLE = { ...RESET, ...SERVICE, frozen: false }

/** What a request promotes, and to which replica the new primary replicates. */
type MakeRequest = (id: string, next: string) => object
const byName: MakeRequest = (id, next) => ({ config: { promote: id, replication_device: [device(next)] } })
const byOptions: MakeRequest = (id, next) => ({
  config: { options: settingsOf(id), replication_device: [device(next)] },
})
const REQUESTS: Readonly<Record<string, MakeRequest>> = {
  'whole, by name': (id, next) => ({ ...WHOLE, ...byName(id, next) }),
  'whole, by what is active': (_, next) => ({
    ...WHOLE,
    config: { promote: true, replication_device: [device(next)] },
  }),
  'whole, by options': (id, next) => ({ ...WHOLE, ...byOptions(id, next) }),
  'whole, with the new replica alone': (_, next) => ({ ...WHOLE, config: { replication_device: [device(next)] } }),
  'whole, with the address alone': (id, next) => ({
    ...WHOLE,
    config: { options: { san_ip: `ip-${id}` }, replication_device: [device(next)] },
  }),
  'the row and the file, by name': (id, next) => ({ ...RESET, ...byName(id, next) }),
  'bare reset': () => RESET,
  'bare reset, stated': (id) => ({ ...RESET, promoted: id }),
  'reset with a thaw': () => ({ ...RESET, frozen: false }),
  'service only': () => WHOLE,
  start: () => SERVICE,
  'start and thaw': () => ({ ...SERVICE, frozen: false }),
  'new replica and start': (_, next) => ({ ...SERVICE, config: { replication_device: [device(next)] } }),
  'service only, stated': (id) => ({ ...WHOLE, promoted: id }),
  'edit only, by name': byName,
  'edit only, by options': byOptions,
}

const anArray = fc.constantFrom('A', 'B', 'C', 'Z')
const replicas = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'b'), { maxLength: 3 })
const failover = fc.record({ do: fc.constant('failover' as const), to: fc.constantFrom('B', 'B', 'C', 'Z') })
const failback = fc.constant({ do: 'failback' as const })
const event = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set primary' as const), to: anArray }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set replicas' as const), replicas }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy' as const), primary: anArray, replicas }) },
  { weight: 2, arbitrary: failover },
  { weight: 1, arbitrary: failback },
  { weight: 1, arbitrary: fc.constant({ do: 'stop' as const }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      request: fc.constantFrom(...Object.keys(REQUESTS)),
      id: fc.constantFrom('B', 'B', 'C', 'Z'),
      next: fc.constantFrom('C', 'D', 'B'),
      /** What happens after which effect of the run. */
      disturbance: fc.option(
        fc.record({
          after: fc.integer({ min: 1, max: 6 }),
          what: fc.oneof(fc.constant({ do: 'kill' as const }), failover, failback),
        }),
        { nil: undefined },
      ),
    }),
  },
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never
type Run = Extract<Event, { readonly do: 'run' }>

const listReplicas = (ids: readonly string[]) =>
  makeConf('', ids)
    .split('\n')
    .filter((line) => line.startsWith('replication_device'))
    .map((line) => `${line}\n`)
    .join('')

const setRow = (world: World, state: World['rows'][number]['state']) => {
  world.rows = world.rows.map((row) => ({ ...row, state }))
}

/** Longer than any heartbeat is waited for. */
const LONG_MS = 3_600_000

function happen(world: World, each: Exclude<Event, Run> | { readonly do: 'kill' }): void {
  switch (each.do) {
    case 'kill':
      throw new Killed()
    case 'set primary':
      world.file = world.file.replace(/^san_ip = .*$/m, `san_ip = ip-${each.to}`)
      return
    case 'set replicas':
      world.file = `${world.file.replace(/^replication_device.*\n/gm, '')}${listReplicas(each.replicas)}`
      return
    case 'deploy':
      world.file = makeConf(each.primary, each.replicas)
      return
    case 'failover':
      setRow(world, { ...FAILED_OVER, active_backend_id: each.to })
      return
    case 'failback': // cinder/volume/manager.py, failover to "default"
      setRow(world, { ...HEALTHY, active_backend_id: '', disabled_reason: '' })
      return
    case 'stop':
      world.service = 'stopped'
      world.timeMs += LONG_MS
      return
  }
}

const lists = (file: string | undefined, id: string | null) => file?.includes(`backend_id:${id},`) === true

/** A reset must leave the row with a section whose primary is the array that the row was failed over to. */
function assertProven(
  effect: Effect,
  known: readonly (string | undefined)[],
  world: World,
  document: object,
): string[] {
  if (effect.kind !== 'rows') return []
  return effect.changes.flatMap(({ row, after }) => {
    const active = row.state.active_backend_id
    if (!isFailedOver(row.state) || isFailedOver(after)) return []
    assert.equal((document as { active_backend?: string }).active_backend, 'reset')
    assert.ok(!lists(world.file, active), 'it is still a replica')
    if (readPrimary(world.file) === active) return ['right']
    // Nothing that was ever seen of the entry tells that the primary is another one.
    assert.ok(!known.some((file) => lists(file, active)), 'the entry disproves it')
    if ('promoted' in document) {
      assert.equal(document.promoted, active)
      return ['falsely stated']
    }
    assert.ok(!('service' in document || 'config' in document || 'frozen' in document), 'it is not bare')
    return ['unknown']
  })
}

/** A start must find the array that the row names, or as long as a promotion is not finished, a section that is that of no other array. */
function assertStart({ rows, file, oldCopy }: World): void {
  const [row] = rows
  const active = row?.state.active_backend_id
  if (active) assert.ok(lists(file, active), 'the driver does not find the array')
  else if (oldCopy !== undefined) {
    const primary = readPrimary(file)
    assert.ok(active === '' ? primary === readPrimary(oldCopy) : lists(oldCopy, primary), 'it is not the new primary')
  }
}

async function run(world: World, { request, id, next, disturbance }: Run): Promise<string> {
  const document = { ...HOST_KEY, ...REQUESTS[request]?.(id, next) }
  const before = describeWorld(world)
  const known = [world.file, world.oldCopy]
  const verdicts: string[] = []
  const effects: Effect[] = []
  const { journal }: WorldRun = await runInWorld(world, ask(document), {
    afterEffect: (count, _, effect) => {
      effects.push(effect)
      verdicts.push(...assertProven(effect, known, world, document))
      if (effect.kind === 'start') assertStart(world)
      if (count === disturbance?.after) happen(world, disturbance.what)
    },
  })
  const { error, steps, warnings } = journal
  if (error instanceof assert.AssertionError) throw error
  if (verdicts.includes('unknown')) assert.match(warnings.join(), /promoted/)
  if (error instanceof Killed) return 'killed'
  const code = error === undefined ? 'done' : (error as { code?: string }).code
  assert.ok(code !== undefined && code !== 'internal_error', String(error))
  if (GUARDS.includes(code) && steps.length === 0) assert.equal(describeWorld(world), before)
  return verdicts.includes('right') ? 'right' : (verdicts[0] ?? code)
}

const HOST_KEY = { host: HOST.name }

test('whoever else does what, a row is reset only over the primary that it was failed over to', async () => {
  const outcomes = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 2, maxLength: 12 }), async (events) => {
      const world = makeHostWorld(FAILED_OVER, 'stopped')
      for (const each of events) {
        if (each.do !== 'run') happen(world, each)
        else {
          const outcome = await run(world, each)
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        }
      }
    }),
    { numRuns: RUNS },
  )
  for (const outcome of ['right', 'unknown', 'killed', 'done', 'not_promoted', 'not_failed_over'])
    expect([...outcomes.keys()]).toContain(outcome)
})

test('from any mess a whole promotion of a section as it was at the failover succeeds, and keeps no copy', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 8 }),
      fc.constantFrom('B', 'C'),
      fc.constantFrom('whole, by name', 'whole, by what is active', 'whole, by options'),
      async (events, id, request) => {
        const world = makeHostWorld(FAILED_OVER, 'stopped')
        for (const each of events) await (each.do === 'run' ? run(world, each) : happen(world, each))
        happen(world, { do: 'deploy', primary: 'A', replicas: [id] })
        happen(world, { do: 'failover', to: id })
        happen(world, { do: 'stop' })
        const last: Run = { do: 'run', request, id, next: 'D', disturbance: undefined }
        assert.equal(await run(world, last), 'right')
        assert.equal(world.file, makeConf(id, ['D']))
        assert.equal(world.oldCopy, undefined)
        const settled = describeWorld(world)
        assert.equal(await run(world, last), 'done')
        assert.equal(describeWorld(world), settled)
      },
    ),
    { numRuns: RUNS },
  )
})
