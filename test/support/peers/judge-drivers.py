"""Reads cases from standard input, and says how Cinder's own drivers see an edited section.

A case is {"driver": "cinder.volume.drivers.x.Class", "file": path, "section": name, "options": [...], "keys": [...]}; its answer has the
values that the driver's configuration gives for the options, the options that the driver does not register, and the keys of a
replication_device that its sources never name.
"""
import glob
import importlib
import json
import os
import sys

from oslo_config import cfg

from cinder import objects
from cinder.volume import configuration
from cinder.volume import driver as volume_driver

objects.register_all()

from cinder.volume.drivers.san import san  # noqa: E402, needs the objects


def answer(case):
    module_name, class_name = case['driver'].rsplit('.', 1)
    module = importlib.import_module(module_name)
    options = list(getattr(module, class_name).get_driver_options()) + san.san_opts
    cfg.CONF.clear()
    cfg.CONF(args=['--config-file', case['file']], project='cinder', default_config_dirs=[])
    found = configuration.Configuration(volume_driver.volume_opts, config_group=case['section'])
    found.append_config_values(options)
    known = {option.name for option in options + volume_driver.volume_opts}
    folder = os.path.dirname(module.__file__)
    pattern = '*.py' if os.path.basename(folder) != 'drivers' else os.path.basename(module.__file__)
    source = ''.join(open(path).read() for path in glob.glob(os.path.join(folder, pattern)))
    source += open(san.__file__).read()
    return {'values': {name: found.safe_get(name) for name in case['options']},
            'devices': found.safe_get('replication_device'),
            'unregistered': [name for name in case['options'] if name not in known],
            'unnamed': [key for key in case['keys'] if "'%s'" % key not in source and '"%s"' % key not in source]}


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout, default=str)
