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
import type { CutCosts } from './cutCosts.js';
import type { FeatureLayout } from './features.js';
import { cutFigures, type NestedCuts } from './nestedCuts.js';
import { NestedProblem, rounding } from './nestedProblem.js';
import type { Constraint, ObjectiveFunction } from './problem.js';

/** What is best so far. */
export interface Incumbent {
  readonly bestValue: number;
  /** Takes a state where it meets all bounds and is better. */
  tryState(state: number): void;
}

/** Doubles have 1e-16: what is this many times the optimum leaves 1e-11. */
const largestShared = 1e4;
const width = cutFigures.count;

export class NestedSearch {
  private readonly problem: NestedProblem;
  private pairs = 0;
  /** Pairs of nodes put aside, and their bounds. */
  private readonly stack: Int32Array;
  private readonly bounds: Float64Array;
  /** Bounds of two siblings, each with a node of the other hop. */
  private readonly values = new Float64Array(2);

  constructor(
    private readonly cuts: NestedCuts,
    layout: FeatureLayout,
    private readonly incumbent: Incumbent,
  ) {
    this.problem = new NestedProblem(cuts, layout);
    const depth = Math.ceil(Math.log2(cuts.lower.leafCount) + Math.log2(cuts.upper.leafCount)) + 2;
    this.stack = new Int32Array(2 * depth);
    this.bounds = new Float64Array(depth);
  }

  /** Cuts, nodes and pairs of nodes looked at for the packed problem. */
  get visited(): number {
    return this.problem.lower.visited + this.problem.upper.visited + this.pairs;
  }

  /** False where the objective is one of the edge alone: then this search knows nothing. */
  pack(objective: ObjectiveFunction, constraints: readonly Constraint[]): boolean {
    this.pairs = 0;
    return this.problem.pack(objective, constraints);
  }

  /** True where the incumbent is now proven to be the best of the packed problem, or that no state meets its bounds. */
  prove(): boolean {
    const { incumbent } = this;
    const { lower, upper, stageWeight, shared } = this.problem;
    upper.costRoot();
    upper.findLeast(false);
    if (upper.best < 0) return true;
    lower.costRoot();
    lower.findLeast(false);
    if (lower.best < 0) return true;
    if (stageWeight > 0) {
      upper.findLeast(true);
      lower.findLeast(true);
    }
    const bound = Math.max(lower.leastSum + upper.leastStaged, lower.leastStaged + upper.leastSum) - shared;
    if (bound < incumbent.bestValue) {
      this.tryBoth(lower.best, upper.best);
      if (incumbent.bestValue > bound * (1 + rounding)) this.branch();
    }
    return shared <= largestShared * incumbent.bestValue;
  }

  private branch(): void {
    const { stack, bounds, values, incumbent } = this;
    const { lower, upper } = this.problem;
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
      // The larger half is halved; the lower one a level ahead, which looks at fewest pairs (measured).
      const isLower = a < lowerLeaves && (b >= upperLeaves || a * upperLeaves <= 2 * b * lowerLeaves);
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
    const { values, problem } = this;
    const { shared, stageWeight, edgeStage, edgePrice } = problem;
    const { edgeSeconds } = this.cuts;
    const isLower = split === problem.lower;
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
      if (edge < 0) value = Math.max(value, sum + keptSum - shared - edge * edgePrice);
      if (stageWeight > 0) {
        const stage = Math.max(split.stages[child]!, kept.stages[other]!, edge * edgeStage);
        const staged = Math.max(least + kept.leastStaged, split.leastStaged + keptLeast) - shared;
        value = Math.max(value + stageWeight * stage, staged);
      }
      if (!(value < limit)) continue;
      if (isLower ? problem.mayMeet(child, other) : problem.mayMeet(other, child)) values[c] = value;
    }
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
