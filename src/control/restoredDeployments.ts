/** The deployments that the last process left, with those moved on that have to be, durably. */
import type { LatestReader } from './latestDecision.js';
import type { Clock, Events, Store } from './ports.js';
import type { DecisionRecord, DeploymentRecord } from './records.js';
import { mustMoveOn, movedOn, type Restored } from './restored.js';

interface RestorePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: Events;
}

const recordsPerCommit = 500;

/**
 * Reads all deployments. The latest decision of each is left to be read when somebody asks for it: of nearly all there is a
 * newer one before that, and thousands of rows would hold up the start.
 * @throws StoreError
 */
export function restoredDeployments(
  ports: RestorePorts,
): { readonly record: DeploymentRecord; readonly latest: LatestReader }[] {
  const { store, clock } = ports;
  const reserved = new Map(store.reservations().map((one) => [one.deploymentId, one.untilVersion]));
  const moved: Restored[] = [];
  const all = store.deployments().map((record) => {
    const until = reserved.get(record.id) ?? 0;
    if (!mustMoveOn(record, until)) return { record, latest: () => readLatest(ports, record.id) };
    const restored = movedOn({ record, latest: latestOf(store, record.id) }, until, clock.nowMs());
    moved.push(restored);
    return { record: restored.record, latest: () => restored.latest };
  });
  for (let from = 0; from < moved.length; from += recordsPerCommit) {
    const some = moved.slice(from, from + recordsPerCommit);
    const rows = some.flatMap(({ record, latest }) => (record.cut === null ? [] : (latest ?? [])));
    store.commit(
      rows,
      some.map(({ record }) => record),
    );
  }
  if (reserved.size > 0) store.releaseReservations();
  return all;
}

function latestOf(store: Store, deploymentId: string): DecisionRecord | null {
  const [latest] = store.decisions(deploymentId, { limit: 1 });
  return latest ?? null;
}

function readLatest(
  { store, events }: RestorePorts,
  deploymentId: string,
): DecisionRecord | null | undefined {
  try {
    return latestOf(store, deploymentId);
  } catch (error) {
    events.storeFailed({ operation: 'read the latest decision', error }); // whoever asks next tries again
    return undefined;
  }
}
