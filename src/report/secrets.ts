import type { Request } from '../types.js'

/** A secret within a value, as in `username=u,password=p`. */
const SECRET_INSIDE = /(pass|pwd|secret|token|key|cred)\w*\s*[=:]/i
const SECRET = /pass|pwd|secret|token|key|cred|chap|connection|url/i

/** Whether the value of an option of cinder.conf must not be shown. */
export function isSecret(option: string, value: string): boolean {
  return SECRET.test(option) || SECRET_INSIDE.test(value)
}

/** What of a device may be shown; anything else may be a secret, or the half of one that has a comma in it. */
const HARMLESS =
  /^(backend_id|san_ip|san_login|conf|user|type|uniform|pool_name|max_time_out_of_sync|replication_mode|quorum_witness_ip|managed_backend_name|cpg_map|hpe3par_(api_url|username|iscsi_ips)|powerstore_ports|(driver_)?ssl_cert_(verify|path))$/

export function isHarmless(deviceKey: string): boolean {
  return HARMLESS.test(deviceKey)
}

/** Takes out of what a program said the secrets that the request and the connection hold, and what looks like one. */
export function scrubber({ config }: Request, password: string | undefined): (text: string) => string {
  const options = [...(config?.options ?? [])].filter(([name, value]) => isSecret(name, String(value)))
  const devices = (config?.devices ?? []).flatMap((device) => [...device].filter(([key]) => !isHarmless(key)))
  const secrets = [password ?? '', ...[...options, ...devices].map(([, value]) => String(value))]
    .filter((secret) => secret.length > 3)
    .sort((a, b) => b.length - a.length)
  return (text) =>
    secrets
      .reduce((rest, secret) => rest.replaceAll(secret, '********'), text)
      .replace(/((?:pass|pwd|secret|token|key|cred)\w*\s*[=:]\s*)\S+/gi, '$1********')
}
