import type { DiffDocument } from '../contract.generated.js'
import { quotable } from '../errors.js'
import { normalized, parseIni } from '../oslo/ini.js'
import { deviceOf } from '../oslo/value.js'
import type { ConfigPlan } from '../types.js'

/** A secret within a value, as in `username=u,password=p`. */
const SECRET_INSIDE = /(pass|pwd|secret|token|key|cred)\w*\s*[=:]/i
const SECRET = /pass|pwd|secret|token|key|cred|chap|connection|url/i

/** The options that change in cinder.conf, before and after, without secrets; where only a secret changed, that it did. */
export function configDiff({ file, section, before, after, options }: ConfigPlan): DiffDocument {
  const linesIn = (content: Buffer) =>
    parseIni(content.toString('utf8'), file)
      .assignments.filter((each) => normalized(each.section) === normalized(section) && options.includes(each.key))
      .map(({ key, value }) => ({ plain: `${key} = ${value}`, masked: `${key} = ${masked(key, value)}` }))
  const old = linesIn(before)
  const shown = linesIn(after).map(({ plain, masked: line }) => {
    const onlySecret = old.some((each) => each.masked === line) && !old.some((each) => each.plain === plain)
    return onlySecret ? `${line} (changed)` : line
  })
  const joined = (lines: readonly string[]) => [`[${section}]`, ...lines, ''].join('\n')
  return {
    before_header: file,
    after_header: file,
    before: joined(old.map((each) => each.masked)),
    after: joined(shown),
  }
}

/** What of a device may be shown; anything else may be a secret, or the half of one that has a comma in it. */
const HARMLESS =
  /^(backend_id|san_ip|san_login|conf|user|type|uniform|pool_name|max_time_out_of_sync|replication_mode|quorum_witness_ip|managed_backend_name|cpg_map|hpe3par_(api_url|username|iscsi_ips)|powerstore_ports|(driver_)?ssl_cert_(verify|path))$/

function masked(key: string, value: string): string {
  if (key !== 'replication_device') return SECRET.test(key) || SECRET_INSIDE.test(value) ? '********' : quotable(value)
  const pairs = [...(deviceOf(value) ?? [])].map(([name, each]) =>
    HARMLESS.test(name)
      ? `${name}:${each}`
      : /^\w*(pass|token|secret|key)\w*$/.test(name)
        ? `${name}:********`
        : '********',
  )
  return quotable(pairs.join(','))
}
