import type { SourceFile } from '../model/observation.js'
import type { WantedConfig } from '../model/request.js'
import { isHarmless, isSecret } from '../text/secrets.js'
import { parseDevice } from './device.js'
import { readAssignments } from './ini.js'

/** The secrets in the files and in the edit that is wanted. */
export function collectSecrets(files: readonly SourceFile[], config: WantedConfig | undefined): readonly string[] {
  const assignments = readAssignments(files)
  const devices = [
    ...assignments.filter(({ key }) => key === 'replication_device').map(({ value }) => splitDevice(value)),
    ...(config?.devices ?? []).map((device) => [...device]),
  ]
  const options = [
    ...assignments.flatMap(({ key, value }): [string, string][] =>
      key === 'replication_device' ? [] : [[key, value]],
    ),
    ...[...(config?.options ?? [])].map(([key, value]): [string, string] => [key, String(value)]),
  ].filter(([key, value]) => isSecret(key, value))
  const hidden = devices.flatMap((device) => device.filter(([key, value]) => !isHarmless(key, value)))
  return [...options, ...hidden].flatMap(([, value]) => [value, ...value.split('\n')])
}

/** The pairs of a device, also of one that oslo.config refuses. */
function splitDevice(text: string): readonly [string, string][] {
  const { device } = parseDevice(text)
  return device === undefined
    ? text.split(/[,\n]/).map((piece) => ['', piece.replace(/^[^:]*:/, '').trim()])
    : [...device]
}
