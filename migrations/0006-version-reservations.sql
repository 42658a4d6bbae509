-- Versions up to this one may have been given out without a row, while the database took no writes: a start goes
-- beyond them. Apart from deployments: written once per many versions.
CREATE TABLE version_reservations (
  deployment_id TEXT PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
  until_version INTEGER NOT NULL
) STRICT;
