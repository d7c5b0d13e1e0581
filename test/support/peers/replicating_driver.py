"""A volume driver without an array: it replicates where its section says so, and records what it was given at its start."""

import json
import os

from cinder.tests import fake_driver
from cinder.volume import driver
from cinder.volume.drivers.san import san


class ReplicatingDriver(fake_driver.FakeLoggingVolumeDriver):
    SUPPORTS_ACTIVE_ACTIVE = True

    def __init__(self, *args, active_backend_id=None, **kwargs):
        super().__init__(*args, active_backend_id=active_backend_id, **kwargs)
        self.configuration.append_config_values(san.san_opts)
        self.devices = self.configuration.safe_get('replication_device') or []
        given = {
            'host': self.host,
            'active_backend_id': active_backend_id,
            'san_ip': self.configuration.safe_get('san_ip'),
            'replication_device': self.devices,
        }
        with open(os.environ['STARTS'], 'a') as starts:
            starts.write(json.dumps(given) + '\n')

    def do_setup(self, context):
        if any(device['backend_id'] == 'broken' for device in self.devices):
            raise RuntimeError('the array does not answer')

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': 'replicating',
            'vendor_name': 'none',
            'driver_version': '1',
            'storage_protocol': 'none',
            'pools': [],
            'replication_enabled': any(device['backend_id'] != 'unreachable' for device in self.devices),
        }

    def failover(self, context, volumes, secondary_id=None, groups=None):
        return secondary_id, [], []

    def failover_completed(self, context, active_backend_id=None):
        pass
