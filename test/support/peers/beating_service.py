#!/usr/bin/python3
"""Stands in for cinder-volume where hundreds of starts are wanted: beats five times a second, says at its start that it replicates, and adds what
its driver would be given, as oslo.config reads it, to the file STARTS. Its clock may be behind that of the database."""

import json
import os
import sqlite3
import sys
import time

from oslo_config import cfg
from oslo_config import types

conf = cfg.ConfigOpts()
conf.register_opts([cfg.StrOpt('host'), cfg.IntOpt('clock_lag', default=0)])
conf.register_opts([cfg.StrOpt('connection')], group='database')
# cinder/volume/drivers/san/san.py, cinder/volume/driver.py
section = [cfg.StrOpt('san_ip'), cfg.MultiOpt('replication_device', item_type=types.Dict())]
conf.register_opts(section, group='arrayA')
conf(sys.argv[1:], project='cinder')
path = conf.database.connection.removeprefix('sqlite:///')
host = conf.host + '@arrayA'


def tell_start():
    with sqlite3.connect(path, timeout=30) as db:
        row = db.execute('SELECT active_backend_id FROM services WHERE host = ?', (host,)).fetchone()
    start = {'active_backend_id': row and row[0], 'san_ip': conf.arrayA.san_ip,
             'replication_device': conf.arrayA.replication_device}
    with open(os.environ['STARTS'], 'a') as starts:
        starts.write(json.dumps(start) + '\n')


def execute(statement):
    while True:
        try:
            with sqlite3.connect(path, timeout=30) as db:
                db.execute(statement, (host,))
            return
        except sqlite3.OperationalError:
            time.sleep(0.05)


tell_start()
execute("UPDATE services SET replication_status = 'enabled' WHERE host = ? AND replication_status != 'failed-over'")
while True:
    now = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{-conf.clock_lag:+} seconds')"
    execute(f'UPDATE services SET report_count = report_count + 1, updated_at = {now} WHERE host = ?')
    time.sleep(0.2)
