import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import type { TestProject } from 'vitest/node'
import { makeCertificates } from './certificates.js'
import { installPeers, type Peer } from './install.js'
import { startMariaDb } from './mariadb.js'

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

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const missing = installPeers()
  const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
  const sqlite = join(folder, 'cinder.sqlite')
  if (missing.cinder === null) syncDatabase(`sqlite:///${sqlite}`, folder)
  let mariadb = { port: 0, socket: '', stop: async () => {} }
  if (missing.mariadb === null) {
    mariadb = await startMariaDb(join(folder, 'mariadb'), missing.openssl === null ? tls(join(folder, 'tls')) : [])
    const admin = await createConnection({ socketPath: mariadb.socket, user: 'root' })
    await admin.query('CREATE DATABASE cinder CHARACTER SET utf8')
    await admin.query('CREATE USER cinder@localhost IDENTIFIED BY ?', [MARIADB_PASSWORD])
    await admin.query('GRANT ALL ON *.* TO cinder@localhost')
    await admin.end()
    if (missing.cinder === null) {
      syncDatabase(
        `mysql+pymysql://cinder:${encodeURIComponent(MARIADB_PASSWORD)}@localhost:${mariadb.port}/cinder`,
        folder,
      )
    }
  }
  provide('peers', { missing, folder, sqlite, mariadb: { port: mariadb.port, socket: mariadb.socket } })
  return async () => {
    await mariadb.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function tls(folder: string): readonly string[] {
  makeCertificates(folder)
  return [`--ssl-ca=${folder}/ca.pem`, `--ssl-cert=${folder}/server.pem`, `--ssl-key=${folder}/server.key`]
}

/** Cinder's own tables, made by Cinder. */
function syncDatabase(connection: string, folder: string): void {
  const file = join(folder, 'sync.conf')
  writeFileSync(
    file,
    `[DEFAULT]\nstate_path = ${folder}\n[database]\nconnection = ${connection.replaceAll('$', '$$')}\n`,
  )
  execFileSync('cinder-manage', ['--config-file', file, 'db', 'sync'], { stdio: ['ignore', 'ignore', 'pipe'] })
}
