/**
 * What can be bounded alone, one column each: all bounds but those on latency and energy limit one of these. A search
 * reads them beside the priced features (searchRows.ts). Memory is the sum that its bound asks for, so
 * that a bound is one comparison, and the least memory of several states is that of one of them.
 */
import type { FeatureLayout } from './features.js';

export interface BoundedColumns {
  readonly count: number;
  /** First of one column per tier. */
  readonly weights: number;
  readonly memory: number;
  /** First of one column per hop. */
  readonly hopUsed: number;
  readonly bytesSent: number;
  readonly exposure: number;
  readonly accuracyLoss: number;
}

/** Stands for a sum over priced features, which is no column. */
export const noColumn = -1;

export function boundedColumns({ tierCount, hopCount }: FeatureLayout): BoundedColumns {
  const hopUsed = 2 * tierCount;
  const bytesSent = hopUsed + hopCount;
  return {
    count: bytesSent + 3,
    weights: 0,
    memory: tierCount,
    hopUsed,
    bytesSent,
    exposure: bytesSent + 1,
    accuracyLoss: bytesSent + 2,
  };
}

/** Fills `columns` from one row of features; memory as its bound sums it, to the last bit. */
export function readColumns(
  layout: FeatureLayout,
  at: BoundedColumns,
  features: Float64Array,
  offset: number,
  columns: Float64Array,
  to: number,
): void {
  for (let t = 0; t < layout.tierCount; t++) {
    const weights = features[offset + layout.weights + t]!;
    columns[to + at.weights + t] = weights;
    columns[to + at.memory + t] = weights + features[offset + layout.working + t]!;
  }
  for (let h = 0; h < layout.hopCount; h++)
    columns[to + at.hopUsed + h] = features[offset + layout.hopUsed + h]!;
  columns[to + at.bytesSent] = features[offset + layout.bytesUp]!;
  columns[to + at.exposure] = features[offset + layout.exposure]!;
  columns[to + at.accuracyLoss] = features[offset + layout.accuracyLoss]!;
}
