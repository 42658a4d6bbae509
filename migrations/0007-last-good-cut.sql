-- What all tiers that it needs ran last, with its version: a refused cut gives way to it, also after a restart.
ALTER TABLE deployments ADD COLUMN last_good_json TEXT;
