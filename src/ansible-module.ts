import { readFileSync } from 'node:fs'
import { serveRequest } from './frontends/process.js'
import { FORMATS } from './report/formats.js'

// Ansible passes the path of a JSON file that holds the arguments, check mode and diff (WANT_JSON).
void serveRequest(async () => readFileSync(process.argv[2] ?? '/dev/null'), {
  check: false,
  diff: false,
  detailedExitcode: false,
  verbose: false,
  format: FORMATS.json,
})
