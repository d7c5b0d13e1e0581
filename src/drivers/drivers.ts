/**
 * The table of Cinder's drivers: which option of a section holds which key of a replication_device, read in cinder/volume/drivers/. Data, and
 * look-ups in it; imports model/ alone.
 *
 * Promised: every key and option of the table is in the driver's own sources, and the driver reads a promoted section as the new primary's
 * (a test asks Cinder).
 * Not promised: that the arrays are ready for a promotion; `note` is what the operator must check by hand.
 */

import { ID_KEYS } from '../model/device.js'

/** What happens to the primary's option if the replica's entry lacks the key: nothing, removal, or this text. */
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
  /** The beginning of `volume_driver`. */
  readonly classes: string
  readonly keys: Readonly<Record<string, KeyRule>>
  /** Keys about the pair of arrays, which are no settings of a primary. */
  readonly pairOnly: readonly string[]
  /** Keys that the driver reads, and for which a section has no option. */
  readonly unmapped?: readonly string[]
  /** Options of the old primary for which an entry has no key. */
  readonly removes?: readonly string[]
  /** What the operator must check by hand. */
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
    note: 'Ceph: if ceph.conf or keyring paths use $cluster, set rbd_cluster_name too.',
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
    // rest_client.py, do_setup; the timeouts since Cinder 2025
    unmapped: [
      'sio_rest_server_port',
      'sio_verify_server_certificate',
      'sio_server_certificate_path',
      'rest_api_connect_timeout',
      'rest_api_read_timeout',
    ],
  },
  {
    name: 'Dell SC',
    classes: 'cinder.volume.drivers.dell_emc.sc.',
    keys: { target_device_id: keep('dell_sc_ssn') }, // storagecenter_common.py, failover_host
    pairOnly: ['qosnode', 'remoteqos', 'diskfolder'],
    note: 'Dell SC: san_ip stays, because one Data Collector serves both arrays. Set it in {options} if that is not so.',
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
    removes: ['storwize_san_secondary_ip'], // storwize_svc_common.py, _do_replication_setup: the second address of the primary alone
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
      target_ip_address: remove('target_ip_address'),
      iscsi_port: remove('target_port'),
    },
    pairOnly: ['replication_mode', 'quorum_witness_ip', 'managed_backend_name', 'cpg_map'],
  },
]

/** The driver of a `volume_driver`; undefined if the table lacks it. */
export function findDriver(volumeDriver: string): Driver | undefined {
  return DRIVERS.find(({ classes }) => volumeDriver.startsWith(classes))
}

/** The keys of a replication_device that the driver reads, but for the one that names the replica. */
export function listReplicaKeys({ keys, pairOnly, unmapped = [] }: Driver): readonly string[] {
  return [...Object.keys(keys), ...pairOnly, ...unmapped]
}

/** The names of a replica. */
export function listIds(device: ReadonlyMap<string, string>): readonly string[] {
  return ID_KEYS.flatMap((key) => device.get(key) ?? [])
}

/**
 * The keys that name a replica and that the driver needs in its entry; `index`: the entry's place among the others. None if the driver is not one of
 * Cinder's own.
 */
export function listNeededIdKeys(volumeDriver: string, index: number): readonly string[] {
  const is = (...names: readonly string[]) => inDrivers(...names).some((each) => volumeDriver.startsWith(each))
  if (is('dell_emc.sc.')) return ['target_device_id'] // storagecenter_common.py, _parse_secondary
  // powermax/utils.py, get_replication_config and get_rep_config
  if (is('dell_emc.powermax.', 'dell_emc.vmax.')) return index === 0 ? ['target_device_id'] : ID_KEYS
  return is('') ? ['backend_id'] : []
}

/** How a section tells which array its primary is. */
export interface ArrayIdentity {
  /** Beginnings of `volume_driver`. */
  readonly classes: readonly string[]
  /** The options that name the array, each with the key of an entry that holds the same; null: an entry has no such key. */
  readonly options: Readonly<Record<string, string | null>>
  /** Whether the backend_id of an entry is the name of a section with these options. */
  readonly isSection?: true
  /** The keys of an entry that active_backend_id can name it by; default: backend_id for Cinder's own drivers, else any. */
  readonly activeKeys?: readonly string[]
}

const DRIVERS_FOLDER = 'cinder.volume.drivers.'
const inDrivers = (...names: readonly string[]): readonly string[] => names.map((name) => DRIVERS_FOLDER + name)

/** Read where each driver reads its entry (cinder/volume/drivers/). A driver that is not here names its arrays by addresses with keys of equal name. */
const IDENTITIES: readonly ArrayIdentity[] = [
  { classes: inDrivers('rbd.', 'ceph.rbd_iscsi.'), options: { rbd_ceph_conf: 'conf' } }, // rbd.py, _parse_replication_configs
  {
    classes: inDrivers(
      'pure.',
      'dell_emc.unity.',
      'dell_emc.powerstore.',
      'dell_emc.powerflex.',
      'dell_emc.vxflexos.',
      'dell_emc.vnx.',
    ),
    options: { san_ip: 'san_ip' },
  },
  {
    classes: inDrivers('ibm.storwize_svc.'),
    options: { san_ip: 'san_ip', storwize_san_secondary_ip: null },
  },
  {
    classes: inDrivers('ibm.ibm_storage.'), // xiv_proxy.py, _get_connection_params: management_ips goes before san_ip
    options: { san_ip: 'san_ip', management_ips: 'management_ips' },
  },
  {
    classes: inDrivers('hitachi.hbsd_'), // hbsd_replication.py, _setup_replication: one address may serve several arrays
    options: { hitachi_storage_id: 'storage_id', san_ip: 'san_ip' },
  },
  { classes: inDrivers('hpe.hpe_3par_'), options: { hpe3par_api_url: 'hpe3par_api_url', san_ip: 'san_ip' } },
  {
    classes: inDrivers('netapp.common.'), // netapp/dataontap/utils/utils.py, get_backend_configuration
    options: { netapp_server_hostname: 'netapp_server_hostname', netapp_vserver: 'netapp_vserver' },
    isSection: true,
  },
  {
    classes: inDrivers('dell_emc.powermax.', 'dell_emc.vmax.'), // powermax/utils.py, get_replication_config
    options: { powermax_array: 'target_device_id' },
    activeKeys: ['backend_id', 'target_device_id'], // powermax/utils.py, validate_failover_request, checks neither
  },
  {
    classes: inDrivers('dell_emc.sc.'), // sc/storagecenter_common.py, _parse_secondary and failover_host
    options: { dell_sc_ssn: 'target_device_id' },
    activeKeys: ['target_device_id'],
  },
  { classes: inDrivers('solidfire.'), options: { san_ip: 'mvip' } }, // solidfire.py, _build_repl_endpoint_info
  { classes: inDrivers('kaminario.'), options: { san_ip: 'backend_id' } }, // kaminario_common.py, _check_ops
]

/** undefined if the table lacks the driver of a `volume_driver`. */
export function findIdentity(volumeDriver: string): ArrayIdentity | undefined {
  return IDENTITIES.find(({ classes }) => classes.some((each) => volumeDriver.startsWith(each)))
}

/** Whether active_backend_id names the array of an entry. Serial numbers are compared as numbers, without zeros before them. */
export function isEntryOf(volumeDriver: string, entry: ReadonlyMap<string, string>, active: string): boolean {
  const keys =
    findIdentity(volumeDriver)?.activeKeys ?? (volumeDriver.startsWith(DRIVERS_FOLDER) ? ['backend_id'] : ID_KEYS)
  const isNumber = (text: string) => /^\d+$/.test(text)
  return keys.some((key) => {
    const id = entry.get(key)
    if (id === undefined || key === 'backend_id' || !isNumber(id) || !isNumber(active)) return id === active
    return BigInt(id) === BigInt(active)
  })
}
