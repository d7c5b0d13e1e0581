/** The keys of a `replication_device` by which drivers name a replica. */
export const ID_KEYS: readonly string[] = ['backend_id', 'target_device_id']
