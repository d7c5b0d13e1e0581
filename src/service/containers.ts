import { readPathsOfContainer } from './config-paths.js'
import { type Ask, type Control, noStateError, WRONG_SERVICE_HINT } from './control.js'
import { controlError } from './program.js'
import { findActiveUnit } from './systemd.js'

/**
 * The states of a container: https://docs.docker.com/reference/cli/docker/container/ls/#status. Only Podman has `stopped`: the process has ended,
 * and Podman has not decided yet whether to start it again (libpod/define/containerstate.go).
 */
export function controlContainer(manager: 'docker' | 'podman', name: string): Control {
  const status = [manager, 'container', 'inspect', '--format', '{{.State.Status}}', name]
  return {
    manager,
    name,
    start: [manager, 'start', name],
    stop: [manager, 'stop', name],
    status,
    parseReport: ({ status: code, output, stderrTail }) => {
      const words = output.trim()
      if (code !== 0 || words === '') throw noStateError(status, stderrTail)
      if (words === 'running') return { state: 'started', words }
      const isStopped = ['created', 'configured', 'initialized', 'exited', 'dead'].includes(words)
      return { state: isStopped ? 'stopped' : 'changing', words }
    },
    prepare: async (aim, ask) => {
      if (aim === 'started') return
      await requireNoUnit(manager, name, ask)
      await requireNoBundle(name, ask)
    },
    startWaits: true,
    ...(manager === 'podman' && { repeatsStop: true }),
    readConfigPaths: readPathsOfContainer(manager, name),
  }
}

/**
 * A unit of systemd that runs a container starts it again: those of kolla-ansible (kolla_systemd_worker.py) and of podman-generate-systemd(1), and the
 * one that Podman itself notes in a label, as for podman-systemd.unit(5).
 */
async function requireNoUnit(manager: 'docker' | 'podman', name: string, ask: Ask): Promise<void> {
  const label = manager === 'podman' ? await readUnitLabel(name, ask) : ''
  const units = [`kolla-${name}-container.service`, `container-${name}.service`, ...(label === '' ? [] : [label])]
  const unit = await findActiveUnit(units, ask).catch(() => undefined) // without systemd there is no such unit
  if (unit === undefined) return
  throw controlError(
    `The container ${name}`,
    `is run by systemd's unit ${unit}, which would start it again`,
    '',
    WRONG_SERVICE_HINT,
  )
}

async function readUnitLabel(name: string, ask: Ask): Promise<string> {
  const format = '{{index .Config.Labels "PODMAN_SYSTEMD_UNIT"}}'
  return (await ask(['podman', 'container', 'inspect', '--format', format, name])).output.trim()
}

/** So does pacemaker with the replicas of a bundle: pacemaker, lib/pengine/bundle.c. */
async function requireNoBundle(name: string, ask: Ask): Promise<void> {
  const [, bundle] = /^(.+)-(?:docker|podman)-\d+$/.exec(name) ?? []
  if (bundle === undefined) return
  const { output } = await ask(['pcs', 'resource', 'status', bundle]).catch(() => ({ output: '' }))
  if (!output.includes('Container bundle')) return
  const problem = `is run by pacemaker's bundle ${bundle}, which would start it again`
  throw controlError(`The container ${name}`, problem, '', WRONG_SERVICE_HINT)
}
