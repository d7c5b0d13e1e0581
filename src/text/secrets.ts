import { distance } from 'fastest-levenshtein'

/** A secret in a value, as in `username=u,password=p`. */
const SECRET_INSIDE = /(pass|pwd|secret|token|key|cred)\w*\s*[=:]/i
const SECRET = /pass|pwd|secret|token|key|cred|chap|connection|url/i

/** Whether the value of an option of cinder.conf must not be shown. */
export function isSecret(option: string, value: string): boolean {
  return SECRET.test(option) || SECRET_INSIDE.test(value)
}

/** Whether the name is a typo of a secret's name. */
export function isMisspeltSecret(option: string): boolean {
  const letters = (word: string) => [...word].sort().join()
  return option
    .toLowerCase()
    .split('_')
    .some((word) =>
      ['password', 'token', 'secret'].some((name) => distance(word, name) <= 1 || letters(word) === letters(name)),
    )
}

/** The keys of a device whose values may be shown. Any other may be a secret, or half of one that has a comma in it. */
const HARMLESS =
  /^(backend_id|target_device_id|san_ip|san_login|conf|user|type|uniform|pool_name|max_time_out_of_sync|replication_mode|quorum_witness_ip|managed_backend_name|cpg_map|hpe3par_(api_url|username|iscsi_ips)|powerstore_ports|(driver_)?ssl_cert_(verify|path))$/

/** Without the comma between two pieces the value holds the second one too. */
export function isHarmless(deviceKey: string, value: string): boolean {
  return HARMLESS.test(deviceKey) && !value.includes('\n') && !SECRET_INSIDE.test(value)
}

/** Replaces the secrets that are known, and whatever looks like one, to the end of its line. */
export function makeScrubber(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length > 2).sort((a, b) => b.length - a.length)
  return (text) =>
    known
      .reduce((rest, secret) => rest.replaceAll(secret, '********'), text)
      .replace(/(\w*(?:pass|pwd|secret|token|cred|bearer|authorization|api_?key)\w*["']?[\s=:]+).*/gi, '$1********')
}
