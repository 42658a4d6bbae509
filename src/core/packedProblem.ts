/**
 * A problem laid out for the inner loop of a search: only the weights that are not 0, in flat arrays that are filled
 * anew for each search and never allocated there. The sums are those of `weightedSum` to the last bit, since the
 * terms left out are zeros and the order is the same.
 */
import type { Constraint, ObjectiveFunction } from './problem.js';

/** A sum is the run of entries from its start to the next one's. */
export class PackedProblem {
  private linearEnd = 0;
  private stageWeight = 0;
  private stageCount = 0;
  /** Whether each stage is one feature at most, as all stages of a pipeline are. */
  private hasSingleStages = true;
  private constraintCount = 0;
  /** Where sum i ends: first the stages, then the constraints. */
  private ends: Int32Array;
  private readonly limits: Float64Array;
  /** Constraints on one feature alone, which most are: feature, weight, limit. */
  private singleCount = 0;
  private readonly singleIndices: Int32Array;
  private readonly singleWeights: Float64Array;
  private readonly singleLimits: Float64Array;
  private indices: Int32Array;
  private weights: Float64Array;

  /** @param width features of a state; at most `maxSums` stages and constraints together */
  constructor(
    private readonly width: number,
    private readonly maxSums: number,
  ) {
    this.ends = new Int32Array(maxSums);
    this.limits = new Float64Array(maxSums);
    this.singleIndices = new Int32Array(maxSums);
    this.singleWeights = new Float64Array(maxSums);
    this.singleLimits = new Float64Array(maxSums);
    this.indices = new Int32Array((maxSums + 1) * width);
    this.weights = new Float64Array((maxSums + 1) * width);
  }

  /** @throws RangeError where there are more sums than there is room for */
  pack(objective: ObjectiveFunction, constraints: readonly Constraint[]): void {
    const stageCount = objective.stageWeight > 0 ? objective.stages.length : 0;
    if (stageCount + constraints.length > this.maxSums) {
      throw new RangeError(
        `${stageCount + constraints.length} stages and constraints, at most ${this.maxSums}`,
      );
    }
    let end = this.append(objective.linear, 0);
    this.linearEnd = end;
    this.stageWeight = objective.stageWeight;
    this.stageCount = stageCount;
    this.hasSingleStages = true;
    for (let s = 0; s < stageCount; s++) {
      const after = this.append(objective.stages[s]!, end);
      if (after > end + 1) this.hasSingleStages = false;
      this.ends[s] = end = after;
    }
    this.constraintCount = 0;
    this.singleCount = 0;
    for (let c = 0; c < constraints.length; c++) {
      const { weights, limit } = constraints[c]!;
      const after = this.append(weights, end);
      if (after === end + 1) {
        this.singleIndices[this.singleCount] = this.indices[end]!;
        this.singleWeights[this.singleCount] = this.weights[end]!;
        this.singleLimits[this.singleCount++] = limit;
        continue;
      }
      this.ends[stageCount + this.constraintCount] = end = after;
      this.limits[this.constraintCount++] = limit;
    }
  }

  /** The objective at a row of features. */
  value(rows: Float64Array, offset: number): number {
    const linear = this.sum(0, this.linearEnd, rows, offset);
    if (this.stageCount === 0) return linear;
    let slowest = 0;
    if (this.hasSingleStages) {
      const { indices, weights } = this;
      for (let k = this.linearEnd, end = this.ends[this.stageCount - 1]!; k < end; k++) {
        const seconds = weights[k]! * rows[offset + indices[k]!]!;
        if (seconds > slowest) slowest = seconds;
      }
      return linear + this.stageWeight * slowest;
    }
    for (let s = 0, start = this.linearEnd; s < this.stageCount; start = this.ends[s++]!) {
      const seconds = this.sum(start, this.ends[s]!, rows, offset);
      if (seconds > slowest) slowest = seconds;
    }
    return linear + this.stageWeight * slowest;
  }

  /** True where a row of features meets every constraint. */
  meets(rows: Float64Array, offset: number): boolean {
    const { singleIndices, singleWeights, singleLimits } = this;
    for (let c = 0; c < this.singleCount; c++) {
      if (singleWeights[c]! * rows[offset + singleIndices[c]!]! > singleLimits[c]!) return false;
    }
    let start = this.stageCount === 0 ? this.linearEnd : this.ends[this.stageCount - 1]!;
    for (let c = 0; c < this.constraintCount; c++) {
      const end = this.ends[this.stageCount + c]!;
      if (this.sum(start, end, rows, offset) > this.limits[c]!) return false;
      start = end;
    }
    return true;
  }

  private sum(start: number, end: number, rows: Float64Array, offset: number): number {
    const { indices, weights } = this;
    let sum = 0;
    for (let k = start; k < end; k++) sum += weights[k]! * rows[offset + indices[k]!]!;
    return sum;
  }

  private append(dense: Float64Array, start: number): number {
    let end = start;
    for (let i = 0; i < this.width; i++) {
      const weight = dense[i]!;
      if (weight === 0) continue;
      this.indices[end] = i;
      this.weights[end++] = weight;
    }
    return end;
  }
}
