/**
 * GADS: graph-based adaptive DNN surgery (CAS, IMWUT 5(3), 2021) over the partition state graph, made exact.
 *
 * Problem. Minimise an objective (a weighted sum of features, or with the largest of several) over the held
 * states, subject to bounds on such sums. Algorithm, in three steps, each of which may prove the answer:
 * (1) the neighbour effect gives the incumbent: when the context moves a little, the present state is the best one
 * still, or nearly. (2) An objective that prices only seconds, hops and bytes is least, without bounds, in one of the
 * few support states (supportStates.ts). They are scanned: where the least meets all bounds, or is no better than
 * the incumbent, that is the answer. (3) Else branch and bound proves that nothing is better than the incumbent, or finds
 * it: of three tiers over the two nested cuts that a state is made of (nestedSearch.ts), which under bounds takes the place of
 * (2) too; of two tiers, and of what that cannot tell, over the bound tree of all states. The incumbent is only a first
 * bound; the answer never depends on it. Ties keep the state found first, so the present state wins against equals.
 *
 * Complexity: O(support states), some ten, where no bound keeps the least of them out; else O(states) at worst, in practice some
 * tens of nodes; no allocation while it searches. Source of the incumbent: the abstract of CAS; of the bound: Land and
 * Doig, Econometrica 28(3), 1960, with the k-d tree's boxes as subproblems. Rejected: nearest-neighbour search in the
 * k-d tree by context distance, which is not exact; walking on from the present state to better neighbours before the
 * proof, which looked at more states than it spared (the first dive into the tree finds as good a bound).
 */
import { boundedColumns, noColumn } from './boundedColumns.js';
import { leafStart } from './boundTree.js';
import { NestedSearch, type Incumbent } from './nestedSearch.js';
import { objectiveValue } from './objective.js';
import type { Constraint, ObjectiveFunction, Problem } from './problem.js';
import { relaxed } from './relax.js';
import { SearchProblem } from './searchProblem.js';
import type { HeldStates } from './stateGraph.js';
import { leastOfThreeTiers, leastOfTwoTiers } from './supportScan.js';

/** Every so many searches under bounds the support states are tried again. */
const triedAgain = 4;

export class Gads implements Incumbent {
  /** States and tree nodes looked at since this was last set to 0. */
  visited = 0;

  private readonly stack: Int32Array;
  private readonly bounds: Float64Array;
  /** Of the rows last evaluated: two siblings, the states of a leaf, or one state. */
  private readonly values: Float64Array;
  private readonly problem: SearchProblem;
  /** Of the support states; null without them. At hand, since a search without bounds reads little else. */
  private readonly supportRows: Float64Array | null;
  private readonly supportStates: Int32Array;
  private readonly hasTwoTiers: boolean;
  /** Whether bounds kept out the last support state tried, and searches since that did not try one. */
  private wasKeptOut = false;
  private untried = 0;
  private best = -1;
  /** Value of the incumbent of the search that runs. */
  bestValue = Infinity;
  private readonly nested: NestedSearch | null;

  constructor(private readonly held: HeldStates) {
    const { leafCount } = held.tree;
    const depth = 2 * Math.ceil(Math.log2(leafCount) + 2);
    this.stack = new Int32Array(depth);
    this.bounds = new Float64Array(depth);
    this.values = new Float64Array(Math.max(2, Math.ceil(held.count / leafCount)));
    this.supportRows = held.support?.rows ?? null;
    this.supportStates = held.support?.states ?? new Int32Array(0);
    this.hasTwoTiers = held.layout.tierCount === 2;
    this.problem = new SearchProblem(held.layout, boundedColumns(held.layout).count);
    this.nested = held.nested === null ? null : new NestedSearch(held.nested, held.layout, this);
  }

  /** The value of an objective in a state. */
  valueOf(objective: ObjectiveFunction, state: number): number {
    return objectiveValue(objective, this.held.features, state * this.held.layout.length);
  }

  /**
   * The state with the least `objective` among those that meet all `constraints`; -1 where none does.
   * @param present where to start from, -1 for nowhere
   */
  search(objective: ObjectiveFunction, constraints: readonly Constraint[], present: number): number {
    const { supportRows } = this;
    const hasSupport = supportRows !== null && objective.stageWeight === 0 && objective.column === noColumn;
    if (hasSupport && constraints.length === 0) return this.leastSupport(supportRows, objective, present);
    this.best = -1;
    this.bestValue = Infinity;
    this.problem.pack(objective, constraints);
    if (present >= 0) this.readStates(present, present + 1);
    if (this.nested !== null) {
      if (this.proveNested(this.nested, objective, constraints, present)) return this.best;
    } else if (hasSupport && this.isWorthTrying() && this.trySupport(supportRows, objective.linear))
      return this.best;
    this.prove();
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
      present,
      (wanted, kept) => this.search(wanted, kept, present),
      (wanted, s) => this.valueOf(wanted, s),
    );
    return this.search(objective, met, present);
  }

  /** For the search over nested cuts: takes a state where it meets all bounds and is better. */
  tryState(state: number): void {
    this.readStates(state, state + 1);
  }

  private proveNested(
    nested: NestedSearch,
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    present: number,
  ): boolean {
    const isProven = nested.pack(objective, constraints) && nested.prove(present);
    this.visited += nested.visited;
    return isProven;
  }

  /** The optimum without bounds: the support state with the least sum, or `present` where that is no worse. */
  private leastSupport(rows: Float64Array, objective: ObjectiveFunction, present: number): number {
    const least = this.supportStates[this.scanSupport(rows, objective.linear)]!;
    if (present < 0 || least === present) return least;
    this.visited++;
    return this.isNoWorse(objective.linear, present, least) ? present : least;
  }

  /** The row of the support state with the least sum. */
  private scanSupport(rows: Float64Array, linear: Float64Array): number {
    this.visited += this.supportStates.length;
    return this.hasTwoTiers ? leastOfTwoTiers(rows, linear) : leastOfThreeTiers(rows, linear);
  }

  /** Whether the sum of one state is at most that of another. Side by side: a sum that is returned is allocated. */
  private isNoWorse(linear: Float64Array, state: number, other: number): boolean {
    const { features } = this.held;
    const { length } = linear;
    let own = 0;
    let others = 0;
    for (let f = 0, a = state * length, b = other * length; f < length; f++) {
      own += linear[f]! * features[a + f]!;
      others += linear[f]! * features[b + f]!;
    }
    return own <= others;
  }

  /** Where bounds kept the best support state out before, they mostly do so again: then now and then only. */
  private isWorthTrying(): boolean {
    return !this.wasKeptOut || ++this.untried % triedAgain === 0;
  }

  /** True where the optimum without bounds meets them, or is no better than the incumbent: then that is `best`. */
  private trySupport(rows: Float64Array, linear: Float64Array): boolean {
    const row = this.scanSupport(rows, linear);
    const width = rows.length / this.supportStates.length;
    let sum = 0;
    for (let f = 0; f < width; f++) sum += linear[f]! * rows[row * width + f]!;
    this.wasKeptOut = false;
    if (sum >= this.bestValue) return true;
    const least = this.supportStates[row]!;
    this.readStates(least, least + 1);
    this.wasKeptOut = least !== this.best;
    return !this.wasKeptOut;
  }

  private prove(): void {
    const { stack, bounds, values, problem } = this;
    const { tree, nodeRows, count } = this.held;
    const { leafCount } = tree;
    stack[0] = 1;
    bounds[0] = -Infinity;
    for (let top = 1; top > 0;) {
      top--;
      // The incumbent may have improved since this node was put aside.
      if (bounds[top]! >= this.bestValue) continue;
      const node = stack[top]!;
      if (node >= leafCount) {
        const leaf = node - leafCount;
        this.readStates(leafStart(leaf, leafCount, count), leafStart(leaf + 1, leafCount, count));
        continue;
      }
      // No state below a node is better than its value: Infinity where none can meet the bounds or beat the incumbent.
      problem.evaluate(nodeRows, 2 * node, 2 * node + 2, values);
      this.visited += 2;
      const left = values[0]!;
      const right = values[1]!;
      // The more promising child goes on top: a better incumbent earlier prunes more.
      const leftFirst = left <= right;
      const later = leftFirst ? right : left;
      if (later < Infinity) {
        stack[top] = leftFirst ? 2 * node + 1 : 2 * node;
        bounds[top++] = later;
      }
      const sooner = leftFirst ? left : right;
      if (sooner < Infinity) {
        stack[top] = leftFirst ? 2 * node : 2 * node + 1;
        bounds[top++] = sooner;
      }
    }
  }

  /** Takes the best of the states `first` … `end` - 1 where it is better than the incumbent. */
  private readStates(first: number, end: number): void {
    const { values } = this;
    this.problem.evaluate(this.held.stateRows, first, end, values);
    this.visited += end - first;
    for (let state = first; state < end; state++) {
      const value = values[state - first]!;
      if (value < this.bestValue) {
        this.best = state;
        this.bestValue = value;
        this.problem.limit = value;
      }
    }
  }
}
