import { expect, inject, test, vi } from 'vitest'
import type { ToldPaths } from '../../../src/service/manager.js'
import { openManager } from '../../../src/service/open.js'
import { agent } from '../agent.js'
import { embedded } from '../databases.js'
import { service } from '../rows.js'
import type { Place } from './namespace.js'

type Manager = 'systemd' | 'sysv' | 'docker' | 'podman' | 'pacemaker'

export interface Wanted {
  readonly manager: Manager
  readonly name: string
  readonly state: 'started' | 'stopped'
  /** Seconds. */
  readonly timeout?: number
}

const { missing } = inject('peers')

/** Why these managers cannot run here, or null. */
export function whyMissing(...names: readonly (keyof typeof missing)[]): string | null {
  return ['namespaces' as const, ...names].map((name) => missing[name]).find((reason) => reason !== null) ?? null
}

/** What the agent makes of a service: what its result says, and the seconds that it took. */
export async function ask(places: readonly Place[], wanted: Wanted, args: readonly string[] = []) {
  const database = await embedded.create()
  await database.execute(service(1, 'vol1@arrayA'))
  const start = performance.now()
  const { result } = await agent(
    { host: 'vol1@arrayA', connection: database.connection, wait: false, service: { timeout: 30, ...wanted } },
    { args, env: { PATH: makePath(places) } },
  )
  await database.close()
  const { changed, failed, error, msg, backends } = result
  const seconds = (performance.now() - start) / 1000
  return { changed, failed, code: error?.code, msg, state: backends[0]?.service?.state, seconds }
}

/** What the service's manager says of the files that it is started with. */
export async function readConfigPaths(place: Place, manager: Manager, name: string): Promise<ToldPaths> {
  vi.stubEnv('PATH', makePath([place]))
  const wanted = { manager, name, state: 'started', timeout: 1, start: [], stop: [], status: [] } as const
  const opened = openManager(wanted, { signal: new AbortController().signal, scrub: (text) => text })
  return opened.readConfigPaths().finally(() => vi.unstubAllEnvs())
}

function makePath(places: readonly Place[]): string {
  return [...places.map(({ bin }) => bin), process.env['PATH']].join(':')
}

/** What holds with every manager. `runs` is asked without the agent. */
export function testManager(manager: Manager, place: () => Place, name: string, runs: () => boolean): void {
  test('a service is started and stopped, and the second time nothing is left to do', async () => {
    for (const state of ['started', 'stopped'] as const) {
      const wanted = { manager, name, state }
      expect(await ask([place()], wanted, ['--check'])).toMatchObject({ changed: true, failed: false })
      expect(runs()).toBe(state !== 'started')
      expect(await ask([place()], wanted)).toMatchObject({ changed: true, failed: false, state })
      expect(runs()).toBe(state === 'started')
      expect(await ask([place()], wanted)).toMatchObject({ changed: false, failed: false, state })
    }
  })

  test('a service that is not known is no service that is stopped', async () => {
    const outcome = await ask([place()], { manager, name: 'no-such-thing', state: 'stopped' })
    expect(outcome).toMatchObject({ changed: false, failed: true, code: 'service_control_failed' })
  })
}
