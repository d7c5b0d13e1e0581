import type { OpenOptions } from './engine.js'
import type { Store } from './store.js'
import type { DatabaseUrl } from './url.js'

/** The store behind the URL. Only the engine asked for is loaded. */
export async function openStore(url: DatabaseUrl, options: OpenOptions): Promise<Store> {
  if (url.dialect === 'sqlite') return (await import('./sqlite.js')).openSqlite(url, options)
  return (await import('./mysql.js')).openMysql(url, options)
}
