import type { TestDatabase } from './databases.js'
import { FAILED_OVER, insert, service } from './rows.js'

/** A section of a Pure Storage array with arrayB as its replica. */
export const SECTION = `[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 192.0.2.1
pure_api_token = token-of-A
replication_device = backend_id:arrayB,san_ip:192.0.2.2,api_token:token-of-B
`

const CLUSTER = { name: 'c1@arrayA', binary: 'cinder-volume', deleted: 0, race_preventer: 0 }

/** A backend that is failed over, a healthy one, and a healthy cluster of one member. */
export async function seed(database: TestDatabase): Promise<void> {
  await database.execute(
    service(1, 'vol1@arrayA', FAILED_OVER) +
      service(2, 'vol2@arrayA') +
      insert('clusters', { id: 1, ...CLUSTER, disabled: 0, replication_status: 'enabled', frozen: 0 }) +
      service(3, 'vol3@arrayA', { cluster_name: 'c1@arrayA' }),
  )
}
