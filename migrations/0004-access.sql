-- Who may do what. No row holds a secret: a digest is an HMAC-SHA-256 of the credential under the pepper.

CREATE TABLE access_pepper (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  pepper BLOB NOT NULL
) STRICT;
INSERT INTO access_pepper VALUES (1, randomblob(32)); -- seeded by the operating system

CREATE TABLE api_keys (
  id            TEXT PRIMARY KEY,
  label         TEXT NOT NULL,
  role          TEXT NOT NULL,
  digest        BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT NOT NULL,
  revoked_at_ms INTEGER
) STRICT;

-- Devices are not referenced: a token is made before its device was ever seen.
CREATE TABLE device_tokens (
  id            TEXT PRIMARY KEY,
  device_id     TEXT NOT NULL,
  label         TEXT NOT NULL,
  digest        BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT NOT NULL,
  revoked_at_ms INTEGER
) STRICT;

-- A row is written before the change and completed after it: status is null where that did not come about.
CREATE TABLE audit (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms       INTEGER NOT NULL,
  actor       TEXT NOT NULL,
  actor_label TEXT NOT NULL,
  role        TEXT NOT NULL,
  address     TEXT,
  operation   TEXT NOT NULL,
  target      TEXT NOT NULL,
  status      INTEGER,
  code        TEXT
) STRICT;
