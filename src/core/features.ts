/**
 * Features of a state: the vector that does not depend on the context. Every cost and every constraint
 * is a sum of features with weights >= 0 that come from the context (see problem.ts), or the largest of
 * such sums, so it is monotone: no feature can get worse and a value better. That is what pruning and
 * the bounds of the search rest on.
 *
 * Layout for T tiers and H = T - 1 hops, all >= 0:
 *   seconds[T]   nominal seconds of the layers on each tier, as profiled, and of encoding and decoding there
 *   hopUsed[H]   1 where anything runs above the hop
 *   bytesUp[H]   bytes of the tensors that cross upwards, each counted once
 *   bytesDown[H] bytes of the model's outputs that return to the end device
 *   weights[T]   bytes of the weights on each tier
 *   working[T]   largest working set of a layer on each tier, bytes (a maximum, not a sum)
 *   exposure     layers too few between the model's inputs and what leaves the end device:
 *                depth of the graph + 1 - least depth of a tensor that leaves, 0 where none leaves (a maximum)
 *   accuracyLoss of the encoding of what crosses, 0 where nothing does
 */
export interface FeatureLayout {
  readonly tierCount: number;
  readonly hopCount: number;
  /** Length of the vector. */
  readonly length: number;
  /** Offsets of the groups. */
  readonly seconds: number;
  readonly hopUsed: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly weights: number;
  readonly working: number;
  readonly exposure: number;
  readonly accuracyLoss: number;
  /** Weights that pick one feature each: bounds share them, since a decision is too short to make its own. */
  readonly units: readonly Float64Array[];
  /** Per tier, weights and working set together. */
  readonly memoryUnits: readonly Float64Array[];
}

/** The layout for `tierCount` tiers (at least 2). */
export function featureLayout(tierCount: number): FeatureLayout {
  if (!Number.isInteger(tierCount) || tierCount < 2) {
    throw new RangeError(`a chain has at least 2 tiers, not ${tierCount}`);
  }
  const hopCount = tierCount - 1;
  const hopUsed = tierCount;
  const bytesUp = hopUsed + hopCount;
  const bytesDown = bytesUp + hopCount;
  const weights = bytesDown + hopCount;
  const working = weights + tierCount;
  const exposure = working + tierCount;
  const length = exposure + 2;
  const picking = (...indices: number[]): Float64Array => {
    const picked = new Float64Array(length);
    for (const i of indices) picked[i] = 1;
    return picked;
  };
  return {
    tierCount,
    hopCount,
    length,
    seconds: 0,
    hopUsed,
    bytesUp,
    bytesDown,
    weights,
    working,
    exposure,
    accuracyLoss: exposure + 1,
    units: Array.from({ length }, (_, i) => picking(i)),
    memoryUnits: Array.from({ length: tierCount }, (_, t) => picking(weights + t, working + t)),
  };
}

/**
 * Weighted sum of one row of a feature matrix. The order of the additions is fixed, so a bound taken at
 * a componentwise minimum can never exceed, by rounding, the value of a state below it.
 */
export function weightedSum(weights: Float64Array, rows: Float64Array, offset: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * rows[offset + i]!;
  return sum;
}
