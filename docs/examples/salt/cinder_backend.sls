# The whole promotion of a backend on its own minion. Apply it once, after a failover, and keep it out of the highstate:
#   salt vol1 state.apply cinder_backend test=True
# Salt runs the first command, or with test=True the second one; both print what "stateful" reads.
vol1@arrayA is promoted to arrayB:
  cmd.run:
    - name: cinder-backend --format salt
    - stdin: >-
        {"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled", "frozen": false,
         "config": {"promote": "arrayB", "replication_device": [{"backend_id": "arrayC", "san_ip": "192.0.2.3", "api_token": "token-of-C"}]},
         "service": {"manager": "systemd", "name": "cinder-volume"}}
    - stateful:
      - test_name: cinder-backend --format salt --check
