/**
 * GADS: graph-based adaptive DNN surgery (CAS, IMWUT 5(3), 2021) over the partition state graph, made exact.
 *
 * Problem. Minimise an objective (a weighted sum of features, or with the largest of several) over the held
 * states, subject to bounds on such sums. Algorithm, in two steps:
 * (1) the neighbour effect gives the incumbent: from the present state, walk to the best neighbour while that
 * improves; (2) branch and bound over the bound tree proves that nothing is better, or finds it. The walk is only
 * a heuristic for a good first bound; the answer never depends on it. Ties keep the state found first, so
 * the present state wins against equals.
 *
 * Complexity: O(states) at worst, in practice some tens of nodes; no allocation while it searches. Source of the
 * walk: the abstract of CAS; of the bound: Land and Doig, Econometrica 28(3), 1960, with the k-d tree's boxes
 * as subproblems. Rejected: nearest-neighbour search in the k-d tree by context distance, which is not exact.
 */
import { leafStart } from './boundTree.js';
import { objectiveValue } from './objective.js';
import { weightedSum } from './features.js';
import type { Constraint, ObjectiveFunction, Problem } from './problem.js';
import { relaxed } from './relax.js';
import type { HeldStates } from './stateGraph.js';

export class Gads {
  /** States and tree nodes looked at since this was last set to 0. */
  visited = 0;

  private readonly width: number;
  private readonly stack: Int32Array;
  private readonly bounds: Float64Array;
  private best = -1;
  private bestValue = Infinity;

  constructor(private readonly held: HeldStates) {
    this.width = held.features.length / held.count;
    const depth = 2 * Math.ceil(Math.log2(held.tree.leafCount) + 2);
    this.stack = new Int32Array(depth);
    this.bounds = new Float64Array(depth);
  }

  /** The value of an objective in a state. */
  valueOf(objective: ObjectiveFunction, state: number): number {
    return objectiveValue(objective, this.held.features, state * this.width);
  }

  /**
   * The state with the least `objective` among those that meet all `constraints`; -1 where none does.
   * @param present where to start from, -1 for nowhere
   */
  search(objective: ObjectiveFunction, constraints: readonly Constraint[], present: number): number {
    this.best = -1;
    this.bestValue = Infinity;
    if (present >= 0) this.walk(objective, constraints, present);
    this.prove(objective, constraints);
    return this.best;
  }

  /**
   * The best state of a problem: that of `search`, or, where no state meets all constraints, the one that
   * violates them least (relax.ts).
   */
  decide({ objective, constraints }: Pick<Problem, 'objective' | 'constraints'>, present: number): number {
    const state = this.search(objective, constraints, present);
    if (state >= 0) return state;
    const met = relaxed(
      constraints,
      (wanted, kept) => this.search(wanted, kept, present),
      (wanted, s) => this.valueOf(wanted, s),
    );
    return this.search(objective, met, present);
  }

  /** The neighbour effect: steepest descent over the edges of the partition state graph, among states that meet the constraints. */
  private walk(objective: ObjectiveFunction, constraints: readonly Constraint[], start: number): void {
    const { neighbourStart, neighbours } = this.held;
    this.visited++;
    if (!this.meets(constraints, this.held.features, start)) return;
    this.best = start;
    this.bestValue = this.valueOf(objective, start);
    for (let here = -1; here !== this.best;) {
      here = this.best;
      for (let i = neighbourStart[here]!; i < neighbourStart[here + 1]!; i++) {
        this.tryState(objective, constraints, neighbours[i]!);
      }
    }
  }

  private prove(objective: ObjectiveFunction, constraints: readonly Constraint[]): void {
    const { tree } = this.held;
    const { stack, bounds } = this;
    let top = 0;
    stack[0] = 1;
    bounds[0] = this.boundOf(objective, constraints, 1);
    top = 1;
    while (top > 0) {
      top--;
      // The incumbent may have improved since this node was put aside.
      if (bounds[top]! >= this.bestValue) continue;
      const node = stack[top]!;
      if (node >= tree.leafCount) {
        this.readLeaf(objective, constraints, node - tree.leafCount);
        continue;
      }
      const left = this.boundOf(objective, constraints, 2 * node);
      const right = this.boundOf(objective, constraints, 2 * node + 1);
      // The more promising child goes on top: a better incumbent earlier prunes more.
      const leftFirst = left <= right;
      const later = leftFirst ? right : left;
      if (later < this.bestValue) {
        stack[top] = leftFirst ? 2 * node + 1 : 2 * node;
        bounds[top++] = later;
      }
      const sooner = leftFirst ? left : right;
      if (sooner < this.bestValue) {
        stack[top] = leftFirst ? 2 * node : 2 * node + 1;
        bounds[top++] = sooner;
      }
    }
  }

  /** No state below `node` is better than this; Infinity where none can meet the constraints. */
  private boundOf(objective: ObjectiveFunction, constraints: readonly Constraint[], node: number): number {
    const { corners } = this.held.tree;
    const offset = node * this.width;
    this.visited++;
    const value = objectiveValue(objective, corners, offset);
    if (value >= this.bestValue) return Infinity;
    return this.meetsAt(constraints, corners, offset) ? value : Infinity;
  }

  private readLeaf(objective: ObjectiveFunction, constraints: readonly Constraint[], leaf: number): void {
    const { tree, count } = this.held;
    const end = leafStart(leaf + 1, tree.leafCount, count);
    for (let state = leafStart(leaf, tree.leafCount, count); state < end; state++) {
      this.tryState(objective, constraints, state);
    }
  }

  private tryState(objective: ObjectiveFunction, constraints: readonly Constraint[], state: number): void {
    this.visited++;
    const value = objectiveValue(objective, this.held.features, state * this.width);
    if (value < this.bestValue && this.meets(constraints, this.held.features, state)) {
      this.best = state;
      this.bestValue = value;
    }
  }

  private meets(constraints: readonly Constraint[], features: Float64Array, state: number): boolean {
    return this.meetsAt(constraints, features, state * this.width);
  }

  private meetsAt(constraints: readonly Constraint[], rows: Float64Array, offset: number): boolean {
    for (let c = 0; c < constraints.length; c++) {
      const { weights, limit } = constraints[c]!;
      if (weightedSum(weights, rows, offset) > limit) return false;
    }
    return true;
  }
}
