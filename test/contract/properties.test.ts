import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engines, type TableRow, type TestDatabase, titled } from '../support/databases.js'
import { runHere } from '../support/inprocess.js'
import { FAILED_OVER, HEALTHY, insert, service } from '../support/rows.js'

const STATUS = [
  'error',
  'enabled',
  'disabled',
  'not-capable',
  'failing-over',
  'failover-error',
  'failed-over',
  'enabling',
  'disabling',
  null,
]
const FAILING = ['failed-over', 'failover-error', 'failing-over', 'error']

const columns = {
  disabled: fc.constantFrom(0, 1, null),
  disabled_reason: fc.constantFrom(null, '', 'frozen', 'failed-over', "an admin's; reason", 'Frozen', 'frozen '),
  replication_status: fc.constantFrom(...STATUS),
  active_backend_id: fc.constantFrom(null, '', 'arrayB', ' '),
}
const serviceRow = fc.record({
  ...columns,
  frozen: fc.constantFrom(0, 1, null),
  deleted: fc.constantFrom(0, 0, 0, 0, 1),
  updated_at: fc.constantFrom('2026-01-02 03:04:05', null, '2999-01-01 00:00:00'),
  cluster: fc.constantFrom(0, 0, 0, 1, 2),
})
const clusterRow = fc.record({ ...columns, frozen: fc.constantFrom(0, 1) })
const desired = fc.record(
  {
    active_backend: fc.constant('reset' as const),
    replication: fc.constantFrom('enabled' as const, 'disabled' as const),
    frozen: fc.boolean(),
  },
  { requiredKeys: [] },
)
const world = fc.record({
  services: fc.array(serviceRow, { minLength: 1, maxLength: 5 }),
  clusters: fc.tuple(clusterRow, clusterRow),
  targets: fc.uniqueArray(fc.constantFrom('vol1@a', 'vol2@a', 'vol3@a', 'cluster1@a', 'cluster2@a'), {
    minLength: 1,
    maxLength: 3,
  }),
  desired,
  force: fc.boolean(),
})
type World = typeof world extends fc.Arbitrary<infer W> ? W : never

/** One scene for each outcome that must be reached, tried before those that chance makes: three hundred of them have missed one already. */
const EXAMPLES: [World][] = (
  [
    [HEALTHY, {}],
    [HEALTHY, { frozen: true }],
    [HEALTHY, {}, 'vol2@a'],
    [FAILED_OVER, { replication: 'enabled' }],
    [{ ...FAILED_OVER, frozen: 0 }, { active_backend: 'reset' }],
    [{ ...HEALTHY, replication_status: 'failing-over' }, { frozen: true }],
  ] as const
).map(([state, wanted, target = 'vol1@a' as const]) => [
  {
    services: [{ ...state, deleted: 0, updated_at: '2026-01-02 03:04:05', cluster: 0 }],
    clusters: [HEALTHY, HEALTHY],
    targets: [target],
    desired: wanted,
    force: false,
  },
])

type Tables = { readonly services: readonly TableRow[]; readonly clusters: readonly TableRow[] }

describe.each(engines)('$name', (engine) => {
  describe.skipIf(engine.missing !== null)(titled(engine), () => {
    let database: TestDatabase
    beforeAll(async () => {
      database = await engine.create()
    })
    afterAll(() => database.close())

    test('for any rows and any request: check mode foretells, a reckoning of its own agrees in every column, the second run finds nothing, and undo puts everything back', async () => {
      const outcomes = new Set<string>()
      await fc.assert(
        fc.asyncProperty(world, async (scene) => {
          await database.execute(seed(scene))
          const before = await tables(database)
          const items = scene.targets.map((name) => (name.startsWith('cluster') ? { cluster: name } : { host: name }))
          const request = { backends: items, ...scene.desired, force: scene.force, connection: database.connection }

          const foretold = await runHere(request, true)
          expect(await tables(database)).toEqual(before)

          const { undo, ...result } = await runHere(request)
          outcomes.add(result.error?.code ?? (result.changed ? 'changed' : 'unchanged'))
          const states = ({ backends }: Pick<typeof result, 'backends'>) =>
            backends.map(({ before: b, after, members }) => [b, after, members?.map((m) => m.after)])
          expect(states(foretold)).toEqual(states(result))
          expect({ ...foretold, msg: '', backends: [], warnings: [] }).toEqual({
            ...result,
            msg: '',
            backends: [],
            warnings: [],
          })

          const after = await tables(database)
          expect(stampless(after, before)).toEqual(result.failed ? before : reckoned(scene, before))
          expect(result.changed).toBe(JSON.stringify(after) !== JSON.stringify(before))

          const again = await runHere(request)
          expect(again.changed).toBe(false)
          expect(again.error?.code).toBe(result.error?.code)
          expect(await tables(database)).toEqual(after)

          expect(undo !== undefined).toBe(result.changed)
          if (undo === undefined) return
          const back = { ...undo, force: true, connection: database.connection }
          expect(await runHere(back)).toMatchObject({ changed: true, failed: false })
          expect(await tables(database)).toEqual(before)
          expect(await runHere(back)).toMatchObject({ changed: false, failed: false })
        }),
        { numRuns: 300, interruptAfterTimeLimit: 40_000, examples: EXAMPLES },
      )
      // The generator must reach what the property is about.
      for (const outcome of [
        'changed',
        'unchanged',
        'service_not_found',
        'failed_over',
        'not_frozen',
        'failover_in_progress',
      ]) {
        expect(outcomes).toContain(outcome)
      }
    })
  })
})

/** The states as SQL would write them, reckoned from the table of desired states alone; only for runs that were not refused. */
function reckoned({ targets, desired: wanted }: World, { services, clusters }: Tables): Tables {
  const now = { services: services.map((row) => ({ ...row })), clusters: clusters.map((row) => ({ ...row })) }
  for (const target of targets) {
    const alive = now.services.filter((row) => row['deleted'] === 0)
    const service = alive.find((row) => row['host'] === target)
    const cluster = target.startsWith('cluster') ? target : service?.['cluster_name']
    const backend: Record<string, unknown>[] = cluster
      ? [
          ...now.clusters.filter((row) => row['name'] === cluster),
          ...alive.filter((row) => row['cluster_name'] === cluster),
        ]
      : service === undefined
        ? []
        : [service]
    const failedOver = backend.some(
      (row) => row['active_backend_id'] || FAILING.includes(String(row['replication_status'])),
    )
    for (const row of backend) {
      if (wanted.active_backend === 'reset' && failedOver) {
        Object.assign(row, {
          disabled: 0,
          disabled_reason: null,
          replication_status: 'disabled',
          active_backend_id: null,
        })
      }
      if (wanted.replication) row['replication_status'] = wanted.replication
      if (wanted.frozen === true && !(row['frozen'] === 1 && row['disabled'] === 1)) {
        if (row['disabled'] !== 1) row['disabled_reason'] = 'frozen'
        Object.assign(row, { frozen: 1, disabled: 1 })
      }
      if (
        wanted.frozen === false &&
        (row['frozen'] === 1 || (row['disabled'] === 1 && row['disabled_reason'] === 'frozen'))
      ) {
        Object.assign(row, { frozen: 0, disabled: 0, disabled_reason: null })
      }
    }
  }
  return now
}

/** `modified_at` is a time of day: that it was set exactly where `disabled` changed is asserted, then it is put back. */
function stampless(after: Tables, before: Tables): Tables {
  const services = after.services.map((row, index) => {
    const old = before.services[index]
    expect(row['modified_at'] !== old?.['modified_at']).toBe(row['disabled'] !== old?.['disabled'])
    return { ...row, modified_at: old?.['modified_at'] ?? null }
  })
  return { services, clusters: after.clusters }
}

async function tables(database: TestDatabase): Promise<Tables> {
  return { services: await database.rows('services'), clusters: await database.rows('clusters') }
}

function seed({ services, clusters }: World): string {
  return [
    'DELETE FROM services;\nDELETE FROM clusters;\n',
    ...clusters.map((row, i) =>
      insert('clusters', {
        id: i + 1,
        name: `cluster${i + 1}@a`,
        binary: 'cinder-volume',
        deleted: 0,
        race_preventer: 0,
        ...row,
      }),
    ),
    ...services.map(({ cluster, ...row }, i) =>
      service(i + 1, `vol${i + 1}@a`, {
        modified_at: '2025-06-01 00:00:00',
        cluster_name: cluster === 0 ? null : `cluster${cluster}@a`,
        ...row,
      }),
    ),
  ].join('')
}
