/**
 * Exact dominance pruning: a state goes only if another is no worse in every feature. Costs and
 * constraints are monotone, so a state that went can never have been the only optimum (design: features.ts).
 *
 * Of states equal in every feature the one with the smallest row stays. Search: for each row, a bound tree is asked
 * whether any row dominates it; a subtree whose minimum is worse in one feature is skipped. Features with the same sum in
 * all states, as the weights on the tiers have, make that short: who is no worse in each of them is equal in each. So
 * states are compared with those alone that have the same weights on each tier, mostly a handful.
 */
import { buildBoundTree, leafStart } from './boundTree.js';

/** Fewer rows are compared one by one. */
const leastForTree = 32;

/**
 * What became of each row: itself where it is kept, else a kept row that dominates it.
 * @param balanced first and one after the last of the features that may have the same sum in all rows
 */
export function dominators(
  features: Float64Array,
  width: number,
  balanced: { readonly first: number; readonly end: number },
  progress: (fraction: number) => void = () => undefined,
): Int32Array {
  const count = features.length / width;
  const result = Int32Array.from({ length: count }, (_, row) => row);
  const order = Int32Array.from(result);
  const { first, end } = balanced;
  const compare = (a: number, b: number): number => {
    for (let f = first; f < end; f++) {
      const difference = features[a * width + f]! - features[b * width + f]!;
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  const isGrouped = haveSameSum(features, width, first, end);
  if (isGrouped) order.sort(compare);
  for (let from = 0, told = 0; from < count;) {
    let to = from + 1;
    while (to < count && (!isGrouped || haveSame(features, width, first, end, order[from]!, order[to]!)))
      to++;
    markDominated(features, width, order.subarray(from, to), result, (done) => {
      if (from + done < told + 0x4000) return;
      told = from + done;
      progress(told / count);
    });
    from = to;
  }
  // A dominator may itself be dominated: dominance has no circles, so following it ends at a kept row.
  for (let row = 0; row < count; row++) {
    let kept = result[row]!;
    while (result[kept] !== kept) kept = result[kept]!;
    result[row] = kept;
  }
  return result;
}

/** Only whole numbers are sure to add up to the same sum in any order. */
function haveSameSum(features: Float64Array, width: number, first: number, end: number): boolean {
  let common = -1;
  for (let offset = 0; offset < features.length; offset += width) {
    let sum = 0;
    for (let f = first; f < end; f++) {
      if (!Number.isSafeInteger(features[offset + f])) return false;
      sum += features[offset + f]!;
    }
    if (offset === 0) common = sum;
    if (sum !== common || !Number.isSafeInteger(sum)) return false;
  }
  return true;
}

function haveSame(
  features: Float64Array,
  width: number,
  first: number,
  end: number,
  a: number,
  b: number,
): boolean {
  for (let f = first; f < end; f++) if (features[a * width + f] !== features[b * width + f]) return false;
  return true;
}

/** Writes to `result` a dominator of each of `rows` that has one among them. `done` is told how many were looked at. */
function markDominated(
  features: Float64Array,
  width: number,
  rows: Int32Array,
  result: Int32Array,
  done: (count: number) => void,
): void {
  const finder =
    rows.length < leastForTree
      ? new PairFinder(features, width, rows)
      : new TreeFinder(features, width, rows);
  for (let i = 0; i < rows.length; i++) {
    result[rows[i]!] = finder.dominatorOf(rows[i]!);
    if ((i & 0xff) === 0) done(i);
  }
  done(rows.length);
}

function isDominatedBy(features: Float64Array, width: number, row: number, other: number): boolean {
  let equal = true;
  for (let f = 0; f < width; f++) {
    const difference = features[other * width + f]! - features[row * width + f]!;
    if (difference > 0) return false;
    if (difference < 0) equal = false;
  }
  return !equal || other < row;
}

class PairFinder {
  constructor(
    private readonly features: Float64Array,
    private readonly width: number,
    private readonly rows: Int32Array,
  ) {}

  dominatorOf(row: number): number {
    for (const other of this.rows) if (isDominatedBy(this.features, this.width, row, other)) return other;
    return row;
  }
}

class TreeFinder {
  private readonly corners: Float64Array;
  private readonly leafCount: number;
  /** The rows as the leaves of the tree have them. */
  private readonly placed: Int32Array;
  private readonly stack = new Int32Array(64);

  constructor(
    private readonly features: Float64Array,
    private readonly width: number,
    rows: Int32Array,
  ) {
    const own = new Float64Array(rows.length * width);
    rows.forEach((row, i) => own.set(features.subarray(row * width, (row + 1) * width), i * width));
    const { tree, order } = buildBoundTree(own, width, { statesPerLeaf: 8, split: 'spread' });
    this.corners = tree.corners;
    this.leafCount = tree.leafCount;
    this.placed = order.map((i) => rows[i]!);
  }

  dominatorOf(row: number): number {
    const { stack, leafCount, placed } = this;
    let top = 0;
    stack[top++] = 1;
    while (top > 0) {
      const node = stack[--top]!;
      if (!this.mayHold(node, row)) continue;
      if (node < leafCount) {
        stack[top++] = 2 * node;
        stack[top++] = 2 * node + 1;
        continue;
      }
      const end = leafStart(node - leafCount + 1, leafCount, placed.length);
      for (let i = leafStart(node - leafCount, leafCount, placed.length); i < end; i++) {
        if (isDominatedBy(this.features, this.width, row, placed[i]!)) return placed[i]!;
      }
    }
    return row;
  }

  private mayHold(node: number, row: number): boolean {
    const { corners, features, width } = this;
    for (let f = 0; f < width; f++) {
      if (corners[node * width + f]! > features[row * width + f]!) return false;
    }
    return true;
  }
}
