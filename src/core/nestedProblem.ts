/**
 * A problem over nested cuts (nestedCuts.ts): what each cut costs (cutCosts.ts), and the bounds that both cuts share. Filled anew
 * for each search, nothing allocated.
 */
import { boundedColumns, noColumn, type BoundedColumns } from './boundedColumns.js';
import { CutCosts } from './cutCosts.js';
import type { FeatureLayout } from './features.js';
import { cutFigures, type NestedCuts } from './nestedCuts.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import { maxSums } from './searchProblem.js';

/** Sums over two cuts differ from those over their state by about this share. */
export const rounding = 1e-12;
const width = cutFigures.count;

export class NestedProblem {
  readonly lower: CutCosts;
  readonly upper: CutCosts;
  stageWeight = 0;
  /** What a second on the edge adds to its stage. */
  edgeStage = 0;
  /** What both parts of the sum count. */
  shared = 0;
  private edgeWeightLimit = Infinity;
  private hasEdgeLimit = false;
  private edgeMemoryLimit = Infinity;
  /** Of each bounded sum: the limit, and what both parts count. */
  private readonly sumLimits = new Float64Array(maxSums);
  private readonly sumShared = new Float64Array(maxSums);
  private readonly columns: BoundedColumns;
  /** By bounded column, the figure of a cut of that hop that it is; -1 for none. */
  private readonly lowerFigures: Int8Array;
  private readonly upperFigures: Int8Array;

  constructor(
    private readonly cuts: NestedCuts,
    private readonly layout: FeatureLayout,
  ) {
    this.columns = boundedColumns(layout);
    [this.lowerFigures, this.upperFigures] = figuresOf(this.columns);
    this.lower = new CutCosts(cuts.lower);
    this.upper = new CutCosts(cuts.upper);
  }

  /** False where the objective is one of the edge alone: then this search knows nothing. */
  pack(objective: ObjectiveFunction, constraints: readonly Constraint[]): boolean {
    this.edgeStage = 0;
    this.shared = 0;
    this.edgeWeightLimit = Infinity;
    this.edgeMemoryLimit = Infinity;
    const { lower, upper } = this;
    const { stageWeight, column } = objective;
    this.stageWeight = stageWeight;
    lower.start();
    upper.start();
    lower.stageWeight = stageWeight;
    upper.stageWeight = stageWeight;
    for (let c = 0; c < constraints.length; c++) this.bound(constraints[c]!);
    this.hasEdgeLimit = this.edgeWeightLimit < Infinity;
    if (column === noColumn) return this.price(objective);
    const lowerFigure = this.lowerFigures[column]!;
    if (lowerFigure >= 0) lower.weights[lowerFigure] = 1;
    const upperFigure = this.upperFigures[column]!;
    if (upperFigure >= 0) upper.weights[upperFigure] = 1;
    return lowerFigure >= 0 || upperFigure >= 0;
  }

  /** What is not asked of cuts (accuracy) is asked of each state that is tried, as all bounds are. */
  private bound({ column, weights, limit }: Constraint): void {
    const { lower, upper, columns } = this;
    if (column === noColumn) {
      const k = lower.partCount++;
      upper.partCount++;
      this.read(weights, lower.partWeights[k]!, 0);
      this.read(weights, upper.partWeights[k]!, 1);
      const shared = weights[this.layout.seconds + 1]! * this.cuts.edgeSeconds;
      this.sumShared[k] = shared;
      this.sumLimits[k] = limit + rounding * (limit + shared);
      return;
    }
    const lowerFigure = this.lowerFigures[column]!;
    if (lowerFigure >= 0 && limit < lower.limits[lowerFigure]!) lower.limits[lowerFigure] = limit;
    const upperFigure = this.upperFigures[column]!;
    if (upperFigure >= 0 && limit < upper.limits[upperFigure]!) upper.limits[upperFigure] = limit;
    if (column === columns.weights + 1 && limit < this.edgeWeightLimit) this.edgeWeightLimit = limit;
    if (column !== columns.memory + 1) return;
    if (limit < this.edgeMemoryLimit) this.edgeMemoryLimit = limit;
    // memory is weights and a working set
    if (limit < this.edgeWeightLimit) this.edgeWeightLimit = limit;
  }

  /** Weights of priced features as those of one cut's figures. */
  private read(weights: Float64Array, to: Float64Array, hop: 0 | 1): void {
    const { layout } = this;
    to[cutFigures.ownSeconds] = weights[layout.seconds + 2 * hop]!;
    to[cutFigures.edgeSeconds] = weights[layout.seconds + 1]!;
    to[cutFigures.hopUsed] = weights[layout.hopUsed + hop]!;
    to[cutFigures.bytesUp] = weights[layout.bytesUp + hop]!;
    to[cutFigures.bytesDown] = weights[layout.bytesDown + hop]!;
  }

  private price({ linear, stages, stageWeight }: ObjectiveFunction): true {
    const { lower, upper, layout } = this;
    this.shared = linear[layout.seconds + 1]! * this.cuts.edgeSeconds;
    this.read(linear, lower.weights, 0);
    this.read(linear, upper.weights, 1);
    if (stageWeight === 0) return true;
    this.edgeStage = stages[layout.seconds + 1]!;
    this.read(stages, lower.stageWeights, 0);
    this.read(stages, upper.stageWeights, 1);
    return true;
  }

  /** False where no pair below the two nodes is nested and meets the bounds on both cuts together. */
  mayMeet(a: number, b: number): boolean {
    const { hasEdgeLimit } = this;
    const { words, lower, upper, edgeWeights } = this.cuts;
    // bytes of weights that all pairs leave to the edge
    let held = 0;
    if (hasEdgeLimit) {
      const figure = cutFigures.edgeWeights;
      held = lower.nodes[a * width + figure]! + upper.nodes[b * width + figure]! - edgeWeights;
      if (held > this.edgeWeightLimit) return false;
    }
    let onEdge = 0;
    for (let w = 0, i = a * words, j = b * words; w < words; w++) {
      if ((lower.inAll[i + w]! & ~upper.inAny[j + w]!) !== 0) return false;
      onEdge |= upper.inAll[j + w]! & ~lower.inAny[i + w]!;
    }
    if (hasEdgeLimit && onEdge !== 0 && !this.mayFit(a, b, held)) return false;
    for (let k = 0; k < this.lower.partCount; k++) {
      const sum = this.lower.parts[k]![a]! + this.upper.parts[k]![b]! - this.sumShared[k]!;
      if (sum > this.sumLimits[k]!) return false;
    }
    return true;
  }

  /** False where all pairs below the two nodes leave to the edge a layer whose working set is too large beside `held` bytes. */
  private mayFit(a: number, b: number, held: number): boolean {
    const { words, lower, upper, workingBytes, heavyLayers } = this.cuts;
    const bytes = this.edgeMemoryLimit - (held > 0 ? held : 0);
    if (bytes >= workingBytes[workingBytes.length - 1]!) return true;
    const i = a * words;
    const j = b * words;
    let low = 0;
    let high = workingBytes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (workingBytes[middle]! > bytes) high = middle;
      else low = middle + 1;
    }
    for (let w = 0; w < words; w++) {
      const alone = upper.inAll[j + w]! & ~lower.inAny[i + w]!;
      if ((alone & heavyLayers[low * words + w]!) !== 0) return false;
    }
    return true;
  }
}

/** By column, for both hops. */
function figuresOf(columns: BoundedColumns): [Int8Array, Int8Array] {
  const lower = new Int8Array(columns.count).fill(-1);
  const upper = new Int8Array(columns.count).fill(-1);
  lower[columns.weights] = cutFigures.weights;
  lower[columns.memory] = cutFigures.memory;
  lower[columns.exposure] = cutFigures.exposure;
  lower[columns.bytesSent] = cutFigures.bytesUp;
  lower[columns.hopUsed] = cutFigures.hopUsed;
  upper[columns.weights + 2] = cutFigures.weights;
  upper[columns.memory + 2] = cutFigures.memory;
  upper[columns.hopUsed + 1] = cutFigures.hopUsed;
  return [lower, upper];
}
