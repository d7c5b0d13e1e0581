import { describe, expect, test } from 'vitest'
import { type Backend, getSectionName } from '../../../src/model/backend.js'
import type { Observation } from '../../../src/model/observation.js'
import { findOtherBackend } from '../../../src/oslo/other-backend.js'
import { readVolumeSettings } from '../../../src/oslo/volume-settings.js'
import { makeConf, observeWorld, runInWorld, type World } from '../../support/world.js'
import {
  ask,
  codeOf,
  FAILED_OVER,
  HEALTHY,
  makeClusterWorld,
  makeHostWorld,
  makeRow,
  makeWorld,
} from '../../support/worlds.js'

const otherOf = async (conf: string, name: string, world?: World, kind = 'host') => {
  const rows = [makeRow(name, HEALTHY, { id: 1 })]
  const request = ask({ [kind]: name })
  const { backends }: Observation = await observeWorld(world ?? makeWorld(rows), request)
  const settings = readVolumeSettings([{ path: 'cinder.conf', bytes: Buffer.from(conf), text: conf }], {})
  return findOtherBackend(backends[0] as Backend, getSectionName(name) ?? 'DEFAULT', settings)
}

describe('a section', () => {
  test.each([
    ['vol1@arrayA', 'arrayA'],
    ['vol1@site2@arrayA', 'arrayA'],
    ['vol1@', ''],
    ['vol1', undefined],
  ])('of %s is %s', (name, section) => {
    expect(getSectionName(name)).toBe(section)
  })

  // What cinder-volume would call the backend; undefined: this backend, or not known.
  test.each([
    ['[DEFAULT]\n', 'vol1@arrayA', undefined],
    ['[DEFAULT]\nhost = vol1\n', 'vol1@arrayA', undefined],
    ['[DEFAULT]\nhost = $my_ip\n', 'vol1@arrayA', undefined],
    ['[DEFAULT]\nhost = vol2\n', 'vol1@arrayA', 'vol2@arrayA'],
    ['[DEFAULT]\nhost = VOL1\n', 'vol1@arrayA', 'VOL1@arrayA'],
    ['[DEFAULT]\nhost = vol2\n[ARRAYA]\nbackend_host = vol1\n', 'vol1@arrayA', undefined],
    ['[DEFAULT]\nhost = vol1\n[arrayA]\nbackend_host = vol2\n', 'vol1@arrayA', 'vol2@arrayA'],
    ['[DEFAULT]\nhost = vol1\n[arrayB]\nbackend_host = vol2\n', 'vol1@arrayA', undefined],
    ['[DEFAULT]\nhost = vol1\n[backend_defaults]\nbackend_host = vol2\n', 'vol1@arrayA', undefined],
    ['[arrayA]\nbackend_host = vol1@site2\n', 'vol1@site2@arrayA', undefined],
    ['[DEFAULT]\nhost = vol1\n', 'vol1', undefined],
    ['[DEFAULT]\nhost = vol2\n', 'vol1', 'vol2'],
  ])('in %j beside %s is that of %s', async (conf, name, other) => {
    expect(await otherOf(conf, name)).toBe(other)
  })

  test.each([
    ['host = vol2\ncluster =  c9 \n', 'c9@arrayA', 'cluster', undefined],
    ['host = vol2\n', 'c9@arrayA', 'cluster', undefined],
    ['host = vol2\ncluster = c8\n', 'c9@arrayA', 'cluster', 'c8@arrayA'],
    ['host = vol3\ncluster = c9\n', 'c9@arrayA', 'cluster', 'vol3@arrayA'],
    ['host = vol2\ncluster = c9\n', 'vol1@arrayA', 'host', 'vol2@arrayA'],
    ['host = vol1\ncluster = c8\n', 'vol1@arrayA', 'host', 'c8@arrayA'],
  ])('of a cluster in %j beside %s is that of another one or not', async (conf, name, kind, other) => {
    const world = makeClusterWorld(HEALTHY, HEALTHY, HEALTHY, 'stopped')
    expect(await otherOf(`[DEFAULT]\n${conf}`, name, world, kind)).toBe(other)
  })
})

describe('the cinder.conf of another backend', () => {
  const file = makeConf('A', ['B']).replace('host = vol1', 'host = vol7')
  const config = { options: { san_ip: 'ip-X' } }
  const service = { manager: 'systemd' }
  const reset = { active_backend: 'reset', frozen: false }

  test.each([
    ['an edit', 'stopped', { config }],
    ['an edit by force', 'stopped', { config, force: true }],
    ['a promotion', 'started', { ...reset, config: { promote: 'B' }, service }],
    ['a start', 'stopped', { service }],
    ['a stop', 'started', { service: { ...service, state: 'stopped' } }],
    ['a reset while the service is stopped', 'stopped', { ...reset, service: { ...service, state: 'stopped' } }],
  ] as const)('forbids %s, and nothing is done', async (_, state, document) => {
    const world = makeHostWorld(FAILED_OVER, state, { file })
    for (const check of [true, false]) {
      const run = await runInWorld(world, ask(document, check))
      expect(codeOf(run)).toBe('config_error')
      expect(run.journal.error).toMatchObject({ details: { hint: expect.stringContaining('vol1@arrayA') } })
      expect(run.effects).toEqual([])
    }
  })

  test.each([
    ['a reset of the row alone', { active_backend: 'reset' }],
    ['an edit that is there already', { config: { options: { san_ip: 'ip-A' } } }],
  ])('does not forbid %s', async (_, document) => {
    expect(codeOf(await runInWorld(makeHostWorld(FAILED_OVER, 'stopped', { file }), ask(document)))).toBeUndefined()
  })

  test('keeps the old copy that is proof for that backend', async () => {
    const oldCopy = file
    const world = makeHostWorld(FAILED_OVER, 'stopped', { file: file.replace('ip-A', 'ip-B'), oldCopy })
    expect(codeOf(await runInWorld(world, ask({ active_backend: 'reset' })))).toBeUndefined()
    expect(world.rows[0]?.state.active_backend_id).toBeNull()
    expect(world.oldCopy).toBe(oldCopy)
  })
})
