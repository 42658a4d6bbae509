-- The third tier of a deployment; null where it has two.
ALTER TABLE deployments ADD COLUMN cloud_json TEXT;
