/**
 * The states that can be best for a weighted sum without bounds: vertices of the lower convex hull.
 *
 * Problem. Which states have the least weighted sum for some weights >= 0 of the priced features (seconds, hops,
 * bytes: what a latency or an energy weighs)? Mostly some ten of thousands, so that to scan these few is a search, exact
 * and complete. A point is beaten for all weights exactly when a convex combination of states is no larger in any
 * feature. Algorithm: go down the bound tree and ask of each node whether a combination of the support states found so
 * far is no larger than its corner; then all below is beaten. Else a state below may be new: the weights for which the
 * point wins against all that were found (the dual of the same linear program) are searched for their best
 * state, which is one more support state. At the end those that the others beat are taken out again.
 *
 * The linear program is a matrix game of features against states, solved by the simplex method on a small dense
 * tableau. A combination counts only when its sums, calculated anew, are no larger than the point up to rounding
 * (1e-12 of each feature); where the program fails to show that, the state is kept: one too many costs nanoseconds,
 * one too few would be a wrong answer. Complexity: a program of (features x support states) per visited node, and one
 * search per support state. Source: Clarkson, FOCS 1994 (output-sensitive extreme points). Rejected: a full convex
 * hull in 5 or 9 dimensions, whose facets are many more than its vertices.
 */
import { leafStart, type BoundTree } from './boundTree.js';
import { weightedSum } from './features.js';

export interface SupportStates {
  /** Rows of the priced features of the support states. */
  readonly rows: Float64Array;
  /** The held state of each row. */
  readonly states: Int32Array;
}

/** More than this are not worth scanning, and the tree alone has to do. */
const maxSupport = 256;
/** Sums of doubles may differ by this share of their size. */
const rounding = 1e-12;
/** Shares of a combination that are rounding residue. */
const residue = 1e-13;

/**
 * @param features rows of `width`, placed as `tree` has them
 * @param priced the first so many features are those of the sums
 * @returns null where there are more support states than are worth scanning
 */
export function supportStates(
  features: Float64Array,
  width: number,
  tree: BoundTree,
  priced: number,
): SupportStates | null {
  const finder = new SupportFinder(features, width, tree, priced);
  return finder.find() ? finder.result() : null;
}

class SupportFinder {
  private readonly count: number;
  private readonly scale: Float64Array;
  private found: number[] = [];
  private readonly isFound: Uint8Array;
  private readonly game: CombinationGame;

  constructor(
    private readonly features: Float64Array,
    private readonly width: number,
    private readonly tree: BoundTree,
    private readonly priced: number,
  ) {
    this.count = features.length / width;
    this.isFound = new Uint8Array(this.count);
    this.scale = new Float64Array(priced);
    for (let s = 0; s < this.count; s++) {
      for (let f = 0; f < priced; f++) this.scale[f] = Math.max(this.scale[f]!, features[s * width + f]!);
    }
    this.game = new CombinationGame(features, width, this.scale);
  }

  /** False where there are too many. */
  find(): boolean {
    const even = this.scale.map((size) => (size > 0 ? 1 / size : 0));
    this.add(this.leastState(even));
    const open = [1];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.game.isBeaten(this.tree.corners, node * this.width, this.found)) continue;
      if (node < this.tree.leafCount) {
        open.push(2 * node + 1, 2 * node);
        continue;
      }
      if (!this.searchLeaf(node - this.tree.leafCount)) return false;
    }
    this.removeBeaten();
    return true;
  }

  result(): SupportStates {
    const { found, priced, width } = this;
    const rows = new Float64Array(found.length * priced);
    found.forEach((state, i) =>
      rows.set(this.features.subarray(state * width, state * width + priced), i * priced),
    );
    return { rows, states: Int32Array.from(found) };
  }

  private searchLeaf(leaf: number): boolean {
    const end = leafStart(leaf + 1, this.tree.leafCount, this.count);
    for (let s = leafStart(leaf, this.tree.leafCount, this.count); s < end; s++) {
      while (this.isFound[s] === 0 && !this.game.isBeaten(this.features, s * this.width, this.found)) {
        const winner = this.leastState(this.game.weights);
        // Where rounding hides the winner, the state itself is taken.
        this.add(this.isFound[winner] === 0 ? winner : s);
        if (this.found.length > 2 * maxSupport) return false;
      }
    }
    return true;
  }

  private removeBeaten(): void {
    for (const state of [...this.found]) {
      const others = this.found.filter((other) => other !== state);
      if (others.length > 0 && this.game.isBeaten(this.features, state * this.width, others))
        this.found = others;
    }
  }

  private add(state: number): void {
    this.found.push(state);
    this.isFound[state] = 1;
  }

  /** The state with the least weighted sum of the priced features, by branch and bound. */
  private leastState(weights: Float64Array): number {
    const { tree, features, width, count } = this;
    let best = -1;
    let least = Infinity;
    const visit = (node: number): void => {
      if (node < tree.leafCount) {
        const left = weightedSum(weights, tree.corners, 2 * node * width);
        const right = weightedSum(weights, tree.corners, (2 * node + 1) * width);
        const [near, far] = left <= right ? [0, 1] : [1, 0];
        if (Math.min(left, right) < least) visit(2 * node + near);
        if (Math.max(left, right) < least) visit(2 * node + far);
        return;
      }
      const leaf = node - tree.leafCount;
      const end = leafStart(leaf + 1, tree.leafCount, count);
      for (let s = leafStart(leaf, tree.leafCount, count); s < end; s++) {
        const value = weightedSum(weights, features, s * width);
        if (value < least) {
          least = value;
          best = s;
        }
      }
    };
    visit(1);
    return best;
  }
}

/**
 * Is a point beaten by a combination of states? Payoff of feature f against state h: how much larger h is than the point in
 * f, as a share of the feature's largest value. The states' best mix keeps the largest of the features' payoffs least;
 * the point is beaten where that is not above 0. As a linear program with all payoffs raised above 0: maximise
 * sum y subject to payoffs · y <= 1, y >= 0; the value of the game is 1 / sum y, the mix y as shares.
 */
class CombinationGame {
  /** After `isBeaten` said no: weights of the features for which the point wins against all the states. */
  readonly weights: Float64Array;
  private tableau = new Float64Array(0);
  private readonly basis: Int32Array;

  constructor(
    private readonly features: Float64Array,
    private readonly width: number,
    private readonly scale: Float64Array,
  ) {
    this.weights = new Float64Array(scale.length);
    this.basis = new Int32Array(scale.length);
  }

  isBeaten(rows: Float64Array, offset: number, states: readonly number[]): boolean {
    for (const state of states) if (this.isNoLarger(state, rows, offset)) return true;
    this.solve(rows, offset, states);
    return this.combines(rows, offset, states);
  }

  private isNoLarger(state: number, rows: Float64Array, offset: number): boolean {
    for (let f = 0; f < this.scale.length; f++) {
      if (this.features[state * this.width + f]! > rows[offset + f]!) return false;
    }
    return true;
  }

  /** Columns: states, slacks, right-hand side. Rows: features, then the objective. */
  private solve(rows: Float64Array, offset: number, states: readonly number[]): void {
    const { scale, features, width, basis } = this;
    const rowCount = scale.length;
    const columns = states.length + rowCount + 1;
    if (this.tableau.length < (rowCount + 1) * columns)
      this.tableau = new Float64Array(2 * (rowCount + 1) * columns);
    const { tableau } = this;
    tableau.fill(0, 0, (rowCount + 1) * columns);
    for (let f = 0; f < rowCount; f++) {
      const size = scale[f]!;
      for (let h = 0; h < states.length; h++) {
        const larger = size > 0 ? (features[states[h]! * width + f]! - rows[offset + f]!) / size : 0;
        tableau[f * columns + h] = larger + 2;
      }
      tableau[f * columns + states.length + f] = 1;
      tableau[(f + 1) * columns - 1] = 1;
      basis[f] = states.length + f;
    }
    for (let h = 0; h < states.length; h++) tableau[rowCount * columns + h] = -1;
    // Far more pivots than such programs need; where they do not end, the point is taken as not beaten.
    for (let pivots = 0; pivots < 20 * columns; pivots++) if (!this.pivot(rowCount, columns)) break;
    let sum = 0;
    for (let f = 0; f < rowCount; f++) sum += tableau[rowCount * columns + states.length + f]!;
    for (let f = 0; f < rowCount; f++) {
      const share = tableau[rowCount * columns + states.length + f]! / sum;
      this.weights[f] = scale[f]! > 0 && share > 0 ? share / scale[f]! : 0;
    }
  }

  /** One step of the simplex method; false at the optimum. */
  private pivot(rowCount: number, columns: number): boolean {
    const { tableau, basis } = this;
    const last = rowCount * columns;
    let enter = -1;
    let steepest = -1e-12;
    for (let c = 0; c < columns - 1; c++) {
      if (tableau[last + c]! < steepest) {
        steepest = tableau[last + c]!;
        enter = c;
      }
    }
    if (enter < 0) return false;
    let leave = -1;
    let least = Infinity;
    for (let r = 0; r < rowCount; r++) {
      const entry = tableau[r * columns + enter]!;
      if (entry <= 1e-12) continue;
      const ratio = tableau[(r + 1) * columns - 1]! / entry;
      if (ratio < least) {
        least = ratio;
        leave = r;
      }
    }
    if (leave < 0) return false;
    const divisor = tableau[leave * columns + enter]!;
    for (let c = 0; c < columns; c++) tableau[leave * columns + c]! /= divisor;
    for (let r = 0; r <= rowCount; r++) {
      const factor = r === leave ? 0 : tableau[r * columns + enter]!;
      if (factor === 0) continue;
      for (let c = 0; c < columns; c++) tableau[r * columns + c]! -= factor * tableau[leave * columns + c]!;
    }
    basis[leave] = enter;
    return true;
  }

  /** The mix that was found, calculated anew: is it no larger than the point in any feature? */
  private combines(rows: Float64Array, offset: number, states: readonly number[]): boolean {
    const { scale, features, width, basis, tableau } = this;
    const columns = states.length + scale.length + 1;
    let sum = 0;
    const share = (r: number): number => {
      const value = basis[r]! < states.length ? tableau[(r + 1) * columns - 1]! : 0;
      return value > residue ? value : 0;
    };
    for (let r = 0; r < scale.length; r++) sum += share(r);
    for (let f = 0; f < scale.length; f++) {
      let mixed = 0;
      for (let r = 0; r < scale.length; r++) {
        if (share(r) > 0) mixed += (share(r) / sum) * features[states[basis[r]!]! * width + f]!;
      }
      if (!(mixed <= rows[offset + f]! * (1 + rounding))) return false;
    }
    return sum > 0;
  }
}
