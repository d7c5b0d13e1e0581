import { readPathsOfContainer } from './config-paths.js'
import { type Ask, type Control, HINT, noStateError } from './control.js'
import { controlError } from './program.js'

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
      if (aim === 'stopped') await requireNoUnit(name, ask)
    },
    startWaits: true,
    ...(manager === 'podman' && { repeatsStop: true }),
    readConfigPaths: readPathsOfContainer(manager, name),
  }
}

/** A unit of systemd that runs a container starts it again: those of kolla-ansible (kolla_systemd_worker.py) and of podman-generate-systemd(1). */
async function requireNoUnit(name: string, ask: Ask): Promise<void> {
  const units = [`kolla-${name}-container.service`, `container-${name}.service`]
  const { output } = await ask(['systemctl', 'is-active', ...units]).catch(() => ({ output: '' }))
  const states = output.trim().split('\n')
  const unit = units.find((_, index) => /^(active|activating|reloading|deactivating)$/.test(states[index] ?? ''))
  if (unit === undefined) return
  throw controlError(`The container ${name}`, `is run by systemd's unit ${unit}, which would start it again`, '', HINT)
}
