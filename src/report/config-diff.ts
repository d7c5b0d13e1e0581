import { normalizeSection } from '../model/backend.js'
import type { DiffDocument } from '../model/contract.generated.js'
import type { ConfigEdit } from '../model/plan.js'
import { parseDevice } from '../oslo/device.js'
import { parseIni } from '../oslo/ini.js'
import { quote } from '../text/quote.js'
import { isHarmless, isMisspeltSecret, isSecret } from '../text/secrets.js'

/** The options that change in cinder.conf, before and after, without secrets; where only a secret changed, that it did. */
export function diffConfig({ file, section, before, after, options }: ConfigEdit): DiffDocument {
  const linesIn = (content: Buffer) =>
    parseIni(content.toString('utf8'), file)
      .assignments.filter(
        (each) => normalizeSection(each.section) === normalizeSection(section) && options.includes(each.key),
      )
      .map(({ key, value }) => ({ plain: `${key} = ${value}`, masked: `${key} = ${maskValue(key, value)}` }))
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

function maskValue(key: string, value: string): string {
  if (key !== 'replication_device') return isSecret(key, value) || isMisspeltSecret(key) ? '********' : quote(value)
  const { device } = parseDevice(value)
  if (device === undefined) return '********'
  const pairs = [...device].map(([name, each]) =>
    isHarmless(name, each)
      ? `${name}:${each}`
      : /^\w*(pass|token|secret|key)\w*$/.test(name)
        ? `${name}:********`
        : '********',
  )
  return quote(pairs.join(','))
}
