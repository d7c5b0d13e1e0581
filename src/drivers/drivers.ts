/** What becomes of a primary's option when the replica's entry does not have the key: it stays, it goes, or it gets this text. */
type Absent = 'keep' | 'remove' | { readonly template: string }

export interface KeyRule {
  /** The section's option. */
  readonly option: string
  readonly absent: Absent
  /** Blanks between values become commas. */
  readonly blanksToCommas?: boolean
}

export interface Driver {
  readonly name: string
  /** What `volume_driver` begins with. */
  readonly classes: string
  readonly keys: Readonly<Record<string, KeyRule>>
  /** Keys that say something of the pair of arrays, and have no place in a primary's settings. */
  readonly pairOnly: readonly string[]
  /** What the operator must look at, since no table can know it. */
  readonly note?: string
}

const keep = (option: string): KeyRule => ({ option, absent: 'keep' })
const remove = (option: string): KeyRule => ({ option, absent: 'remove' })

const DELL_REST = {
  san_ip: keep('san_ip'),
  san_login: keep('san_login'),
  san_password: keep('san_password'),
  driver_ssl_cert_verify: remove('driver_ssl_cert_verify'),
  driver_ssl_cert_path: remove('driver_ssl_cert_path'),
}

/**
 * Where each driver keeps the settings of a replica and of a primary, and what it takes for a key that the replica's entry lacks; read in
 * cinder/volume/drivers/. Data only.
 */
export const DRIVERS: readonly Driver[] = [
  {
    name: 'Ceph RBD',
    classes: 'cinder.volume.drivers.rbd.',
    keys: {
      conf: { option: 'rbd_ceph_conf', absent: { template: '/etc/ceph/BACKEND_ID.conf' } },
      user: keep('rbd_user'),
      secret_uuid: keep('rbd_secret_uuid'),
    },
    pairOnly: [],
    note: 'The replica was addressed by its backend_id as the cluster name: where configuration or keyrings use $cluster, give rbd_cluster_name in config.options.',
  },
  {
    name: 'Pure Storage',
    classes: 'cinder.volume.drivers.pure.',
    keys: {
      san_ip: keep('san_ip'),
      api_token: keep('pure_api_token'),
      ssl_cert_verify: remove('driver_ssl_cert_verify'),
      ssl_cert_path: remove('driver_ssl_cert_path'),
    },
    pairOnly: ['type', 'uniform'],
  },
  {
    name: 'Dell Unity',
    classes: 'cinder.volume.drivers.dell_emc.unity.',
    keys: { san_ip: keep('san_ip'), san_login: keep('san_login'), san_password: keep('san_password') },
    pairOnly: ['max_time_out_of_sync'],
  },
  {
    name: 'Dell PowerStore',
    classes: 'cinder.volume.drivers.dell_emc.powerstore.',
    keys: { ...DELL_REST, powerstore_ports: remove('powerstore_ports') },
    pairOnly: [],
  },
  {
    name: 'Dell PowerFlex',
    classes: 'cinder.volume.drivers.dell_emc.powerflex.',
    keys: { ...DELL_REST, powerflex_rest_server_port: remove('powerflex_rest_server_port') },
    pairOnly: [],
  },
  {
    name: 'IBM Storwize',
    classes: 'cinder.volume.drivers.ibm.storwize_svc.',
    keys: {
      san_ip: keep('san_ip'),
      san_login: keep('san_login'),
      san_password: keep('san_password'),
      pool_name: keep('storwize_svc_volpool_name'),
    },
    pairOnly: [],
  },
  {
    name: 'HPE 3PAR',
    classes: 'cinder.volume.drivers.hpe.hpe_3par_',
    keys: {
      ...Object.fromEntries(
        [
          'hpe3par_api_url',
          'hpe3par_username',
          'hpe3par_password',
          'san_ip',
          'san_login',
          'san_password',
          'san_ssh_port',
          'ssh_conn_timeout',
          'san_private_key',
        ].map((name) => [name, keep(name)]),
      ),
      hpe3par_iscsi_chap_enabled: remove('hpe3par_iscsi_chap_enabled'),
      hpe3par_iscsi_ips: { option: 'hpe3par_iscsi_ips', absent: 'remove', blanksToCommas: true },
    },
    pairOnly: ['replication_mode', 'quorum_witness_ip', 'managed_backend_name', 'cpg_map'],
  },
]

/** The driver of a `volume_driver`; undefined where the table does not have it. */
export function driverOf(volumeDriver: string): Driver | undefined {
  return DRIVERS.find(({ classes }) => volumeDriver.startsWith(classes))
}

/** Whether an entry of replication_device may have the key. */
export function isReplicaKey({ keys, pairOnly }: Driver, key: string): boolean {
  return key === 'backend_id' || Object.hasOwn(keys, key) || pairOnly.includes(key)
}
