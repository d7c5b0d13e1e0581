import { describe, expect, test } from 'vitest'
import { type ExecuteOptions, execute } from '../../../src/execute/execute.js'
import { makeRowKey, type RowChange } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import { makeResult } from '../../../src/report/result.js'
import { openWorld, runInWorld, type World } from '../../support/world.js'
import {
  ask,
  codeOf,
  FAILED_OVER,
  HEALTHY,
  makeClusterWorld,
  makeHostWorld,
  makeRow,
  makeWorld,
  PROMOTED,
} from '../../support/worlds.js'

const FROZEN = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const FREEZE = { frozen: true }
type Store = ExecuteOptions['store']

const report = (journal: Awaited<ReturnType<typeof execute>>) => makeResult(journal, { audience: 'request' })
const changesIn = (effects: Awaited<ReturnType<typeof runInWorld>>['effects']): readonly RowChange[] =>
  effects.flatMap((effect) => (effect.kind === 'rows' ? effect.changes : []))

/** Runs on a store that is like the world's but for one method or two. */
async function runOn(world: World, document: object, change: (store: Store) => Partial<Store>) {
  const { options, effects } = openWorld(world, ask(document))
  const journal = await execute({ ...options, store: { ...options.store, ...change(options.store) } })
  return { journal, effects }
}

describe('rows that somebody changes between the look and the lock', () => {
  /** Something that happens once, when the rows are about to be locked. */
  const runWith = async (world: World, document: object, happen: () => void) => {
    let locks = 0
    const run = await runInWorld(world, ask(document), {
      onCall: (name) => {
        if (name === 'lock' && locks++ === 0) happen()
      },
    })
    return { ...run, locks }
  }

  test('are not written if they are as wanted, and that is no change of this run', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const { journal, effects } = await runWith(world, FREEZE, () => {
      world.rows = world.rows.map((row) => ({ ...row, state: FROZEN }))
    })
    expect(effects).toEqual([])
    expect(report(journal)).toMatchObject({
      changed: false,
      failed: false,
      backends: [{ before: FROZEN, after: FROZEN }],
    })
  })

  test('are planned again, so that what an admin did meanwhile stays', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const disabled = { ...HEALTHY, disabled: true, disabled_reason: 'disk swap' }
    const { journal } = await runWith(world, FREEZE, () => {
      world.rows = world.rows.map((row) => ({ ...row, state: disabled }))
    })
    expect(world.rows[0]?.state).toEqual({ ...disabled, frozen: true })
    expect(report(journal).backends).toMatchObject([{ before: disabled, after: { ...disabled, frozen: true } }])
  })

  test('are not written if a guard forbids it now', async () => {
    const world = makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED })
    const run = await runWith(world, { active_backend: 'reset' }, () => {
      world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs }))
    })
    expect(codeOf(run)).toBe('service_up')
    expect(run.effects).toEqual([])
  })

  test('are not written before a step that has become the first', async () => {
    const world = makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED })
    const run = await runWith(world, { active_backend: 'reset', wait: true, wait_timeout: 30 }, () => {
      world.rows = world.rows.map((row) => ({ ...row, beatAtMs: world.timeMs }))
    })
    expect(codeOf(run)).toBeUndefined()
    expect(run.journal.steps.map(({ kind }) => kind)).toEqual(['await_down', 'write_rows'])
    expect(run.effects).toHaveLength(1)
  })

  test('are locked all of them first, also a member that has just joined', async () => {
    const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped')
    const run = await runWith(world, { cluster: 'c9@arrayA', ...FREEZE, timeout: 5 }, () => {
      world.rows = [...world.rows, makeRow('vol3@arrayA', HEALTHY, { clusterName: 'c9@arrayA' })]
    })
    expect(codeOf(run)).toBeUndefined()
    expect(run).toMatchObject({ locks: 2, effects: [{ kind: 'rows' }] })
    expect(world.rows.map(({ state }) => state)).toEqual([FROZEN, FROZEN, FROZEN, FROZEN])
  })
})

test('rows are locked in one order, whatever the order of the request', async () => {
  const locked: (readonly string[])[] = []
  const world = makeWorld([
    makeRow('vol1@arrayA', HEALTHY),
    makeRow('c9@arrayB', HEALTHY, { table: 'clusters', beatAtMs: undefined }),
    makeRow('vol2@arrayB', HEALTHY, { clusterName: 'c9@arrayB' }),
    makeRow('vol3@arrayA', HEALTHY),
  ])
  const backends = [{ host: 'vol3@arrayA' }, { host: 'vol2@arrayB' }, { host: 'vol1@arrayA' }]
  await runOn(world, { backends, ...FREEZE }, ({ change }) => ({
    change: (work, deadline) =>
      change(
        (transaction) =>
          work({
            ...transaction,
            lock: async (rows) => {
              locked.push(rows.map(makeRowKey))
            },
          }),
        deadline,
      ),
  }))
  expect(locked).toEqual([['clusters 9', 'services 1', 'services 2', 'services 3']])
})

test('an update that finds other values than planned is a conflict, which the next try may pass', async () => {
  const world = makeHostWorld(HEALTHY, 'stopped')
  const answers: boolean[] = []
  const { journal } = await runOn(world, FREEZE, ({ change }) => ({
    change: (work, deadline) =>
      change(
        (transaction) =>
          work({
            ...transaction,
            update: async (each) => {
              answers.push(answers.length > 0)
              return answers.at(-1) === true && transaction.update(each)
            },
          }),
        deadline,
      ),
  }))
  expect(answers).toEqual([false, true])
  expect(journal.error).toBeUndefined()
  expect(world.rows[0]?.state).toEqual(FROZEN)
})

test("modified_at is the database's own time where disabled changes, and of services alone", async () => {
  const world = makeClusterWorld(
    HEALTHY,
    HEALTHY,
    { ...HEALTHY, disabled: true, disabled_reason: 'disk swap' },
    'stopped',
  )
  const { effects } = await runInWorld(world, ask({ cluster: 'c9@arrayA', ...FREEZE }))
  const now = new Date(world.timeMs).toISOString()
  expect(changesIn(effects).map(({ modifiedAt }) => modifiedAt)).toEqual([undefined, now, undefined])
})

describe('a commit whose answer is lost', () => {
  const lost = new AgentError('connection_failed', 'The connection was lost.', { unconfirmed: true, transient: true })
  const late = new AgentError('timeout', 'No answer.', { unconfirmed: true })
  const NAMED = [{ kind: 'host', name: 'vol1@arrayA' }]

  /** The first commit is done or not, then `meanwhile` happens, and the error comes instead of the answer. */
  const loseFirst =
    (error: AgentError, options: { readonly isDone: boolean; readonly meanwhile?: () => void }) =>
    ({ change }: Store): Partial<Store> => {
      let count = 0
      return {
        change: async (work, deadline) => {
          if (count++ > 0) return change(work, deadline)
          if (options.isDone) await change(work, deadline)
          else await change((transaction) => work({ ...transaction, update: async () => true }), deadline)
          options.meanwhile?.()
          throw error
        },
      }
    }

  test('counts as done if the rows hold what it wrote, with its time; no undo is given', async () => {
    for (const error of [lost, late]) {
      const world = makeHostWorld(HEALTHY, 'stopped')
      const { journal, effects } = await runOn(world, FREEZE, loseFirst(error, { isDone: true }))
      expect(effects).toHaveLength(1)
      expect(journal).toMatchObject({ error: undefined, unconfirmed: NAMED, steps: [{ kind: 'write_rows' }] })
      const result = report(journal)
      expect(result).toMatchObject({ changed: true, failed: false, unconfirmed: [{ host: 'vol1@arrayA' }] })
      expect(result.backends).toMatchObject([{ before: HEALTHY, after: FROZEN, actions: ['freeze'] }])
      expect(result).not.toHaveProperty('undo')
    }
  })

  test('is done again if it was not done, and then it is known', async () => {
    for (const document of [FREEZE, { replication: 'disabled' }]) {
      const world = makeHostWorld(HEALTHY, 'stopped')
      const { journal, effects } = await runOn(world, document, loseFirst(lost, { isDone: false }))
      expect(effects).toHaveLength(1)
      expect(journal).toMatchObject({ error: undefined, unconfirmed: [] })
      expect(report(journal)).toHaveProperty('undo')
    }
  })

  test("is not this run's if the rows have another time: another run wrote them", async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const meanwhile = () => {
      world.rows = world.rows.map((row) => ({ ...row, state: FROZEN, modifiedAt: 'later' }))
    }
    const { journal } = await runOn(world, FREEZE, loseFirst(lost, { isDone: false, meanwhile }))
    expect(journal).toMatchObject({ error: undefined, unconfirmed: [], steps: [] })
    expect(report(journal)).toMatchObject({ changed: false, failed: false })
  })

  test('is in doubt after the deadline if the rows do not hold it, or cannot be read', async () => {
    const unreadable: Partial<Store> = {
      read: async () => {
        throw new AgentError('connection_failed', 'Gone.')
      },
    }
    for (const [isDone, more] of [
      [false, {}],
      [true, unreadable],
    ] as const) {
      const world = makeHostWorld(HEALTHY, 'stopped')
      const { journal } = await runOn(world, FREEZE, (store) => ({ ...loseFirst(late, { isDone })(store), ...more }))
      expect(journal).toMatchObject({ steps: [], mayBeChanged: true, unconfirmed: NAMED })
      const result = report(journal)
      expect(result).toMatchObject({ changed: true, failed: true, error: { code: 'timeout' }, unconfirmed: [{}] })
      expect(result.error).toHaveProperty('hint')
      expect(result).not.toHaveProperty('undo')
    }
  })

  test('another failure is none: nothing was done', async () => {
    const error = new AgentError('busy', 'The rows were locked.')
    const world = makeHostWorld(HEALTHY, 'stopped')
    const { journal } = await runOn(world, FREEZE, loseFirst(error, { isDone: false }))
    expect(journal).toMatchObject({ error, steps: [], mayBeChanged: false, unconfirmed: [] })
    expect(report(journal)).toMatchObject({ changed: false, failed: true })
  })

  test('of an earlier try stays in doubt if a later try fails in another way', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const busy = new AgentError('busy', 'The rows were locked.')
    const errors = [lost, busy]
    const { journal } = await runOn(world, FREEZE, ({ change }) => ({
      change: async (work, deadline) => {
        await change((transaction) => work({ ...transaction, update: async () => true }), deadline)
        throw errors.shift() ?? busy
      },
    }))
    expect(journal).toMatchObject({ error: { code: 'busy' }, mayBeChanged: true, unconfirmed: NAMED })
  })
})

test('an unconfirmed backend stays so after later steps', async () => {
  const world = makeHostWorld({ ...FAILED_OVER, frozen: false }, 'started')
  const document = {
    active_backend: 'reset',
    frozen: false,
    service: { manager: 'systemd', state: 'started' },
    config: { promote: 'B' },
  }
  let count = 0
  const { journal } = await runOn(world, document, ({ change }) => ({
    change: async (work, deadline) => {
      const result = await change(work, deadline)
      if (count++ === 0) throw new AgentError('connection_failed', 'Lost.', { unconfirmed: true, transient: true })
      return result
    },
  }))
  expect(journal.error).toBeUndefined()
  expect(report(journal).unconfirmed).toEqual([{ host: 'vol1@arrayA' }])
  expect(report(journal)).not.toHaveProperty('undo')
})
