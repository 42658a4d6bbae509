-- The row before of the same deployment, null for the first. It may name a row that is gone: there the history ends.
ALTER TABLE decisions ADD COLUMN previous_id INTEGER;
-- The newest row of the history, where that is followed from; null before the first.
ALTER TABLE deployments ADD COLUMN latest_decision_id INTEGER;
-- In the order of the rows, each page is written once.
UPDATE decisions SET previous_id = (
  SELECT max(id) FROM decisions AS earlier
  WHERE earlier.deployment_id = decisions.deployment_id AND earlier.id < decisions.id
);
UPDATE deployments SET latest_decision_id = (SELECT max(id) FROM decisions WHERE deployment_id = deployments.id);
-- Each insert paid for it with a page at a random place.
DROP INDEX decisions_by_deployment;
