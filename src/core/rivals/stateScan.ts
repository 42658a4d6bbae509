/**
 * A plain scan of the held states: the baseline for any cleverer search over them.
 *
 * Problem. The state with the least objective among those that meet all constraints: what GADS solves, exact like it, for
 * any objective, constraints and tiers. Algorithm: cost every state in a flat array. Complexity: O(states). The
 * features that a latency or an energy of two tiers weighs are packed in an array of their own, so that a scan for
 * these without constraints reads no others.
 */
import { featureLayout, weightedSum } from '../features.js';
import { objectiveValue } from '../objective.js';
import type { Constraint, ObjectiveFunction, Problem } from '../problem.js';
import { relaxed } from '../relax.js';
import type { HeldStates } from '../stateGraph.js';

const twoTiers = featureLayout(2);
/** Features packed per state of two tiers: seconds on both, hop used, bytes up, bytes down. */
const packedWidth = twoTiers.weights;

export class StateScan {
  private readonly width: number;
  /** Null where the states are not of two tiers. */
  private readonly packed: Float64Array | null;

  constructor(private readonly held: HeldStates) {
    this.width = held.features.length / held.count;
    this.packed = this.width === twoTiers.length ? packed(held) : null;
  }

  /**
   * The state with the least `objective` among those that meet all `constraints`; -1 where none does. Of equals
   * the first.
   */
  search(objective: ObjectiveFunction, constraints: readonly Constraint[]): number {
    if (constraints.length === 0 && this.packed !== null && isPackable(objective)) {
      return scanPacked(this.packed, objective.linear);
    }
    const { features } = this.held;
    let best = -1;
    let bestValue = Infinity;
    for (let offset = 0, state = 0; offset < features.length; offset += this.width, state++) {
      const value = objectiveValue(objective, features, offset);
      if (value < bestValue && meets(constraints, features, offset)) {
        best = state;
        bestValue = value;
      }
    }
    return best;
  }

  /** The best state of a problem; where no state meets all constraints, the one that violates them least (relax.ts). */
  decide({ objective, constraints }: Problem): number {
    const state = this.search(objective, constraints);
    if (state >= 0) return state;
    const met = relaxed(
      constraints,
      -1,
      (wanted, kept) => this.search(wanted, kept),
      (wanted, s) => objectiveValue(wanted, this.held.features, s * this.width),
    );
    return this.search(objective, met);
  }
}

function packed({ features, count }: HeldStates): Float64Array {
  const result = new Float64Array(count * packedWidth);
  for (let s = 0; s < count; s++) {
    const row = s * twoTiers.length;
    result.set(features.subarray(row, row + packedWidth), s * packedWidth);
  }
  return result;
}

function isPackable({ linear, stageWeight }: ObjectiveFunction): boolean {
  if (stageWeight !== 0) return false;
  for (let f = packedWidth; f < linear.length; f++) if (linear[f] !== 0) return false;
  return true;
}

function scanPacked(rows: Float64Array, linear: Float64Array): number {
  const end = linear[twoTiers.seconds]!;
  const edge = linear[twoTiers.seconds + 1]!;
  const hop = linear[twoTiers.hopUsed]!;
  const up = linear[twoTiers.bytesUp]!;
  const down = linear[twoTiers.bytesDown]!;
  let best = Infinity;
  let bestOffset = 0;
  for (let i = 0; i < rows.length; i += packedWidth) {
    const cost =
      end * rows[i]! + edge * rows[i + 1]! + hop * rows[i + 2]! + up * rows[i + 3]! + down * rows[i + 4]!;
    if (cost < best) {
      best = cost;
      bestOffset = i;
    }
  }
  return bestOffset / packedWidth;
}

function meets(constraints: readonly Constraint[], features: Float64Array, offset: number): boolean {
  for (let c = 0; c < constraints.length; c++) {
    if (weightedSum(constraints[c]!.weights, features, offset) > constraints[c]!.limit) return false;
  }
  return true;
}
