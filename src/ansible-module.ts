import { readFileSync } from 'node:fs'
import { serve } from './frontends/process.js'
import { FORMATS } from './report/formats.js'

// The Ansible module: Ansible gives the path of a JSON file with the arguments, check mode and diff among them (WANT_JSON).
void serve(async () => readFileSync(process.argv[2] ?? '/dev/null'), {
  check: false,
  diff: false,
  detailed: false,
  verbose: false,
  format: FORMATS.json,
})
