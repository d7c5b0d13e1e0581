import { beforeAll, describe, expect, test } from 'vitest'
import { titled } from '../../support/databases.js'
import { ask, testManager, whyMissing } from '../../support/managers/ask.js'
import type { Place } from '../../support/managers/namespace.js'
import { startPacemaker } from '../../support/managers/pacemaker.js'
import { until } from '../../support/volume.js'

const reason = whyMissing('pacemaker')

describe(titled({ name: 'pacemaker', missing: reason }), { skip: reason !== null }, () => {
  let place: Place
  const manager = 'pacemaker'
  const pcs = (...words: readonly string[]) => place.run('pcs', ...words)
  const status = (name: string) => pcs('resource', 'status', name)
  const shows = (name: string, word: string) => until(`${name}: ${word}`, async () => status(name).includes(word))
  const create = async (name: string, ...options: readonly string[]) => {
    pcs('resource', 'create', name, 'ocf:tests:sim', ...options)
  }
  beforeAll(async () => {
    place = await startPacemaker()
    await create('plain', '--disabled')
    await shows('plain', 'Stopped (disabled)')
    return place.end
  })

  testManager(
    'pacemaker',
    () => place,
    'plain',
    () => status('plain').includes('Started'),
  )

  test('a resource that waits for a node is stopped for good, a clone and a member of a group too', async () => {
    await create('member', '--group', 'group')
    await create('clone', 'clone')
    for (const name of ['member', 'clone']) await shows(name, 'Started')
    pcs('node', 'standby', 'n1')
    for (const name of ['member', 'clone']) {
      await until(`${name} is stopped`, async () => /Stopped(:|$)/m.test(status(name)))
      expect(await ask([place], { manager, name, state: 'stopped' })).toMatchObject({
        changed: true,
        failed: false,
        state: 'stopped',
      })
    }
    pcs('node', 'unstandby', 'n1')
    pcs('resource', 'enable', 'plain')
    await shows('plain', 'Started')
    for (const name of ['member', 'clone']) expect(status(name)).toContain('Stopped (disabled)')
  })

  test('a resource that pacemaker does not manage is told at once, and is not disabled', async () => {
    await create('left')
    await shows('left', 'Started')
    pcs('resource', 'unmanage', 'left')
    await shows('left', 'unmanaged')
    const outcome = await ask([place], { manager, name: 'left', state: 'stopped' })
    expect(outcome).toMatchObject({ changed: false, code: 'service_control_failed', state: 'started' })
    expect(outcome.msg).toContain('unmanaged')
    expect(outcome.seconds).toBeLessThan(15)
    expect(status('left')).not.toContain('disabled')
    expect(await ask([place], { manager, name: 'left', state: 'started' })).toMatchObject({
      changed: false,
      failed: false,
    })
  })

  test('a resource whose stop failed is told at once', async () => {
    await create('stuck', 'fails=stop')
    await shows('stuck', 'Started')
    for (const state of ['stopped', 'started'] as const) {
      const outcome = await ask([place], { manager, name: 'stuck', state })
      expect(outcome).toMatchObject({ failed: true, code: 'service_control_failed', state: 'changing' })
      expect(outcome.msg).toContain('blocked')
      expect(outcome.seconds).toBeLessThan(15)
    }
  })

  test('a resource whose start failed is not taken for stopped, but is stopped by its disabling', async () => {
    await create('broken', 'fails=start', '--disabled')
    const outcome = await ask([place], { manager, name: 'broken', state: 'started', timeout: 3 })
    expect(outcome).toMatchObject({ failed: true, code: 'service_control_failed', state: 'changing' })
    expect(await ask([place], { manager, name: 'broken', state: 'stopped' })).toMatchObject({
      changed: true,
      failed: false,
    })
    expect(status('broken')).toContain('(disabled)')
  })
})
