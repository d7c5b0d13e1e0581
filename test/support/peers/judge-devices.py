"""Reads cases from standard input, and says how Cinder would get the replication_device of a section.

A case is {"files": [text, ...], "section": name}, or {"text": value}: the value alone. Its answer is {"devices": [[[key, value], ...], ...]} or {"error": "..."}.
The option is declared as in cinder/volume/driver.py; as in cinder/volume/configuration.py, [backend_defaults] holds what the section lacks.
"""
import json
import os
import sys
import tempfile

from oslo_config import cfg
from oslo_config import types


def option():
    return cfg.MultiOpt('replication_device', item_type=types.Dict(), secret=True)


def read(case, folder):
    if 'text' in case:
        return [types.Dict()(case['text'])]
    args = []
    for number, text in enumerate(case['files']):
        path = os.path.join(folder, '%d.conf' % number)
        with open(path, 'wb') as file:
            file.write(text.encode('utf-8'))
        args += ['--config-file', path]
    conf = cfg.ConfigOpts()
    conf(args=args, project='cinder', prog='cinder-volume', default_config_files=[], default_config_dirs=[])
    groups = [case['section'], 'backend_defaults']
    for group in groups:
        conf.register_opt(option(), group=group)
        conf.register_opts([cfg.StrOpt('san_ip'), cfg.StrOpt('entry')], group=group)
    for group in groups:
        devices = conf[group].replication_device
        if devices is not None:
            return devices
    return []


def answer(case, folder):
    try:
        return {'devices': [list(device.items()) for device in read(case, folder)]}
    except (Exception, RecursionError) as error:
        return {'error': '%s: %s' % (type(error).__name__, error)}


with tempfile.TemporaryDirectory() as directory:
    json.dump([answer(case, directory) for case in json.load(sys.stdin)], sys.stdout)
