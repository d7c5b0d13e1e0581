import { distance } from 'fastest-levenshtein'
import type { SourceFile } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { assignmentsIn } from '../oslo/ini.js'
import { deviceOf } from '../oslo/value.js'

/** A secret within a value, as in `username=u,password=p`. */
const SECRET_INSIDE = /(pass|pwd|secret|token|key|cred)\w*\s*[=:]/i
const SECRET = /pass|pwd|secret|token|key|cred|chap|connection|url/i

/** Whether the value of an option of cinder.conf must not be shown. */
export function isSecret(option: string, value: string): boolean {
  return SECRET.test(option) || SECRET_INSIDE.test(value)
}

/** A name that is misspelt holds a secret all the same. */
export function isMisspeltSecret(option: string): boolean {
  const letters = (word: string) => [...word].sort().join()
  return option
    .toLowerCase()
    .split('_')
    .some((word) =>
      ['password', 'token', 'secret'].some((name) => distance(word, name) <= 1 || letters(word) === letters(name)),
    )
}

/** What of a device may be shown; anything else may be a secret, or the half of one that has a comma in it. */
const HARMLESS =
  /^(backend_id|san_ip|san_login|conf|user|type|uniform|pool_name|max_time_out_of_sync|replication_mode|quorum_witness_ip|managed_backend_name|cpg_map|hpe3par_(api_url|username|iscsi_ips)|powerstore_ports|(driver_)?ssl_cert_(verify|path))$/

export function isHarmless(deviceKey: string): boolean {
  return HARMLESS.test(deviceKey)
}

/** The secrets that the connection, the request and the files hold. */
export function secretsOf(
  { config }: Request,
  files: readonly SourceFile[],
  password: string | undefined,
): readonly string[] {
  const assignments = assignmentsIn(files)
  const devices = [
    ...assignments.flatMap(({ key, value }) => (key === 'replication_device' ? (deviceOf(value) ?? []) : [])),
    ...(config?.devices ?? []),
  ]
  const options = [
    ...assignments.flatMap(({ key, value }): [string, string][] =>
      key === 'replication_device' ? [] : [[key, value]],
    ),
    ...[...(config?.options ?? [])].map(([key, value]): [string, string] => [key, String(value)]),
  ].filter(([key, value]) => isSecret(key, value))
  const hidden = devices.flatMap((device) => [...device].filter(([key]) => !isHarmless(key)))
  return [password ?? '', ...[...options, ...hidden].map(([, value]) => value)]
}

/** Takes out of what a program said the secrets that are known, and what looks like one, to the end of its line. */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length > 2).sort((a, b) => b.length - a.length)
  return (text) =>
    known
      .reduce((rest, secret) => rest.replaceAll(secret, '********'), text)
      .replace(/(\w*(?:pass|pwd|secret|token|cred|bearer|authorization|api_?key)\w*["']?[\s=:]+).*/gi, '$1********')
}
