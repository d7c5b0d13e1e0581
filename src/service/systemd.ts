import { readPathsOfUnit } from './config-paths.js'
import { type Ask, type Control, noStateError, WRONG_SERVICE_HINT } from './control.js'
import { controlError } from './program.js'

/** systemctl(1), is-active: the state in a word. A unit that is not loaded is `inactive` too. A stop ends `Restart=` too: systemd.service(5). */
export function controlBySystemd(name: string): Control {
  const status = ['systemctl', 'is-active', name]
  return {
    manager: 'systemd',
    name,
    start: ['systemctl', 'start', name],
    stop: ['systemctl', 'stop', name],
    status,
    parseReport: ({ output, stderrTail }) => {
      const words = output.trim()
      if (['active', 'reloading', 'refreshing'].includes(words)) return { state: 'started', words }
      if (['inactive', 'failed', 'unknown'].includes(words)) return { state: 'stopped', words }
      if (['activating', 'deactivating', 'maintenance'].includes(words)) return { state: 'changing', words }
      throw noStateError(status, stderrTail)
    },
    exists: {
      command: ['systemctl', 'show', '--property=LoadState', '--value', name],
      check: ({ output }) => {
        if (output.trim() === 'not-found')
          throw controlError(`The unit ${name}`, 'does not exist', '', WRONG_SERVICE_HINT)
      },
    },
    prepare: async (aim, ask) => {
      if (aim === 'stopped') await requireNoRestart(name, ask)
    },
    startWaits: true,
    readConfigPaths: readPathsOfUnit(name),
  }
}

/**
 * Errors: service_control_failed if something starts the unit again after a stop: pacemaker, which marks its units (lib/services/systemd.c,
 * systemd_create_override), or an active unit that triggers or upholds it (systemd.unit(5)), such as a timer.
 */
async function requireNoRestart(name: string, ask: Ask): Promise<void> {
  const properties = ['DropInPaths', 'TriggeredBy', 'UpheldBy']
  const { output } = await ask(['systemctl', 'show', ...properties.map((each) => `--property=${each}`), name])
  if (/^DropInPaths=.*\/50-pacemaker\.conf\b/m.test(output))
    throw controlError(`The unit ${name}`, 'is run by pacemaker, which would start it again', '', WRONG_SERVICE_HINT)
  const others = [...output.matchAll(/^(?:TriggeredBy|UpheldBy)=(.+)$/gm)].flatMap(([, units = '']) => units.split(' '))
  const active = await findActiveUnit(others, ask)
  if (active === undefined) return
  const hint = `Stop ${active} for as long as the service must be stopped, then run this again.`
  throw controlError(`The unit ${name}`, `would be started again by ${active}`, '', hint)
}

/** The first of these units that runs, or is about to. */
export async function findActiveUnit(units: readonly string[], ask: Ask): Promise<string | undefined> {
  if (units.length === 0) return undefined
  const { output } = await ask(['systemctl', 'is-active', ...units])
  const states = output.trim().split('\n')
  return units.find((_, index) => /^(active|activating|reloading|refreshing|deactivating)$/.test(states[index] ?? ''))
}
