/**
 * Search over the states of three tiers by their two cuts (nestedCuts.ts).
 *
 * Problem. The state with the least objective among those that meet all bounds, if it is better than the incumbent.
 * Algorithm: the best cut of each hop alone, under the bounds that are on it alone, is a problem of two tiers over some
 * hundred cuts. Where these two are nested and their state meets the bounds on both, it is the optimum: no pair is better
 * than the best of each. Else branch and bound over pairs of nodes, one of the tree of each hop. A pair of nodes holds
 * no better state where the sum of their minima, neither taken below the best of its hop, is not below the incumbent;
 * none that meets the bounds where a minimum breaks one, where a layer that all its lower cuts hold back is in none
 * of its upper cuts (not nested), or where a layer that all of them leave to the edge is larger than its memory. Complexity:
 * O(cuts of both hops) mostly, O(states) at worst. (Own derivation.) Rejected: a tree over the states alone, whose boxes
 * mix good states with those that meet the bounds, and which lies in main memory; going through the cuts of one
 * hop, and for each those of the other, which looks at too many where the edge is of no use.
 *
 * With a bottleneck the objective is sum + weight * slowest stage: for each hop the least of that is found too, and takes the
 * place of the least sum of one hop at a time.
 *
 * Rounding. The two parts count the edge's seconds of all layers once too often, which is taken off again. Where that is
 * so much larger than the optimum that rounding could hide a better state, nothing is said to be proven.
 */
import { boundedColumns, noColumn, type BoundedColumns } from './boundedColumns.js';
import { CutCosts } from './cutCosts.js';
import type { FeatureLayout } from './features.js';
import { cutFigures, type NestedCuts } from './nestedCuts.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import { maxSums } from './searchProblem.js';

/** What is best so far. */
export interface Incumbent {
  readonly bestValue: number;
  /** Takes a state where it meets all bounds and is better. */
  tryState(state: number): void;
}

/** Doubles have 1e-16: what is this many times the optimum leaves 1e-11. */
const largestShared = 1e4;
/** Sums over two cuts differ from those over their state by about this share. */
const rounding = 1e-12;
const width = cutFigures.count;

export class NestedSearch {
  private readonly lower: CutCosts;
  private readonly upper: CutCosts;
  private readonly columns: BoundedColumns;
  private pairs = 0;
  private stageWeight = 0;
  /** What a second on the edge adds to the sum, and to its stage. */
  private edgePrice = 0;
  private edgeStage = 0;
  /** What both parts count. */
  private shared = 0;
  private edgeWeightLimit = Infinity;
  private edgeMemoryLimit = Infinity;
  /** Of each bounded sum: the limit, and what both parts count. */
  private readonly sumLimits = new Float64Array(maxSums);
  private readonly sumShared = new Float64Array(maxSums);
  /** Pairs of nodes put aside, and their bounds. */
  private readonly stack: Int32Array;
  private readonly bounds: Float64Array;
  /** Bounds of two siblings, each with a node of the other hop. */
  private readonly values = new Float64Array(2);
  /** By bounded column, the figure of a cut of that hop that it is; -1 for none. */
  private readonly lowerFigures: Int8Array;
  private readonly upperFigures: Int8Array;

  constructor(
    private readonly cuts: NestedCuts,
    private readonly layout: FeatureLayout,
    private readonly incumbent: Incumbent,
  ) {
    this.columns = boundedColumns(layout);
    [this.lowerFigures, this.upperFigures] = figuresOf(this.columns);
    this.lower = new CutCosts(cuts.lower);
    this.upper = new CutCosts(cuts.upper);
    const depth = Math.ceil(Math.log2(cuts.lower.leafCount) + Math.log2(cuts.upper.leafCount)) + 2;
    this.stack = new Int32Array(2 * depth);
    this.bounds = new Float64Array(depth);
  }

  /** Cuts, nodes and pairs of nodes looked at for the packed problem. */
  get visited(): number {
    return this.lower.visited + this.upper.visited + this.pairs;
  }

  /** False where the objective is one of the edge alone: then this search knows nothing. */
  pack(objective: ObjectiveFunction, constraints: readonly Constraint[]): boolean {
    this.pairs = 0;
    this.edgePrice = 0;
    this.edgeStage = 0;
    this.shared = 0;
    this.edgeWeightLimit = Infinity;
    this.edgeMemoryLimit = Infinity;
    const { lower, upper } = this;
    const { stageWeight, column } = objective;
    this.stageWeight = stageWeight;
    lower.start(stageWeight > 0);
    upper.start(stageWeight > 0);
    for (let c = 0; c < constraints.length; c++) this.bound(constraints[c]!);
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
    if (column === columns.memory + 1 && limit < this.edgeMemoryLimit) this.edgeMemoryLimit = limit;
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
    this.edgePrice = linear[layout.seconds + 1]!;
    this.shared = this.edgePrice * this.cuts.edgeSeconds;
    this.read(linear, lower.weights, 0);
    this.read(linear, upper.weights, 1);
    if (stageWeight === 0) return true;
    this.edgeStage = stages[layout.seconds + 1]!;
    this.read(stages, lower.stageWeights, 0);
    this.read(stages, upper.stageWeights, 1);
    return true;
  }

  /** True where the incumbent is now proven to be the best of the packed problem, or that no state meets its bounds. */
  prove(): boolean {
    const { lower, upper, incumbent, stageWeight, shared } = this;
    upper.costRoot();
    upper.findLeast(0);
    if (upper.best < 0) return true;
    lower.costRoot();
    lower.findLeast(0);
    if (lower.best < 0) return true;
    if (stageWeight > 0) {
      upper.findLeast(stageWeight);
      lower.findLeast(stageWeight);
    }
    const bound = Math.max(lower.leastSum + upper.leastStaged, lower.leastStaged + upper.leastSum) - shared;
    if (bound < incumbent.bestValue) {
      this.tryBoth(lower.best, upper.best);
      if (incumbent.bestValue > bound * (1 + rounding)) this.branch();
    }
    return shared <= largestShared * incumbent.bestValue;
  }

  private branch(): void {
    const { stack, bounds, values, lower, upper, incumbent } = this;
    const lowerLeaves = lower.side.leafCount;
    const upperLeaves = upper.side.leafCount;
    stack[0] = 1;
    stack[1] = 1;
    bounds[0] = -Infinity;
    for (let top = 1; top > 0;) {
      top--;
      if (bounds[top]! >= incumbent.bestValue) continue;
      const a = stack[2 * top]!;
      const b = stack[2 * top + 1]!;
      if (a >= lowerLeaves && b >= upperLeaves) {
        this.tryPair(lower.cutOf(a), upper.cutOf(b));
        continue;
      }
      // The larger half is halved.
      const isLower = a < lowerLeaves && (b >= upperLeaves || a * upperLeaves <= b * lowerLeaves);
      if (isLower) this.boundChildren(lower, upper, a, b);
      else this.boundChildren(upper, lower, b, a);
      const child = 2 * (isLower ? a : b);
      const left = values[0]!;
      const right = values[1]!;
      // The more promising child goes on top.
      const near = left <= right ? child : child + 1;
      const later = Math.max(left, right);
      if (later < Infinity) {
        stack[2 * top] = isLower ? near ^ 1 : a;
        stack[2 * top + 1] = isLower ? b : near ^ 1;
        bounds[top++] = later;
      }
      const sooner = Math.min(left, right);
      if (sooner < Infinity) {
        stack[2 * top] = isLower ? near : a;
        stack[2 * top + 1] = isLower ? b : near;
        bounds[top++] = sooner;
      }
    }
  }

  /**
   * To `values`, for each child of `node` of one hop: no state of a cut below it and one below `other` of the other hop is better
   * than this; Infinity where none meets the bounds and beats the incumbent.
   */
  private boundChildren(split: CutCosts, kept: CutCosts, node: number, other: number): void {
    const { values, shared, stageWeight, edgeStage } = this;
    const { edgeSeconds } = this.cuts;
    const limit = this.incumbent.bestValue;
    split.costChildren(node);
    this.pairs += 2;
    const keptSum = kept.sums[other]!;
    const keptLeast = Math.max(keptSum, kept.leastSum);
    const keptEdge = kept.side.nodes[other * width + cutFigures.edgeSeconds]! - edgeSeconds;
    for (let c = 0; c < 2; c++) {
      const child = 2 * node + c;
      values[c] = Infinity;
      const sum = split.sums[child]!;
      if (sum === Infinity) continue;
      const least = Math.max(sum, split.leastSum);
      const edge = split.side.nodes[child * width + cutFigures.edgeSeconds]! + keptEdge;
      let value = least + keptLeast - shared;
      // The edge's seconds are not below 0.
      if (edge < 0) value = Math.max(value, sum + keptSum - shared - edge * this.edgePrice);
      if (stageWeight > 0) {
        const stage = Math.max(split.stages[child]!, kept.stages[other]!, edge * edgeStage);
        const staged = Math.max(least + kept.leastStaged, split.leastStaged + keptLeast) - shared;
        value = Math.max(value + stageWeight * stage, staged);
      }
      if (value < limit && (split === this.lower ? this.mayMeet(child, other) : this.mayMeet(other, child)))
        values[c] = value;
    }
  }

  /** False where no pair below the two nodes is nested and meets the bounds on both cuts together. */
  private mayMeet(a: number, b: number): boolean {
    const { words, lower, upper } = this.cuts;
    const { inAll } = lower;
    const { inAny } = upper;
    for (let w = 0, i = a * words, j = b * words; w < words; w++) {
      if ((inAll[i + w]! & ~inAny[j + w]!) !== 0) return false;
    }
    if (this.edgeMemoryLimit < Infinity || this.edgeWeightLimit < Infinity) {
      if (!this.mayFit(a, b)) return false;
    }
    for (let k = 0; k < this.lower.partCount; k++) {
      const sum = this.lower.parts[k]![a]! + this.upper.parts[k]![b]! - this.sumShared[k]!;
      if (sum > this.sumLimits[k]!) return false;
    }
    return true;
  }

  /** False where all pairs below the two nodes leave to the edge weights, or a layer with its working set, that are too large for it. */
  private mayFit(a: number, b: number): boolean {
    const { words, lower, upper, edgeWeights, workingBytes, heavyLayers } = this.cuts;
    const figure = cutFigures.edgeWeights;
    const held = Math.max(
      0,
      lower.nodes[a * width + figure]! + upper.nodes[b * width + figure]! - edgeWeights,
    );
    if (held > this.edgeWeightLimit) return false;
    const bytes = this.edgeMemoryLimit - held;
    let low = 0;
    let high = workingBytes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (workingBytes[middle]! > bytes) high = middle;
      else low = middle + 1;
    }
    if (low === workingBytes.length) return true;
    for (let w = 0; w < words; w++) {
      const onEdge = upper.inAll[b * words + w]! & ~lower.inAny[a * words + w]!;
      if ((onEdge & heavyLayers[low * words + w]!) !== 0) return false;
    }
    return true;
  }

  /** The two together; where that is no answer, and there is none yet, each alone, with nothing on the edge. */
  private tryBoth(lower: number, upper: number): void {
    this.tryPair(lower, upper);
    if (this.incumbent.bestValue < Infinity) return;
    this.tryPair(lower, this.cuts.upperOf[lower]!);
    this.tryPair(this.cuts.lowerOf[upper]!, upper);
  }

  private tryPair(lower: number, upper: number): void {
    const { start, uppers, states } = this.cuts;
    let low = start[lower]!;
    let high = start[lower + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (uppers[middle]! < upper) low = middle + 1;
      else high = middle;
    }
    if (uppers[low] === upper) this.incumbent.tryState(states[low]!);
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
