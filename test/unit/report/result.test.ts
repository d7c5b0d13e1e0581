import { describe, expect, test } from 'vitest'
import { execute } from '../../../src/execute/execute.js'
import type { BackendState } from '../../../src/model/backend.js'
import { AgentError } from '../../../src/model/errors.js'
import type { Journal } from '../../../src/model/journal.js'
import { makeFailure, makeResult } from '../../../src/report/result.js'
import { openWorld, runInWorld, type World } from '../../support/world.js'
import {
  ask,
  FAILED_OVER,
  HEALTHY,
  makeClusterWorld,
  makeHostWorld,
  makeRow,
  makeWorld,
  PROMOTED,
} from '../../support/worlds.js'

const FROZEN: BackendState = { ...HEALTHY, disabled: true, disabled_reason: 'frozen', frozen: true }
const UNFROZEN: BackendState = { ...FAILED_OVER, frozen: false }
const PROMOTION = {
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  service: { manager: 'systemd', state: 'started' },
  config: { promote: 'B', replication_device: [{ backend_id: 'C', san_ip: 'ip-C', api_token: 't-C' }] },
}
const DONE = ['freeze', 'stop_service', 'update_config', 'reset_active_backend', 'enable_replication']
const ALL = [...DONE, 'start_service', 'thaw']

const show = (journal: Journal, diff = false) => makeResult(journal, { audience: 'request', diff })

async function run(world: World, document: object, check = false): Promise<Journal> {
  return (await runInWorld(world, ask(document, check))).journal
}

/** A promotion whose start fails, and leaves the service stopped. */
async function runToFailedStart(world: World): Promise<Journal> {
  const { options } = openWorld(world, ask(PROMOTION))
  const { manager } = options
  if (manager === undefined) throw new Error('a request without a service')
  const start = async () => {
    throw new AgentError('service_control_failed', 'It does not start.')
  }
  return execute({ ...options, manager: { ...manager, start } })
}

describe('before and after', () => {
  test('of a run are the rows before its first step and after its last', async () => {
    const result = show(await run(makeHostWorld(UNFROZEN, 'started'), PROMOTION))
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.backends).toMatchObject([{ changed: true, actions: ALL, before: UNFROZEN, after: HEALTHY }])
  })

  test('of a check are the rows as they are and as they would be; nothing is to be undone', async () => {
    const world = makeHostWorld(UNFROZEN, 'started')
    const result = show(await run(world, PROMOTION, true))
    expect(result).toMatchObject({ changed: true, failed: false })
    expect(result.backends).toMatchObject([{ changed: true, actions: ALL, before: UNFROZEN, after: HEALTHY }])
    expect(result).not.toHaveProperty('undo')
    expect(result.msg).toMatch(/^Would change /)
  })

  test('where the driver is foretold to write, are still the rows as they are', async () => {
    const disabled = { ...HEALTHY, replication_status: 'disabled' }
    const document = { service: PROMOTION.service, replication: 'disabled' }
    const result = show(await run(makeHostWorld(disabled, 'stopped'), document, true), true)
    expect(result.backends).toMatchObject([{ actions: ['start_service', 'disable_replication'], before: disabled }])
  })

  test('where nothing was written are the rows as they were read last', async () => {
    const world = makeHostWorld(HEALTHY, 'started')
    const { journal } = await runInWorld(world, ask({ service: { manager: 'systemd', state: 'stopped' } }), {
      onCall: (name) => {
        if (name === 'stop') world.rows = world.rows.map((row) => ({ ...row, state: { ...row.state, frozen: true } }))
      },
    })
    const result = show(journal, true)
    expect(result.backends).toMatchObject([{ actions: ['stop_service'], before: HEALTHY, after: { frozen: true } }])
    expect(result.diff).toEqual([])
    expect(result).not.toHaveProperty('undo')
  })

  test('of a run that did nothing are both of its last look', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const { journal } = await runInWorld(world, ask({ frozen: true }), {
      onCall: (name) => {
        if (name === 'lock') world.rows = world.rows.map((row) => ({ ...row, state: FROZEN }))
      },
    })
    expect(show(journal)).toMatchObject({
      changed: false,
      backends: [{ changed: false, before: FROZEN, after: FROZEN }],
    })
  })

  test('are those of each member of a cluster, and of its row', async () => {
    const world = { ...makeClusterWorld(FAILED_OVER, FAILED_OVER, UNFROZEN, 'stopped'), file: PROMOTED }
    const result = show(
      await run(world, { cluster: 'c9@arrayA', active_backend: 'reset', frozen: false, promoted: 'B' }),
    )
    const after = { ...HEALTHY, replication_status: 'disabled' }
    expect(result.backends).toMatchObject([
      {
        before: FAILED_OVER,
        after,
        members: [
          { host: 'vol1@arrayA', before: FAILED_OVER, after },
          { host: 'vol2@arrayA', before: UNFROZEN, after },
        ],
      },
    ])
  })
})

describe('the diff', () => {
  test('has the rows that changed, old before new, and the options of cinder.conf without secrets', async () => {
    const result = show(await run(makeHostWorld(UNFROZEN, 'started'), PROMOTION), true)
    const [conf, row, ...more] = result.diff ?? []
    expect(more).toEqual([])
    expect(conf?.before).toContain('san_ip = ip-A')
    expect(conf?.after).toContain('san_ip = ip-B')
    expect(row?.before).toContain('active_backend_id: B')
    expect(row?.after).toContain('active_backend_id: null')
    const text = JSON.stringify(result)
    for (const secret of ['t-A', 't-B']) expect(text).not.toContain(secret)
  })

  test('marks a secret that changed, also one whose name is misspelt', async () => {
    const document = { config: { options: { pure_api_token: 't-X', san_pasword: 'p-X' } } }
    const result = show(await run(makeHostWorld(HEALTHY, 'stopped'), document), true)
    expect(result.diff?.[0]?.after.match(/\(changed\)/g)).toHaveLength(1)
    for (const secret of ['t-X', 'p-X', 't-A']) expect(JSON.stringify(result)).not.toContain(secret)
  })

  test('is not there unless asked for', async () => {
    expect(show(await run(makeHostWorld(HEALTHY, 'stopped'), { frozen: true }))).not.toHaveProperty('diff')
  })
})

describe('undo', () => {
  test('restores what was, where it is what the run left', async () => {
    const { undo } = show(
      await run(makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED }), { active_backend: 'reset' }),
    )
    expect(undo?.restore).toEqual([
      {
        host: 'vol1@arrayA',
        from: { ...HEALTHY, replication_status: 'disabled', frozen: true },
        to: { ...FAILED_OVER, modified_at: null },
      },
    ])
  })

  test('has the time of the row where disabled changed, and only there', async () => {
    const world = makeClusterWorld(
      HEALTHY,
      HEALTHY,
      { ...FROZEN, frozen: false, disabled_reason: 'disk swap' },
      'stopped',
    )
    world.rows = world.rows.map((row) => ({ ...row, modifiedAt: row.table === 'services' ? 'then' : null }))
    const { undo } = show(await run(world, { cluster: 'c9@arrayA', frozen: true }))
    expect(undo?.restore.map(({ to }) => [to.frozen, to.modified_at])).toEqual([
      [false, undefined],
      [false, 'then'],
      [false, undefined],
    ])
    expect(undo?.restore.map((row) => row.cluster ?? row.host)).toEqual(['c9@arrayA', 'vol1@arrayA', 'vol2@arrayA'])
  })

  test('has the files, by absolute paths, and not the connection, which is a secret', async () => {
    const document = { frozen: true, connection: 'sqlite:///cinder.db', config_file: ['cinder.conf'] }
    const { undo } = show(await run(makeHostWorld(HEALTHY, 'stopped'), document))
    expect(undo).not.toHaveProperty('connection')
    expect(undo?.config_file?.[0]).toMatch(/^\/.*\/cinder\.conf$/)
  })

  test('leaves out the backends whose commit is in doubt', async () => {
    const world = makeWorld([makeRow('vol1@arrayA', HEALTHY), makeRow('vol2@arrayA', HEALTHY)])
    const journal = await run(world, { backends: [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }], frozen: true })
    const result = show({ ...journal, unconfirmed: [{ kind: 'host', name: 'vol1@arrayA' }] })
    expect(result.undo?.restore.map(({ host }) => host)).toEqual(['vol2@arrayA'])
    expect(result.unconfirmed).toEqual([{ host: 'vol1@arrayA' }])
    expect(result.warnings.filter((text) => text.includes('vol1@arrayA'))).toHaveLength(1)
    expect(show(journal)).not.toHaveProperty('unconfirmed')
  })
})

describe('a failure', () => {
  test('after some steps has what was done, and what is left', async () => {
    const result = show(await runToFailedStart(makeHostWorld(UNFROZEN, 'started')))
    expect(result).toMatchObject({ changed: true, failed: true, error: { code: 'service_control_failed' } })
    expect(result.error?.pending).toEqual(['start_service', 'thaw'])
    expect(result.backends).toMatchObject([{ actions: DONE, before: UNFROZEN, after: FROZEN }])
    expect(result.undo?.restore).toMatchObject([{ from: FROZEN, to: UNFROZEN }])
    for (const action of [...DONE, 'start_service', 'thaw']) expect(result.msg).toContain(action)
  })

  test('with nothing left to do has an empty list of what is left', async () => {
    const world = makeHostWorld(HEALTHY, 'stopped')
    const journal = await run(world, { frozen: true })
    const result = show({ ...journal, error: new AgentError('timeout', 'No answer.') })
    expect(result).toMatchObject({ changed: true, error: { pending: [] } })
  })

  test('before any step has neither', async () => {
    const result = show(await run(makeHostWorld(UNFROZEN, 'stopped', { file: PROMOTED }), { active_backend: 'reset' }))
    expect(result).toMatchObject({ changed: false, failed: true, backends: [{ actions: [], before: UNFROZEN }] })
    expect(result.error).not.toHaveProperty('pending')
    expect(result.error).toMatchObject({ code: 'not_frozen', host: 'vol1@arrayA' })
  })

  test('says changed where a step may have been done', async () => {
    const journal = await run(makeHostWorld(UNFROZEN, 'stopped', { file: PROMOTED }), { active_backend: 'reset' })
    expect(show({ ...journal, mayBeChanged: true }).changed).toBe(true)
  })

  test('has its hint in the words of who reads it', () => {
    const error = new AgentError('busy', 'It is locked.', { hint: 'Add {force}, not {this}.' })
    const hints = (['request', 'command'] as const).map((audience) => makeFailure(error, { audience }).error?.hint)
    expect(hints).toEqual(['Add force: true, not {this}.', 'Add --force, not {this}.'])
  })

  test('that nobody foresaw shows nothing of its text, and has the warnings so far', () => {
    const result = makeFailure(new TypeError('password=secret'), { audience: 'request', warnings: ['one'], diff: true })
    expect(result).toMatchObject({ error: { code: 'internal_error' }, warnings: ['one'], diff: [], backends: [] })
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

describe('a warning', () => {
  test('tells each guard that force passed', async () => {
    const { warnings } = show(await run(makeHostWorld(UNFROZEN, 'started'), { active_backend: 'reset', force: true }))
    for (const code of ['not_frozen', 'service_up'])
      expect(warnings.filter((text) => text.includes(code))).toHaveLength(1)
  })

  test('that was found before the run stays', async () => {
    const journal = await run(makeHostWorld(HEALTHY, 'stopped'), { frozen: true })
    expect(makeResult(journal, { audience: 'request', warnings: ['one'] }).warnings).toContain('one')
  })
})

test('a step that writes no row is a change too', async () => {
  const world = makeHostWorld(HEALTHY, 'stopped')
  const result = show(await run(world, { service: PROMOTION.service }))
  expect(result).toMatchObject({ changed: true, backends: [{ changed: true, actions: ['start_service'] }] })
})

test('a heartbeat is that of each member, and of a cluster the latest', async () => {
  const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped')
  world.rows = world.rows.map((row) => (row.id === 2 ? { ...row, beatAtMs: -4000 } : row))
  expect(show(await run(world, { cluster: 'c9@arrayA' })).backends).toMatchObject([
    {
      state: 'up',
      heartbeat_age: 4,
      members: [
        { state: 'down', heartbeat_age: 3600 },
        { state: 'up', heartbeat_age: 4 },
      ],
    },
  ])
})

test('of several backends each has its own actions, and of two writes both', async () => {
  const world = makeWorld([makeRow('vol1@arrayA', HEALTHY), makeRow('vol2@arrayA', FROZEN)])
  const journal = await run(world, { backends: [{ host: 'vol1@arrayA' }, { host: 'vol2@arrayA' }], frozen: true })
  expect(show(journal)).toMatchObject({
    changed: true,
    backends: [
      { changed: true, actions: ['freeze'] },
      { changed: false, actions: [], before: FROZEN, after: FROZEN },
    ],
  })
})

test('the message of a reset names the array that the backend was on', async () => {
  const world = makeHostWorld(FAILED_OVER, 'stopped', { file: PROMOTED })
  const reset = { active_backend: 'reset' }
  expect(show(await run(world, reset, true)).msg).toContain('(is B)')
  expect(show(await run(world, reset)).msg).toContain('(was B)')
})
