// The main job, on an SQLite file and a cinder.conf of its own: a backend that failed over to arrayB becomes a normal one again, with arrayB as its
// primary and arrayC as its replica. Its cinder-volume is stopped already.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { database } from './database.mjs'

const here = (/** @type {string} */ path) => new URL(path, import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-demo-'))
const file = join(folder, 'cinder.sqlite')
const db = database(
  file,
  `(1, 'vol1@arrayA', 'cinder-volume', 'cinder-volume', 9, 0, 1, 'failed-over', 'failed-over', 'arrayB', 1, datetime('now', '-1 hour')),
         (2, 'vol1@arrayD', 'cinder-volume', 'cinder-volume', 9, 0, 0, NULL, 'enabled', NULL, 0, datetime('now'))`,
)

const conf = join(folder, 'cinder.conf')
writeFileSync(
  conf,
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

const COLUMNS = ['host', 'disabled', 'disabled_reason', 'replication_status', 'active_backend_id', 'frozen']

/** @param {string} title */
function table(title) {
  const rows = db
    .prepare(`SELECT ${COLUMNS.join(', ')} FROM services ORDER BY id`)
    .raw()
    .all()
  const cells = [COLUMNS, ...rows.map((row) => /** @type {unknown[]} */ (row).map((value) => String(value ?? 'NULL')))]
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  show(title, lines.join('\n'))
}

/** @param {string} title @param {string} text */
function show(title, text) {
  process.stdout.write(`\n== ${title}\n${text}\n`)
}

const request = {
  host: 'vol1@arrayA',
  active_backend: 'reset',
  replication: 'enabled',
  frozen: false,
  config: {
    promote: 'arrayB',
    replication_device: [{ backend_id: 'arrayC', san_ip: '192.0.2.3', api_token: 'token-of-C' }],
  },
  config_file: conf,
}

/** @param {string} title @param {string[]} args */
function run(title, ...args) {
  const { stdout, status } = spawnSync(process.execPath, [here('../../../dist/cinder-backend.cjs'), ...args], {
    input: JSON.stringify(request),
  })
  const result = JSON.parse(stdout.toString())
  show(
    `${title}: cinder-backend ${args.join(' ')}`.trimEnd(),
    `exit status ${status}\n${JSON.stringify(result, null, 2)}`,
  )
  for (const { before_header, before, after } of result.diff ?? [])
    show(`diff of ${before_header}`, unified(before, after))
  return result
}

/** @param {string} before @param {string} after */
function unified(before, after) {
  const [old, now] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')]
  return old.map((line, index) => (line === now[index] ? `  ${line}` : `- ${line}\n+ ${now[index]}`)).join('\n')
}

show('The request', JSON.stringify(request, null, 2))
table('The rows before')
show('cinder.conf before', readFileSync(conf, 'utf8'))
run('Check mode, which changes nothing', '--check', '--diff')
const first = run('The run')
const second = run('The second run')
table('The rows after')
show('cinder.conf after', readFileSync(conf, 'utf8'))
db.close()
rmSync(folder, { recursive: true })
if (!(first.changed && !second.changed && !second.failed)) {
  process.stderr.write('The demo did not go as it should.\n')
  process.exit(1)
}
show('Done', 'The first run changed the backend, the second found nothing to do.')
