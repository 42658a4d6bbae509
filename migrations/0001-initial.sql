-- The nouns of the controller. Typed columns for what is asked by; JSON for what is read back whole.
-- Times are whole milliseconds since 1970 (UTC), durations carry their unit in the name.

CREATE TABLE models (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  sha256        TEXT NOT NULL,
  size_bytes    INTEGER NOT NULL,
  status        TEXT NOT NULL,
  error_json    TEXT,
  options_json  TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX models_by_sha256 ON models (sha256);

-- Apart from models: a graph can be megabytes, and a list of models must not read it.
CREATE TABLE layer_graphs (
  model_id   TEXT PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,
  graph_json TEXT NOT NULL
) STRICT;

CREATE TABLE profiles (
  id            TEXT PRIMARY KEY,
  model_id      TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  origin        TEXT NOT NULL,
  machine_id    TEXT NOT NULL,
  profile_json  TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX profiles_by_model ON profiles (model_id, created_at_ms);

CREATE TABLE devices (
  id               TEXT PRIMARY KEY,
  role             TEXT NOT NULL,
  description_json TEXT NOT NULL,
  first_seen_at_ms INTEGER NOT NULL,
  last_seen_at_ms  INTEGER NOT NULL
) STRICT;

-- Devices are not referenced: a deployment may be made before its device was ever seen.
CREATE TABLE deployments (
  id                TEXT PRIMARY KEY,
  model_id          TEXT NOT NULL REFERENCES models (id) ON DELETE RESTRICT,
  end_device_id     TEXT NOT NULL,
  edge_device_id    TEXT NOT NULL,
  end_json          TEXT NOT NULL,
  edge_json         TEXT NOT NULL,
  requirements_json TEXT NOT NULL,
  version           INTEGER NOT NULL,
  cut_json          TEXT,
  reported_json     TEXT NOT NULL,
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX deployments_by_model ON deployments (model_id);

-- No reference to deployments: history outlives its deployment, and deleting one must not delete
-- a hundred thousand rows at once. AUTOINCREMENT: ids rise without repetition, also after pruning.
CREATE TABLE decisions (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  deployment_id     TEXT NOT NULL,
  at_ms             INTEGER NOT NULL,
  reason            TEXT NOT NULL,
  version_before    INTEGER NOT NULL,
  version_after     INTEGER NOT NULL,
  algorithm         TEXT NOT NULL,
  latency_seconds   REAL NOT NULL,
  optimality        TEXT NOT NULL,
  gap               REAL,
  states_visited    INTEGER NOT NULL,
  search_ns         INTEGER NOT NULL,
  cut_before_json   TEXT,
  cut_after_json    TEXT NOT NULL,
  context_json      TEXT NOT NULL,
  decision_json     TEXT NOT NULL,
  sources_json      TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_deployment ON decisions (deployment_id, id);
CREATE INDEX decisions_by_time ON decisions (at_ms);

-- One row that a readiness check rewrites, to learn whether the database takes writes.
CREATE TABLE write_probe (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  writes INTEGER NOT NULL
) STRICT;
INSERT INTO write_probe (id, writes) VALUES (1, 0);
