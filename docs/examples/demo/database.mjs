// An SQLite file with Cinder's tables, and with rows in services.
import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'

/** @param {string} file @param {string} rows the VALUES of an INSERT */
export function database(file, rows) {
  const db = new Database(file)
  db.exec(readFileSync(new URL('tables.sql', import.meta.url), 'utf8'))
  db.exec(`
  INSERT INTO services (id, host, binary, topic, report_count, deleted, disabled, disabled_reason, replication_status, active_backend_id, frozen, updated_at)
  VALUES ${rows}`)
  return db
}
