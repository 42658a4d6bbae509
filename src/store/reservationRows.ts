/** Reserved versions as rows. */
import type { Database } from 'better-sqlite3';
import type { VersionReservation } from '../control/records.js';

/** The part of the store that keeps reserved versions. */
export function reservationRows(db: Database) {
  const all = db.prepare<[], VersionReservation>(
    'SELECT deployment_id AS deploymentId, until_version AS untilVersion FROM version_reservations',
  );
  // a deployment that was deleted meanwhile needs none
  const save = db.prepare<VersionReservation>(
    `INSERT INTO version_reservations SELECT id, @untilVersion FROM deployments WHERE id = @deploymentId
     ON CONFLICT (deployment_id) DO UPDATE SET until_version = max(until_version, @untilVersion)`,
  );
  const release = db.prepare('DELETE FROM version_reservations');
  return {
    reservations: (): VersionReservation[] => all.all(),
    releaseReservations: (): void => void release.run(),
    /** To be run inside a transaction. */
    saveReservation: (one: VersionReservation): void => void save.run(one),
  };
}
