/** A deployment as the store has it after a start, and what of that has to move on before anybody hears of it. */
import type { DecisionRecord, DeploymentRecord } from './records.js';
import { cloudLayerCount, safeLocalCut } from './storedCut.js';

export interface Restored {
  readonly record: DeploymentRecord;
  /** Its latest decision; null where none is kept. */
  readonly latest: DecisionRecord | null;
}

/**
 * A deployment whose versions up to `until` may be known to devices without being stored (a crash while the store took no
 * writes, or a backup that was restored): its stored cut stands under a version that nobody has seen.
 */
function beyond({ record, latest }: Restored, until: number, nowMs: number): Restored {
  if (record.cut === null) return { record: { ...record, version: until }, latest };
  const version = until + 1;
  return {
    record: { ...record, version, updatedAtMs: nowMs },
    latest: latest && {
      ...latest,
      atMs: nowMs,
      reason: 'restart',
      versionBefore: record.version,
      versionAfter: version,
      cutBefore: record.cut,
      cutAfter: record.cut,
      keptBefore: 0,
    },
  };
}

/** The process ended after the cloud was taken away and before the cut that had layers there gave way. */
function onEndAlone({ record, latest }: Restored, nowMs: number): Restored {
  const version = record.version + 1;
  const cut = safeLocalCut(record.cut!);
  return {
    record: { ...record, version, cut, lastGood: null, updatedAtMs: nowMs },
    latest: latest && {
      ...latest,
      atMs: nowMs,
      reason: 'tiers',
      versionBefore: record.version,
      versionAfter: version,
      cutBefore: record.cut,
      cutAfter: cut,
      keptBefore: 0,
    },
  };
}

function isLost({ cut, cloud }: DeploymentRecord): boolean {
  return cloud === undefined && cut !== null && cloudLayerCount(cut) > 0;
}

/**
 * Whether a deployment as it is stored cannot be gone on with.
 * @param until versions up to this one may be known to devices
 */
export function mustMoveOn(record: DeploymentRecord, until: number): boolean {
  return until > record.version || isLost(record);
}

/** What such a deployment is gone on with. */
export function movedOn(stored: Restored, until: number, nowMs: number): Restored {
  const known = until > stored.record.version ? beyond(stored, until, nowMs) : stored;
  return isLost(stored.record) ? onEndAlone(known, nowMs) : known;
}
