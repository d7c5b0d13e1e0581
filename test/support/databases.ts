import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { inject } from 'vitest'
import { type MariaDb, startMariaDb } from './peers/mariadb.js'
import { type EngineName, whyLeftOut } from './peers/peers.js'
import { MARIADB_PASSWORD, makeUser } from './peers/setup.js'

export type TableRow = Readonly<Record<string, string | number | null>>

/** One of the databases that the contract holds on, for tests to seed and to look into. */
export interface TestDatabase {
  /** The SQLAlchemy URL to give to the agent. */
  readonly connection: string
  /** Statements that both engines understand, divided by `;` at the end of a line. */
  execute(sql: string): Promise<void>
  /** Every column of every row, times as text. */
  rows(table: 'services' | 'clusters'): Promise<readonly TableRow[]>
  close(): Promise<void>
}

export interface Engine {
  readonly name: string
  /** Why it cannot be had here. */
  readonly missing: string | null
  /** A new database with empty tables; `whole`: with all those that a running Cinder needs, and their first rows. */
  readonly create: (whole?: boolean) => Promise<TestDatabase>
}

const { missing, folder, sqlite, mariadb } = inject('peers')
let count = 0
const unique = () => `t${process.pid}_${count++}`

const tables = readFileSync(new URL('../../docs/examples/demo/tables.sql', import.meta.url), 'utf8')

export const embedded: Engine = {
  name: 'SQLite',
  missing: null,
  create: async () => sqliteDatabase((db) => db.exec(tables)),
}

export const sqliteByCinder: Engine = {
  name: 'SQLite, tables by cinder-manage',
  missing: missing.cinder,
  create: async () => sqliteDatabase(undefined),
}

export const mariaDb: Engine = {
  name: 'MariaDB, tables by cinder-manage',
  missing: missing.mariadb ?? missing.cinder,
  create: (whole) => makeMariaDatabase(mariadb, whole),
}

/** What holds on all of them. `ENGINE=embedded`, `sqlite` or `mariadb` leaves the others out. */
export const engines: readonly Engine[] = Object.entries({ embedded, sqlite: sqliteByCinder, mariadb: mariaDb }).map(
  ([name, engine]) => ({ ...engine, missing: engine.missing ?? whyLeftOut(name as EngineName) }),
)

/** A name for a block of tests that says why they are skipped, where they are. */
export function titled({ name, missing: reason }: Pick<Engine, 'name' | 'missing'>): string {
  return reason === null ? name : `${name} (skipped: ${reason})`
}

function sqliteDatabase(make: ((db: Sqlite.Database) => void) | undefined): TestDatabase {
  const path = join(folder, `${unique()}.sqlite`)
  if (make === undefined) copyFileSync(sqlite, path)
  const db = new Sqlite(path)
  make?.(db)
  return {
    connection: `sqlite:///${path}`,
    execute: async (sql) => {
      db.exec(sql)
    },
    rows: async (table) => db.prepare(`SELECT * FROM ${table} ORDER BY id`).all() as TableRow[],
    close: async () => {
      db.close()
    },
  }
}

/** The URL of a database of the tests' MariaDB, by TCP, with a password full of characters that need care. */
export function mariaUrl(database: string, parameters = '', port = mariadb.port): string {
  return `mysql+pymysql://cinder:${encodeURIComponent(MARIADB_PASSWORD)}@127.0.0.1:${port}/${database}${parameters}`
}

type Server = Pick<MariaDb, 'port' | 'socket'>

/** A MariaDB for one file of tests that changes what all connections of a server share, with Cinder's tables of the service. */
export async function startOwnMariaDb(): Promise<MariaDb & { create: () => Promise<TestDatabase> }> {
  const server = await startMariaDb(mkdtempSync(join(folder, 'mariadb-')))
  await makeUser(server.socket)
  const theirs = await createConnection({ socketPath: mariadb.socket, user: 'root', database: 'cinder' })
  const own = await createConnection({ socketPath: server.socket, user: 'root', database: 'cinder' })
  for (const table of TABLES) {
    const [[made]] = await theirs.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`)
    await own.query(made?.['Create Table'])
  }
  await Promise.all([theirs.end(), own.end()])
  return { ...server, create: () => makeMariaDatabase(server) }
}

const TABLES = ['services', 'clusters']

async function makeMariaDatabase({ port, socket }: Server, whole = false): Promise<TestDatabase> {
  const name = unique()
  const admin = await createConnection({
    socketPath: socket,
    user: 'root',
    dateStrings: true,
    multipleStatements: true,
  })
  const [all] = await admin.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'cinder'",
  )
  const tables = whole ? (all as { name: string }[]).map((table) => table.name) : TABLES
  const copies = tables.map(
    (table) =>
      `CREATE TABLE ${name}.${table} LIKE cinder.${table}; INSERT INTO ${name}.${table} SELECT * FROM cinder.${table};`,
  )
  await admin.query(`CREATE DATABASE ${name}; ${copies.join(' ')} USE ${name}`)
  return {
    connection: mariaUrl(name, '?charset=utf8', port),
    execute: async (sql) => {
      await admin.query(sql)
    },
    rows: async (table) => (await admin.query(`SELECT * FROM ${table} ORDER BY id`))[0] as TableRow[],
    close: async () => {
      await admin.query(`DROP DATABASE ${name}`)
      await admin.end()
    },
  }
}
