INSERT INTO clusters (id, name, `binary`, deleted, race_preventer, disabled, disabled_reason, replication_status, frozen, active_backend_id, updated_at, created_at)
VALUES (1, 'cluster1@arrayA', 'cinder-volume', 0, 0, 0, NULL, 'enabled', 1, NULL, '2026-01-02 03:04:05', '2025-01-01 00:00:00');
INSERT INTO services (id, host, `binary`, topic, report_count, deleted, disabled, disabled_reason, replication_status, frozen, active_backend_id, cluster_name, updated_at, modified_at, created_at, uuid)
VALUES (1, 'vol1@arrayA', 'cinder-volume', 'cinder-volume', 7, 0, 1, 'failed-over', 'failed-over', 1, 'arrayB', 'cluster1@arrayA', '2026-01-02 03:04:05', '2026-01-01 00:00:00', '2025-01-01 00:00:00', '00000000-0000-0000-0000-000000000001');
INSERT INTO services (id, host, `binary`, topic, report_count, deleted, disabled, disabled_reason, replication_status, frozen, active_backend_id, cluster_name, updated_at, modified_at, created_at, uuid)
VALUES (2, 'vol2@arrayA', 'cinder-volume', 'cinder-volume', 7, 0, 1, 'failed-over', 'failed-over', 1, 'arrayB', 'cluster1@arrayA', '2026-01-02 03:04:05', '2026-01-01 00:00:00', '2025-01-01 00:00:00', '00000000-0000-0000-0000-000000000002');
