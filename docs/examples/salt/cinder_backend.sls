# Salt runs the first command, or with test=True the second one; both print what "stateful" reads.
vol1@arrayA is a normal backend:
  cmd.run:
    - name: cinder-backend --format salt
    - stdin: '{"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled"}'
    - stateful:
      - test_name: cinder-backend --format salt --check
