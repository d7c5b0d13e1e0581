"""Says which arrays Cinder's own drivers read in a section: the primary that they connect to at their start, and those of the entries.

A line of standard input is {"driver": class, "file": path, "section": name}. Its answer is a line {"arrays": [names]}, the primary first, or
{"refusal": text}; names has the options that name an array, with what the driver takes for them from the section or from an entry. What a driver
would connect with is replaced by a recorder. All before that is the driver's own code.
"""
import json
import logging
import sys
from unittest import mock

from oslo_config import cfg

from cinder import exception
from cinder import objects
from cinder.volume import configuration
from cinder.volume import driver as volume_driver

objects.register_all()

from oslo_utils import importutils  # noqa: E402, all below need the objects

from cinder.volume.drivers import nfs  # noqa: E402
from cinder.volume.drivers.dell_emc.powerflex import rest_client as powerflex  # noqa: E402
from cinder.volume.drivers.dell_emc.powermax import common as powermax  # noqa: E402
from cinder.volume.drivers.dell_emc.sc import storagecenter_api as sc  # noqa: E402
from cinder.volume.drivers.dell_emc.unity import replication as unity  # noqa: E402
from cinder.volume.drivers.dell_emc.vnx import adapter as vnx  # noqa: E402
from cinder.volume.drivers.hpe import hpe_3par_common as hpe  # noqa: E402
from cinder.volume.drivers.ibm.ibm_storage import ds8k_proxy  # noqa: E402
from cinder.volume.drivers.ibm.storwize_svc import storwize_svc_common as storwize  # noqa: E402
from cinder.volume.drivers.kaminario import kaminario_common as kaminario  # noqa: E402
from cinder.volume.drivers.netapp.dataontap.client import client_cmode  # noqa: E402
from cinder.volume.drivers.netapp.dataontap.utils import utils as netapp  # noqa: E402
from cinder.volume.drivers.san import san  # noqa: E402


class Connected(Exception):
    """The driver has gone as far as it can without an array."""


def start(driver, found, active=None):
    kind = importutils.import_class(driver)
    return kind(configuration=found, host='vol1@%s' % found.config_group, active_backend_id=active)


def until_connected(work, *args):
    try:
        work(*args)
    except Connected:
        pass


def read_rbd(driver, found):
    one = start(driver, found)
    one._do_setup_replication()
    ids = [None, *(target['name'] for target in one._replication_targets)]
    return [{'rbd_ceph_conf': one._get_target_config(each)['conf']} for each in ids]


def read_pure(driver, found):
    one = start(driver, found)
    array = mock.MagicMock()
    array.get.return_value = {'version': '6.0.0', 'array_name': 'array', 'id': 'id'}
    module = 'cinder.volume.drivers.pure.purestorage'
    with mock.patch(module) as client, mock.patch.object(one, '_get_flasharray', return_value=array) as connect:
        client.PureError = client.PureHTTPError = Connected
        with mock.patch.object(one, '_setup_replicated_pgroups', side_effect=Connected):
            until_connected(one.do_setup, None)
    return [{'san_ip': call.args[0]} for call in connect.call_args_list]


def read_unity(driver, found):
    one = start(driver, found)
    manager = unity.ReplicationManager()
    with mock.patch.object(unity, 'init_adapter'):
        manager.do_setup(one)
    return [{'san_ip': each.san_ip} for each in [manager.default_device, *manager.replication_devices.values()]]


def read_powerstore(driver, found):
    one = start(driver, found)
    one.do_setup(None)
    return [{'san_ip': each.client.rest_ip} for each in one.adapters.values()]


def read_powerflex(driver, found):
    one = start(driver, found)
    clients = [powerflex.RestClient(one.configuration, is_primary=each) for each in [True, False]]
    for client in clients:
        client.do_setup()
    return [{'san_ip': client.rest_ip} for client in clients if client.is_configured]


def read_storwize(driver, found):
    one = start(driver, found)
    with mock.patch.object(one, '_replication_initialize') as replicate:
        one._do_replication_setup()
    names = {'san_ip': one.active_ip, 'storwize_san_secondary_ip': one.inactive_ip}
    return [names, *({'san_ip': call.args[0]['san_ip']} for call in replicate.call_args_list)]


def read_3par(driver, found):
    one = start(driver, found)
    common = hpe.HPE3PARCommon(one.configuration)
    names = ['hpe3par_api_url', 'san_ip']
    entries = []

    def connect(array):
        common._build_3par_config(array)
        entries.append({name: common._client_conf[name] for name in names})
        raise Connected

    with mock.patch.object(common, '_create_replication_client', side_effect=connect):
        common._do_replication_setup()
    common._build_3par_config()
    return [{name: common._client_conf[name] for name in names}, *entries]


def read_netapp(driver, found):
    library = start(driver, found)
    library = getattr(library, 'library', library)
    with mock.patch.object(client_cmode, 'Client', side_effect=Connected) as client, \
            mock.patch.object(nfs.NfsDriver, 'do_setup'):  # it looks for mount.nfs
        until_connected(library.do_setup, None)
        for name in library.get_replication_backend_names(found):
            until_connected(netapp.get_client_for_backend, name)
    given = [call.kwargs for call in client.call_args_list]
    return [{'netapp_server_hostname': each['hostname'], 'netapp_vserver': each['vserver']} for each in given]


def read_powermax(driver, found):
    with mock.patch.object(powermax.rest, 'PowerMaxRest') as rest:
        rest.return_value.get_array_model_info.side_effect = Connected
        with mock.patch.object(powermax.PowerMaxCommon, '_get_replication_info', autospec=True) as replicate:
            until_connected(start, driver, found)
    [serial] = rest.return_value.get_array_model_info.call_args.args
    common = replicate.call_args.args[0]
    powermax.PowerMaxCommon._get_replication_info(common)
    return [{'powermax_array': each} for each in [serial, *(config['array'] for config in common.rep_configs or [])]]


def read_sc(driver, found):
    def connect(active):
        one = start(driver, found, active)
        one.do_setup(None)
        with mock.patch.object(sc, 'SCApi'):
            return one, {'dell_sc_ssn': one._client._setup_connection().ssn}

    one, primary = connect(None)
    actives = [one._parse_secondary(mock.Mock(), device['target_device_id']) for device in one.backends or []]
    return [primary, *(connect(str(each))[1] for each in actives)]


def read_solidfire(driver, found):
    connected = []

    def connect(self, endpoint=None):
        connected.append((endpoint or self._build_endpoint_info())['mvip'])
        return {'endpoint': endpoint}

    kind = importutils.import_class(driver)
    pair = {'clusterPairID': 1}
    with mock.patch.object(kind, '_create_cluster_reference', connect), \
            mock.patch.object(kind, '_get_or_create_cluster_pairing', return_value=pair), \
            mock.patch.object(kind, '_update_cluster_status'):
        start(driver, found)
    return [{'san_ip': each} for each in connected]


def read_kaminario(driver, found):
    one = start(driver, found)
    one.do_setup(None)
    with mock.patch.object(kaminario, 'krest'), mock.patch.object(kaminario, 'KrestWrap', create=True) as connect:
        connect.return_value.search.side_effect = Connected
        until_connected(one.check_for_setup_error)
    return [{'san_ip': call.args[0]} for call in connect.call_args_list]


def read_ibm(driver, found):
    proxy = start(driver, found).proxy
    if isinstance(proxy, ds8k_proxy.DS8KProxy):
        return read_ds8000(proxy, found)
    proxy._read_replication_devices()
    addresses = [proxy._get_connection_params(each)[0] for each in [proxy.active_backend_id, *proxy.targets]]
    return [{'management_ips': ','.join(each)} if isinstance(each, list) else {'san_ip': each} for each in addresses]


def read_ds8000(proxy, found):
    helper = ds8k_proxy.helper
    with mock.patch.object(helper.restclient, 'RESTScheduler', side_effect=Connected) as connect, \
            mock.patch.object(helper.cryptish, 'decrypt'):
        until_connected(proxy.setup, None)
        for device in found.safe_get('replication_device') or []:
            until_connected(helper.DS8KReplicationTargetHelper, device)
    return [{'san_ip': call.args[0]} for call in connect.call_args_list]


def read_vnx(driver, found):
    one = start(driver, found)
    with mock.patch.object(vnx.client, 'Client') as connect, \
            mock.patch.object(vnx.CommonAdapter, 'parse_pools', side_effect=Connected):
        until_connected(one.do_setup, None)
    calls = connect.call_args_list
    primary = next(call.args[0] for call in calls)
    return [{'san_ip': each} for each in [primary, *(call.kwargs['ip'] for call in calls if call.kwargs)]]


def read_options(driver, found):
    """Of a driver that does not replicate."""
    return [{'san_ip': start(driver, found).configuration.san_ip}]


READERS = {
    'rbd': read_rbd,
    'pure': read_pure,
    'unity': read_unity,
    'powerstore': read_powerstore,
    'powerflex': read_powerflex,
    'storwize_svc': read_storwize,
    'hpe': read_3par,
    'netapp': read_netapp,
    'powermax': read_powermax,
    'sc': read_sc,
    'solidfire': read_solidfire,
    'kaminario': read_kaminario,
    'ibm_storage': read_ibm,
    'vnx': read_vnx,
    'infinidat': read_options,
}


def answer(case):
    cfg.CONF.clear()
    cfg.CONF(args=['--config-file', case['file']], project='cinder', default_config_dirs=[])
    found = configuration.Configuration(volume_driver.volume_opts + san.san_opts, config_group=case['section'])
    reader = next(READERS[part] for part in case['driver'].split('.') if part in READERS)
    try:
        return {'arrays': reader(case['driver'], found)}
    except exception.CinderException as error:
        return {'refusal': str(error)}


logging.disable()
for line in sys.stdin:
    json.dump(answer(json.loads(line)), sys.stdout, default=str)
    print(flush=True)
