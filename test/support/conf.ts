import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

const { folder } = inject('peers')

/** A cinder.conf in a folder of its own. */
export function confFile(text: string | Buffer, name = 'cinder.conf'): string {
  const path = join(mkdtempSync(join(folder, 'conf-')), name)
  writeFileSync(path, text)
  return path
}

/** A section of a Pure Storage array with one replica, arrayB; B's settings are those of `10.0.0.2`. */
export const PURE = `[arrayA]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.1
pure_api_token = s3cr3t-A
driver_ssl_cert_verify = true
replication_device = backend_id:arrayB,san_ip:10.0.0.2,api_token:s3cr3t-B,type:async
`
