import type { Database } from 'better-sqlite3';

/**
 * What of the history cannot be followed, from the rows alone: of each deployment that is there the newest row, and of each
 * of its rows the one before. A row that leads to one that retention has deleted is whole.
 */
export function brokenLinks(db: Database): unknown[] {
  return db
    .prepare(
      `WITH oldest AS (SELECT coalesce(min(id), 9e18) AS kept FROM decisions),
         links AS (
           SELECT id AS row, deployment_id AS deployment, previous_id AS link,
             lag(id) OVER (PARTITION BY deployment_id ORDER BY id) AS due
           FROM decisions WHERE deployment_id IN (SELECT id FROM deployments)
           UNION ALL
           SELECT NULL, deployments.id, latest_decision_id, max(decisions.id)
           FROM deployments LEFT JOIN decisions ON deployment_id = deployments.id GROUP BY deployments.id
         )
       SELECT links.* FROM links, oldest
       WHERE CASE WHEN due IS NULL THEN link >= kept ELSE link IS NOT due END`,
    )
    .all();
}
