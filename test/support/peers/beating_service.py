#!/usr/bin/python3
"""Stands in for cinder-volume where hundreds of starts are wanted: beats five times a second, and says at its start that it replicates.
Its clock may be behind that of the database."""

import configparser
import sqlite3
import sys
import time

conf = configparser.RawConfigParser(strict=False)
conf.read(sys.argv[sys.argv.index('--config-file') + 1])
path = conf['database']['connection'].removeprefix('sqlite:///')
host = conf['DEFAULT']['host'] + '@arrayA'
lag = int(conf['DEFAULT'].get('clock_lag', '0'))


def execute(statement):
    while True:
        try:
            with sqlite3.connect(path, timeout=30) as db:
                db.execute(statement, (host,))
            return
        except sqlite3.OperationalError:
            time.sleep(0.05)


execute("UPDATE services SET replication_status = 'enabled' WHERE host = ? AND replication_status != 'failed-over'")
while True:
    now = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{-lag:+} seconds')"
    execute(f'UPDATE services SET report_count = report_count + 1, updated_at = {now} WHERE host = ?')
    time.sleep(0.2)
