import type { SourceFile } from '../model/observation.js'
import type { WantedConfig } from '../model/request.js'
import { isHarmless, isSecret } from '../text/secrets.js'
import { readAssignments } from './ini.js'
import { parseDevice } from './value.js'

/** The secrets in the files and in the edit that is wanted. */
export function collectSecrets(files: readonly SourceFile[], config: WantedConfig | undefined): readonly string[] {
  const assignments = readAssignments(files)
  const devices = [
    ...assignments.flatMap(({ key, value }) => (key === 'replication_device' ? (parseDevice(value) ?? []) : [])),
    ...(config?.devices ?? []),
  ]
  const options = [
    ...assignments.flatMap(({ key, value }): [string, string][] =>
      key === 'replication_device' ? [] : [[key, value]],
    ),
    ...[...(config?.options ?? [])].map(([key, value]): [string, string] => [key, String(value)]),
  ].filter(([key, value]) => isSecret(key, value))
  const hidden = devices.flatMap((device) => [...device].filter(([key]) => !isHarmless(key)))
  return [...options, ...hidden].map(([, value]) => value)
}
