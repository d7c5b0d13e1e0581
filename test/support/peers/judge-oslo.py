"""Reads cases from standard input, and says how oslo.config itself reads them.

A case is {"files": [text, ...], "env": {...}, "ask": [[group, name], ...]}; its answer is {"values": [...]} or {"error": "..."}.
What the files or the environment set counts as registered, and so does database.connection with oslo.db's deprecated names.
"""
import json
import os
import sys
import tempfile

from oslo_config import cfg


def registered(conf, group, name, opt):
    try:
        conf.register_opt(opt, group=None if group == 'DEFAULT' else group)
    except cfg.DuplicateOptError:
        pass


def value(conf, group, name):
    options = conf if group == 'DEFAULT' else conf[group] if group in conf else {}
    return options[name] if name in options else None


def answer(case, folder):
    paths = []
    for number, text in enumerate(case['files']):
        paths.append(os.path.join(folder, '%d.conf' % number))
        with open(paths[-1], 'wb') as file:
            file.write(text.encode('utf-8'))
    conf = cfg.ConfigOpts()
    old = set(os.environ)
    os.environ.update(case.get('env', {}))
    try:
        args = [part for path in paths for part in ('--config-file', path)]
        conf(args=args, project='cinder', prog='cinder-volume', default_config_files=[], default_config_dirs=[])
        deprecated = [cfg.DeprecatedOpt('sql_connection', group='DEFAULT'),
                      cfg.DeprecatedOpt('sql_connection', group='DATABASE'),
                      cfg.DeprecatedOpt('connection', group='sql')]
        aliases = {('database', 'connection'), ('database', 'sql_connection'), ('DEFAULT', 'sql_connection'), ('sql', 'connection')}
        known = {(group, name) for sections in conf._namespace._normalized for group in sections for name in sections[group]}
        if aliases & known or 'OS_DATABASE__CONNECTION' in os.environ:
            registered(conf, 'database', 'connection', cfg.StrOpt('connection', deprecated_opts=deprecated))
        registered(conf, 'DEFAULT', 'state_path', cfg.StrOpt('state_path', default='/var/lib/cinder'))
        for group, name in known:
            if name.isidentifier():
                registered(conf, group, name, cfg.StrOpt(name))
        if 'OS_DEFAULT__BAR' in os.environ:
            registered(conf, 'DEFAULT', 'bar', cfg.StrOpt('bar'))
        return {'values': [value(conf, group, name) for group, name in case['ask']]}
    except (Exception, RecursionError) as error:
        return {'error': '%s: %s' % (type(error).__name__, error)}
    finally:
        for name in set(os.environ) - old:
            del os.environ[name]


with tempfile.TemporaryDirectory() as directory:
    json.dump([answer(case, directory) for case in json.load(sys.stdin)], sys.stdout)
