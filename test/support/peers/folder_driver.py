"""A volume driver whose arrays are folders, and whose volumes are files in them.

A replicated volume is on every array, and primary on one of them. The driver serves only volumes that are primary on the array it runs on. An array
whose folder is gone has burned. A failover waits while the folder of the arrays has a file named hold. Nothing is exported.
"""

import json
import os
import pathlib
import time

from oslo_config import cfg

from cinder import exception
from cinder.volume import driver
from cinder.volume.drivers.san import san

OPTIONS = [cfg.StrOpt('arrays_folder', help='The folder of the arrays, each named by its san_ip.')]


class FolderDriver(driver.VolumeDriver):
    VERSION = '1'
    SUPPORTS_ACTIVE_ACTIVE = True

    def __init__(self, *args, active_backend_id=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(san.san_opts + OPTIONS)
        self.active_backend_id = active_backend_id
        devices = self.configuration.safe_get('replication_device') or []
        self.replicas = {device['backend_id']: device['san_ip'] for device in devices}
        given = {
            'host': self.host,
            'active_backend_id': active_backend_id,
            'san_ip': self.configuration.san_ip,
            'replication_device': devices,
        }
        with open(os.environ['STARTS'], 'a') as starts:
            starts.write(json.dumps(given) + '\n')

    @staticmethod
    def get_driver_options():
        return OPTIONS

    def check_for_setup_error(self):
        """The arrays replicate from here on: what is primary on the active one is copied to the others."""
        for path in list(self._active().iterdir()):
            volume = json.loads(path.read_text())
            if volume['primary']:
                self._save(path.name, volume)

    # The arrays.

    def _array(self, backend_id):
        if not backend_id or backend_id == 'default':
            address = self.configuration.san_ip
        elif backend_id in self.replicas:
            address = self.replicas[backend_id]
        else:
            raise exception.InvalidReplicationTarget(reason=f'{backend_id} is no replica')
        return pathlib.Path(self.configuration.arrays_folder, address)

    def _active(self):
        array = self._array(self.active_backend_id)
        if not array.is_dir():
            raise exception.VolumeBackendAPIException(data=f'{array.name} does not answer')
        return array

    def _arrays(self):
        """Those that answer."""
        return [array for array in map(self._array, ['default', *self.replicas]) if array.is_dir()]

    def _save(self, name, volume):
        """What is primary on the active array, and its copies."""
        active = self._active()
        for array in self._arrays():
            if array == active or volume['replicated']:
                (array / name).write_text(json.dumps({**volume, 'primary': array == active}))

    def _load(self, name):
        path = self._active() / name
        if not path.exists() or not json.loads(path.read_text())['primary']:
            raise exception.VolumeBackendAPIException(data=f'{name} is not primary on {path.parent.name}')
        return json.loads(path.read_text())

    # Volumes and their snapshots.

    def create_volume(self, volume):
        replicated = volume.is_replicated()
        self._save(volume.name, {'size': volume.size, 'replicated': replicated, 'snapshots': []})
        return {'replication_status': 'enabled' if replicated else 'disabled'}

    def delete_volume(self, volume):
        self._load(volume.name)
        for array in self._arrays():
            (array / volume.name).unlink(missing_ok=True)

    def extend_volume(self, volume, new_size):
        self._save(volume.name, {**self._load(volume.name), 'size': new_size})

    def create_snapshot(self, snapshot):
        volume = self._load(snapshot.volume_name)
        self._save(snapshot.volume_name, {**volume, 'snapshots': [*volume['snapshots'], snapshot.name]})

    def delete_snapshot(self, snapshot):
        volume = self._load(snapshot.volume_name)
        rest = [name for name in volume['snapshots'] if name != snapshot.name]
        self._save(snapshot.volume_name, {**volume, 'snapshots': rest})

    def initialize_connection(self, volume, connector):
        self._load(volume.name)
        return {'driver_volume_type': 'fake', 'data': {'array': self._active().name}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def ensure_export(self, context, volume):
        self._load(volume.name)

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    # Replication.

    def failover(self, context, volumes, secondary_id=None, groups=None):
        while pathlib.Path(self.configuration.arrays_folder, 'hold').exists():
            time.sleep(0.1)
        before = self.active_backend_id
        self.active_backend_id = secondary_id
        try:
            active = self._active()
        except exception.CinderException:
            self.active_backend_id = before
            raise
        copies = [active / volume.name for volume in volumes]
        for copy in copies:
            if copy.exists():
                self._save(copy.name, json.loads(copy.read_text()))
        lost = [volume.id for volume, copy in zip(volumes, copies) if not copy.exists()]
        return secondary_id, [{'volume_id': id, 'updates': {'status': 'error'}} for id in lost], []

    def failover_host(self, context, volumes, secondary_id=None, groups=None):
        return self.failover(context, volumes, secondary_id, groups)

    def failover_completed(self, context, active_backend_id=None):
        self.active_backend_id = active_backend_id

    def _update_volume_stats(self):
        replication = {'replication_enabled': bool(self.replicas)}
        capacity = {'total_capacity_gb': 100, 'free_capacity_gb': 100, 'reserved_percentage': 0}
        self._stats = {
            'volume_backend_name': self.configuration.safe_get('volume_backend_name'),
            'vendor_name': 'none',
            'driver_version': self.VERSION,
            'storage_protocol': 'fake',
            'pools': [{'pool_name': 'pool', **capacity, **replication}],
            **replication,
        }
