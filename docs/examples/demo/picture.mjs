// The picture of the README, from a real run at a real terminal (script, of util-linux): node docs/examples/demo/picture.mjs > docs/terminal.svg
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { database } from './database.mjs'

const COLUMNS = 104
const here = (/** @type {string} */ path) => new URL(path, import.meta.url).pathname
const home = mkdtempSync(join(tmpdir(), 'cinder-backend-picture-'))
const file = join(home, 'cinder.sqlite')
const db = database(
  file,
  `(1, 'vol1@arrayA', 'cinder-volume', 'cinder-volume', 9, 0, 1, 'failed-over', 'failed-over', 'arrayB', 1, datetime('now', '-3610 seconds')),
         (2, 'vol1@ssd', 'cinder-volume', 'cinder-volume', 9, 0, 0, NULL, 'enabled', NULL, 0, datetime('now', '-3610 seconds')),
         (3, 'vol2@nfs', 'cinder-volume', 'cinder-volume', 9, 0, 1, 'disk swap', 'disabled', NULL, 0, datetime('now', '-3610 seconds'))`,
)
db.close()
mkdirSync(join(home, '.cinder'))
writeFileSync(
  join(home, '.cinder/cinder.conf'),
  `[DEFAULT]
host = vol1
[database]
connection = sqlite:///${file}
[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 192.0.2.1
pure_api_token = token-of-A
replication_device = backend_id:arrayB,san_ip:192.0.2.2,api_token:token-of-B
`,
)
mkdirSync(join(home, 'bin'))
// Nothing is looked for in /etc/cinder: the files are named, as if they were there.
const agent = `exec '${process.execPath}' '${here('../../../dist/cinder-backend.cjs')}' "$@" --config-file '${home}/.cinder/cinder.conf'`
writeFileSync(join(home, 'bin/cinder-backend'), `#!/bin/sh\n${agent}\n`, { mode: 0o755 })

const PROMOTE =
  'cinder-backend promote vol1@arrayA --to arrayB --replica backend_id=arrayC san_ip=192.0.2.3 api_token=token-of-C'

/** @param {string} line @param {string} answer given when there has been time to ask */
function terminal(line, answer = '') {
  const typed = `(sleep 1; printf '${answer}') | script -qefc 'stty cols ${COLUMNS}; ${line}' /dev/null`
  const { stdout } = spawnSync('sh', ['-c', typed], {
    cwd: home,
    encoding: 'utf8',
    env: {
      PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
      HOME: home,
      TERM: 'xterm-256color',
    },
  })
  const shown = line.replace(' --replica', ' \\\n    --replica')
  return `\u001b[1m$ ${shown}\u001b[22m\n${stdout
    .replaceAll(` --config-file ${home}/.cinder/cinder.conf`, '')
    .replaceAll(`${home}/.cinder`, '/etc/cinder')
    .replace(/\d{4}-\d\d-\d\dT[\d-]+Z~/, '2026-11-23T03-12-45Z~')}\n`
}

const screen = terminal('cinder-backend list') + terminal(PROMOTE, 'y\n') + terminal('cinder-backend show vol1@arrayA')
rmSync(home, { recursive: true })

/** @type {Readonly<Record<string, string>>} */
const STYLES = {
  1: 'font-weight="bold"',
  2: 'opacity="0.7"',
  31: 'fill="#ff7b72"',
  32: 'fill="#7ee787"',
  33: 'fill="#e3b341"',
  36: 'fill="#79c0ff"',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are a terminal's
const STYLE = /(\u001b\[\d+m)/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are a terminal's
const CONTROL = /\u001b\[[\d;]*[A-HJKf]/g

/** The text of a terminal as lines of styled pieces, without what was written over. @param {string} text */
function lines(text) {
  let style = ''
  return text.split(/\r?\n/).map((line) => {
    const last = line
      .slice(line.lastIndexOf('\r\u001b[K') + 1)
      .replaceAll('\r', '')
      .replace(CONTROL, '')
    return last.split(STYLE).flatMap((piece) => {
      const code = STYLE.test(piece) ? piece.slice(2, -1) : undefined
      if (code === undefined) return piece === '' ? [] : [{ text: piece, style }]
      style = STYLES[code] ?? ''
      return []
    })
  })
}

const escaped = (/** @type {string} */ text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const rows = lines(screen.trimEnd())
const height = rows.length * 18 + 40
const tspans = rows.map((row, index) => {
  const pieces = row.map(({ text, style }) => `<tspan ${style}>${escaped(text)}</tspan>`.replace(' >', '>'))
  return `<text x="20" y="${index * 18 + 34}" xml:space="preserve">${pieces.join('')}</text>`
})
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="900" height="${height}" viewBox="0 0 900 ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13.5" fill="#e6edf3">
<title>cinder-backend at a terminal: the backends, a promotion that is asked for and done, and how it stands then</title>
<rect width="900" height="${height}" rx="8" fill="#0d1117"/>
${tspans.join('\n')}
</svg>
`)
