import { describe, expect, test } from 'vitest'
import { renderPromotionSteps, renderUndoSteps } from '../../../src/frontends/cli/next-steps.js'
import { makePrintable } from '../../../src/frontends/cli/printable.js'
import type { BackendDocument, ResultDocument } from '../../../src/model/contract.generated.js'

const STATE = {
  disabled: true,
  disabled_reason: 'frozen',
  replication_status: 'enabled',
  active_backend_id: null,
  frozen: true,
}
const BACKEND: BackendDocument = {
  host: 'vol1@arrayA',
  binary: 'cinder-volume',
  changed: true,
  actions: ['reset_active_backend'],
  before: { ...STATE, active_backend_id: 'arrayB', replication_status: 'failed-over' },
  after: STATE,
  state: 'down',
  heartbeat_age: 3600,
}
const result = (change: Partial<BackendDocument> = {}, failed = false) =>
  makePrintable({
    changed: true,
    failed,
    msg: '',
    backends: [{ ...BACKEND, ...change }],
    warnings: [],
    undo: { restore: [{ host: 'vol1@arrayA', from: STATE, to: BACKEND.before }] },
  } satisfies ResultDocument)

describe('after a promotion', () => {
  test('names the start and the thaw, with the options that name the database', () => {
    const steps = renderPromotionSteps(result(), 'vol1@arrayA', {
      configFile: ['/etc/a b.conf'],
      connection: 'mysql://x',
    })
    expect(steps).toContain('1. Start cinder-volume.\n')
    expect(steps).toContain("cinder-backend thaw vol1@arrayA --config-file '/etc/a b.conf' --connection ...\n")
    expect(steps).not.toContain('mysql')
  })

  test.each([
    ['nothing changed', result({ changed: false }), {}],
    ['the backend is thawed', result({ after: { ...STATE, frozen: false } }), {}],
    ['the run failed', result({}, true), {}],
    ['the run started the service', result(), { service: 'systemd' }],
  ])('names nothing if %s', (_, document, values) => {
    expect(renderPromotionSteps(document, 'vol1@arrayA', values)).toBe('')
  })
})

describe('to undo', () => {
  test('names the command alone if no file changed', () => {
    expect(renderUndoSteps(result(), 'r.json', {})).toBe('To undo, run: cinder-backend undo r.json\n')
  })

  test('names the backup of cinder.conf before the rows', () => {
    const config = { file: '/etc/cinder/cinder.conf', section: 'arrayA', options: ['san_ip'], backup: '/etc/c.conf~' }
    expect(renderUndoSteps(result({ config }), 'r.json', {}).split('\n')).toEqual([
      'To undo:',
      '  1. Stop cinder-volume.',
      "  2. Run: cp -p '/etc/c.conf~' /etc/cinder/cinder.conf",
      '  3. Run: cinder-backend undo r.json',
      '',
    ])
  })
})
