/**
 * Search over the states of three tiers by their two cuts (nestedCuts.ts).
 *
 * Problem. The state with the least objective among those that meet all bounds, if it is better than the incumbent.
 * Algorithm: the best cut of each hop alone, under the bounds that are on it alone, is a problem of two tiers over some
 * hundred cuts, begun at the cut of the present state. Where these two are nested and their state meets the bounds on
 * both, it is the optimum: no pair is better than the best of each. Else branch and bound over pairs of nodes, one of the
 * tree of each hop. A pair of nodes holds no better state where the sum of their minima, neither taken below the best of
 * its hop, is not below the incumbent (a minimum rises to the least of the children once these are costed); none that
 * meets the bounds where a minimum breaks one, where a layer that all its lower cuts hold back is in none of its upper
 * cuts (not nested), or where what all of them leave to the edge is too much for it. Complexity: O(cuts of both hops)
 * mostly, O(states) at worst. (Own derivation.) Rejected: a tree over the states alone, whose boxes mix good states with
 * those that meet the bounds, and which lies in main memory; going through the cuts of one hop, and for each those of the
 * other, which looks at too many where the edge is of no use; a price (Lagrange multiplier) on what the edge holds, which
 * halves the gap at the root and nowhere else.
 *
 * With a bottleneck the objective is sum + weight * slowest stage: for each hop the least of that is found too, and takes the
 * place of the least sum of one hop at a time.
 *
 * Rounding. The two parts count the edge's seconds of all layers once too often, in the sum and in the edge's stage, which is
 * taken off again. Where that is so much larger than the optimum that rounding could hide a better state, nothing is said
 * to be proven.
 */
import { mostChildren, type CutCosts } from './cutCosts.js';
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
  /** Pairs of nodes put aside, and their bounds: each step down takes one and puts aside at most `mostChildren`. */
  private readonly stack: Int32Array;
  private readonly bounds: Float64Array;
  /** Bounds of siblings, each with a node of the other hop: as many as there are, what follows is of no meaning. */
  private readonly values = new Float64Array(mostChildren);

  constructor(
    private readonly cuts: NestedCuts,
    layout: FeatureLayout,
    private readonly incumbent: Incumbent,
  ) {
    this.problem = new NestedProblem(cuts, layout);
    const most = mostChildren * (this.problem.lower.steps + this.problem.upper.steps) + 1;
    this.stack = new Int32Array(2 * most);
    this.bounds = new Float64Array(most);
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

  /**
   * True where the incumbent is now proven to be the best of the packed problem, or that no state meets its bounds.
   * @param present a state to start from, -1 for nowhere: the best cut of a hop is mostly its cut still
   */
  prove(present: number): boolean {
    const { incumbent, cuts } = this;
    const { lower, upper, stageWeight, edgeStage, shared } = this.problem;
    const lowerStart = present < 0 ? 0 : cuts.lowerLeaf[present]!;
    const upperStart = present < 0 ? 0 : cuts.upperLeaf[present]!;
    upper.costRoot();
    upper.findLeast(false, upperStart);
    if (upper.best < 0) return true;
    lower.costRoot();
    lower.findLeast(false, lowerStart);
    if (lower.best < 0) return true;
    if (stageWeight > 0) {
      upper.findLeast(true, upperStart);
      lower.findLeast(true, lowerStart);
    }
    const bound = Math.max(lower.leastSum + upper.leastStaged, lower.leastStaged + upper.leastSum) - shared;
    if (bound < incumbent.bestValue) {
      this.tryBoth(lower.best, upper.best);
      if (incumbent.bestValue > bound * (1 + rounding)) this.branch();
    }
    const sharedStage = stageWeight * edgeStage * cuts.edgeSeconds;
    return Math.max(shared, sharedStage) <= largestShared * incumbent.bestValue;
  }

  private branch(): void {
    const { stack, bounds, values, incumbent } = this;
    const { lower, upper } = this.problem;
    const lowerLeaves = lower.side.leafCount;
    const upperLeaves = upper.side.leafCount;
    lower.raiseExpanded();
    upper.raiseExpanded();
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
      // That of the larger share of its tree is split; of equals the lower one, which looks at fewest pairs (measured).
      const isLower = a < lowerLeaves && (b >= upperLeaves || a * upperLeaves <= b * lowerLeaves);
      if (isLower) this.boundChildren(lower, upper, a, b);
      else this.boundChildren(upper, lower, b, a);
      const split = isLower ? lower : upper;
      const parent = isLower ? a : b;
      const first = split.firstChild(parent);
      const count = split.endOfChildren(parent) - first;
      let near = -1;
      let nearest = Infinity;
      for (let c = 0; c < count; c++) {
        if (values[c]! >= nearest) continue;
        near = c;
        nearest = values[c]!;
      }
      if (near < 0) continue;
      // The most promising child comes last, on top.
      for (let n = 1; n <= count; n++) {
        const c = (near + n) % count;
        if (values[c] === Infinity) continue;
        stack[2 * top] = isLower ? first + c : a;
        stack[2 * top + 1] = isLower ? b : first + c;
        bounds[top++] = values[c]!;
      }
    }
  }

  /**
   * To `values`, for each child of `node` of one hop: no state of a cut below it and one below `other` of the other hop is better
   * than this; Infinity where none meets the bounds and beats the incumbent.
   */
  private boundChildren(split: CutCosts, kept: CutCosts, node: number, other: number): void {
    const { values, problem } = this;
    const { shared, stageWeight } = problem;
    const isLower = split === problem.lower;
    const limit = this.incumbent.bestValue;
    split.expand(node);
    const first = split.firstChild(node);
    const count = split.endOfChildren(node) - first;
    this.pairs += count;
    const { sums, sumsOffEdge, leastSum } = split;
    const keptBest = this.leastBelow(kept, other) - shared;
    const keptOffEdge = kept.sumsOffEdge[other]!;
    for (let c = 0; c < count; c++) {
      const sum = sums[first + c]!;
      const together = (sum > leastSum ? sum : leastSum) + keptBest;
      // The edge's seconds are not below 0: no state is better than without any.
      const offEdge = sumsOffEdge[first + c]! + keptOffEdge;
      values[c] = offEdge > together ? offEdge : together;
    }
    if (stageWeight > 0) this.boundStages(split, kept, first, count, other);
    for (let c = 0; c < count; c++) {
      const child = first + c;
      const isHope =
        values[c]! < limit && (isLower ? problem.mayMeet(child, other) : problem.mayMeet(other, child));
      if (!isHope) values[c] = Infinity;
    }
  }

  /** Raises the bounds of `count` children from `first` on by what the slowest stage costs at least. */
  private boundStages(split: CutCosts, kept: CutCosts, first: number, count: number, other: number): void {
    const { values, problem } = this;
    const { shared, stageWeight, edgeStage } = problem;
    const limit = this.incumbent.bestValue;
    const { sums, stages, leastSum } = split;
    const { nodes } = split.side;
    const keptStage = kept.stages[other]!;
    const keptEdge = kept.side.nodes[other * width + cutFigures.edgeSeconds]! - this.cuts.edgeSeconds;
    // Either hop with its own stage, the other one without.
    const splitStaged = split.leastStaged + this.leastBelow(kept, other) - shared;
    const keptStaged = kept.leastStaged - shared;
    for (let c = 0; c < count; c++) {
      if (!(values[c]! < limit)) continue;
      const child = first + c;
      let stage = (nodes[child * width + cutFigures.edgeSeconds]! + keptEdge) * edgeStage;
      if (stages[child]! > stage) stage = stages[child]!;
      if (keptStage > stage) stage = keptStage;
      let value = values[c]! + stageWeight * stage;
      const sum = sums[child]!;
      const staged = (sum > leastSum ? sum : leastSum) + keptStaged;
      if (staged > value) value = staged;
      values[c] = splitStaged > value ? splitStaged : value;
    }
  }

  /** What no cut below a node is less than: never below the best of its hop. */
  private leastBelow(costs: CutCosts, node: number): number {
    const sum = costs.sums[node]!;
    return sum > costs.leastSum ? sum : costs.leastSum;
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
