import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import type { TestProject } from 'vitest/node'
import { makeCertificates } from './certificates.js'
import { type MariaDb, startMariaDb } from './mariadb.js'
import { findPeers, type Peer, requirePeersInCi } from './peers.js'

/** What the tests are given: who is missing and why, and where those that are there can be found. */
export interface Peers {
  readonly missing: Record<Peer, string | null>
  /** Removed when the tests end. */
  readonly folder: string
  /** An empty SQLite database by `cinder-manage db sync`. */
  readonly sqlite: string
  /** A MariaDB whose database `cinder` is by `cinder-manage db sync`; user cinder, password `MARIADB_PASSWORD`. */
  readonly mariadb: { readonly port: number; readonly socket: string }
}

export const MARIADB_PASSWORD = 'se/cr:et#?+%25'

declare module 'vitest' {
  export interface ProvidedContext {
    peers: Peers
  }
}

interface Site {
  readonly peers: Peers
  readonly stop: () => Promise<void>
}

/** What one run of vitest has started. Each project loads this file anew, but all of them share the peers. */
const started = globalThis as { peersOfTests?: Promise<Site> | undefined }

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  started.peersOfTests ??= startPeers()
  const { peers, stop } = await started.peersOfTests
  provide('peers', peers)
  return stop
}

async function startPeers(): Promise<Site> {
  const missing = findPeers()
  requirePeersInCi(missing)
  const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
  const sqlite = join(folder, 'cinder.sqlite')
  const [mariadb] = await Promise.all([
    missing.mariadb === null ? startServer(folder, missing) : undefined,
    missing.cinder === null ? syncDatabase(`sqlite:///${sqlite}`, folder, 'sqlite') : undefined,
  ])
  const stop = async () => {
    started.peersOfTests = undefined
    await mariadb?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const { port = 0, socket = '' } = mariadb ?? {}
  return { peers: { missing, folder, sqlite, mariadb: { port, socket } }, stop }
}

/** The server with Cinder's tables in the database `cinder`. */
async function startServer(folder: string, missing: Peers['missing']): Promise<MariaDb> {
  const certificates = missing.openssl === null ? makeTls(join(folder, 'tls')) : Promise.resolve([])
  const mariadb = await startMariaDb(join(folder, 'mariadb'), certificates)
  await makeUser(mariadb.socket)
  const url = `mysql+pymysql://cinder:${encodeURIComponent(MARIADB_PASSWORD)}@localhost:${mariadb.port}/cinder`
  if (missing.cinder === null) await syncDatabase(url, folder, 'mariadb')
  return mariadb
}

/** An empty database `cinder`, and its user. */
export async function makeUser(socketPath: string): Promise<void> {
  const admin = await createConnection({ socketPath, user: 'root' })
  await admin.query('CREATE DATABASE cinder CHARACTER SET utf8')
  await admin.query('CREATE USER cinder@localhost IDENTIFIED BY ?', [MARIADB_PASSWORD])
  await admin.query('GRANT ALL ON *.* TO cinder@localhost')
  await admin.end()
}

async function makeTls(folder: string): Promise<readonly string[]> {
  await makeCertificates(folder)
  return [`--ssl-ca=${folder}/ca.pem`, `--ssl-cert=${folder}/server.pem`, `--ssl-key=${folder}/server.key`]
}

/** Cinder's own tables, made by Cinder. */
async function syncDatabase(connection: string, folder: string, name: string): Promise<void> {
  const state = join(folder, `sync-${name}`)
  mkdirSync(state)
  const file = join(state, 'cinder.conf')
  writeFileSync(
    file,
    `[DEFAULT]\nstate_path = ${state}\n[database]\nconnection = ${connection.replaceAll('$', '$$')}\n`,
  )
  await promisify(execFile)('cinder-manage', ['--config-file', file, 'db', 'sync'])
}
