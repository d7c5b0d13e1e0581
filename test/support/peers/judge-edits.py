"""Reads edits from standard input, and says how oslo.config reads each file before and after.

A case is {"before": text, "after": text, "section": name, "options": [name, ...]}; its answer is for both files the raw sections as
oslo.config's parser collects them, and of the edited one the options and the devices as Cinder would get them.
"""
import json
import os
import sys
import tempfile

from oslo_config import cfg
from oslo_config import types


def sections(path):
    found, normalized = {}, {}
    parser = cfg.ConfigParser(path, found)
    parser._add_normalized(normalized)
    parser.parse()
    return normalized


def values(path, section, options):
    conf = cfg.ConfigOpts()
    conf(args=['--config-file', path], project='cinder', prog='cinder-volume', default_config_dirs=[])
    conf.register_opts([cfg.StrOpt(name) for name in options], group=section)
    conf.register_opt(cfg.MultiOpt('replication_device', item_type=types.Dict()), group=section)
    return {'options': {name: conf[section][name] for name in options}, 'devices': conf[section].replication_device or []}


def answer(case, folder):
    try:
        paths = {}
        for side in ('before', 'after'):
            paths[side] = os.path.join(folder, side)
            with open(paths[side], 'wb') as file:
                file.write(case[side].encode('utf-8'))
        return {'before': sections(paths['before']), 'after': sections(paths['after']),
                **values(paths['after'], case['section'], case['options'])}
    except Exception as error:
        return {'error': '%s: %s' % (type(error).__name__, error)}


with tempfile.TemporaryDirectory() as directory:
    json.dump([answer(case, directory) for case in json.load(sys.stdin)], sys.stdout)
