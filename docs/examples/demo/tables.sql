-- The two tables that the agent looks at, as Cinder 21 (Zed) makes them.
CREATE TABLE services (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME, deleted BOOLEAN,
  id INTEGER NOT NULL PRIMARY KEY,
  host VARCHAR(255), `binary` VARCHAR(255), topic VARCHAR(255), report_count INTEGER NOT NULL,
  disabled BOOLEAN, availability_zone VARCHAR(255), disabled_reason VARCHAR(255), modified_at DATETIME,
  rpc_current_version VARCHAR(36), object_current_version VARCHAR(36),
  replication_status VARCHAR(36), frozen BOOLEAN, active_backend_id VARCHAR(255),
  cluster_name VARCHAR(255), uuid VARCHAR(36)
);
CREATE UNIQUE INDEX services_uuid_idx ON services (uuid);
CREATE TABLE clusters (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME, deleted BOOLEAN,
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL, `binary` VARCHAR(255) NOT NULL,
  disabled BOOLEAN, disabled_reason VARCHAR(255), race_preventer INTEGER NOT NULL,
  replication_status VARCHAR(36), active_backend_id VARCHAR(255), frozen BOOLEAN DEFAULT 0 NOT NULL,
  UNIQUE (name, `binary`, race_preventer)
);
