/**
 * Which decisions become rows of the history. One that changes something always does: the cut, a bound that is now broken
 * or met, or a cause other than telemetry, measured times or a search that went on. Where telemetry leaves the cut as it is, one row per deployment and interval
 * is enough, and it says how many decisions before it kept the cut without a row: none goes unmentioned.
 */
import type { ConstraintName } from '../core/decision.js';
import type { DecisionRecord } from './records.js';
import { costInForce } from './switching.js';

/** What is remembered of a deployment's latest row; null before the first since the start. */
export interface LatestRow {
  /** By the clock that does not go back. */
  readonly decidedAtMs: number;
  /** Names of the broken bounds. */
  readonly broken: string;
}

/**
 * @param isDurable whether the cut of `record` is in the store already; what is not has to get there by a row
 * @param decidedAtMs of `record`, by the clock that does not go back
 * @param keptRowMs least time between two rows of decisions that keep the cut, ms; 0: each is a row
 */
export function needsRow(
  record: DecisionRecord,
  latest: LatestRow | null,
  isDurable: boolean,
  decidedAtMs: number,
  keptRowMs: number,
): boolean {
  if (latest === null || !isDurable) return true;
  const { reason } = record;
  const isMeasured = reason === 'telemetry' || reason === 'measurement' || reason === 'refinement';
  if (record.versionAfter !== record.versionBefore || !isMeasured) return true;
  if (brokenBounds(record) !== latest.broken) return true;
  return decidedAtMs - latest.decidedAtMs >= keptRowMs;
}

export function rowOf(record: DecisionRecord, decidedAtMs: number): LatestRow {
  return { decidedAtMs, broken: brokenBounds(record) };
}

/**
 * The first row of a deployment since the start. It is taken to be older than it is, by up to half of `keptRowMs`, which
 * its id says: else the rows that follow a start would fall due for all deployments at once, and so from then on.
 */
export function firstRowOf(record: DecisionRecord, decidedAtMs: number, keptRowMs: number): LatestRow {
  return rowOf(record, decidedAtMs - (shareOf(record.deploymentId) * keptRowMs) / 2);
}

/** 0 to below 1, the same for the same id, and spread evenly over many. */
function shareOf(id: string): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(31, hash) + id.charCodeAt(i)) >>> 0;
  return hash / 2 ** 32;
}

/** Names of broken bounds, as they are kept of a row. */
export function namesOf(broken: readonly ConstraintName[]): string {
  return broken.length === 0 ? '' : broken.join();
}

function brokenBounds(record: DecisionRecord): string {
  const { violations } = costInForce(record);
  return violations.length === 0 ? '' : namesOf(violations.map(({ constraint }) => constraint));
}
