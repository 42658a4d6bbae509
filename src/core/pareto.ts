/**
 * Exact dominance pruning: a state goes only if another is no worse in every feature. Costs and
 * constraints are monotone, so a state that went can never have been the only optimum (design: features.ts).
 *
 * Of states equal in every feature the one with the smallest row stays. Search: for each row, the bound
 * tree is asked whether any row dominates it; a subtree whose minimum is worse in one feature is skipped.
 */
import { buildBoundTree, leafStart } from './boundTree.js';

/** What became of each row: itself where it is kept, else a kept row that dominates it. */
export function dominators(
  features: Float64Array,
  width: number,
  progress: (fraction: number) => void = () => undefined,
): Int32Array {
  const count = features.length / width;
  const { tree, order } = buildBoundTree(features, width, { statesPerLeaf: 8, split: 'spread' });
  const stack = new Int32Array(64);
  const result = new Int32Array(count).fill(-1);

  const isDominatedBy = (row: number, other: number): boolean => {
    let equal = true;
    for (let f = 0; f < width; f++) {
      const difference = features[other * width + f]! - features[row * width + f]!;
      if (difference > 0) return false;
      if (difference < 0) equal = false;
    }
    return !equal || other < row;
  };
  const mayHold = (node: number, row: number): boolean => {
    for (let f = 0; f < width; f++) {
      if (tree.corners[node * width + f]! > features[row * width + f]!) return false;
    }
    return true;
  };
  const find = (row: number): number => {
    let top = 0;
    stack[top++] = 1;
    while (top > 0) {
      const node = stack[--top]!;
      if (!mayHold(node, row)) continue;
      if (node < tree.leafCount) {
        stack[top++] = 2 * node;
        stack[top++] = 2 * node + 1;
        continue;
      }
      const leaf = node - tree.leafCount;
      for (
        let i = leafStart(leaf, tree.leafCount, count);
        i < leafStart(leaf + 1, tree.leafCount, count);
        i++
      ) {
        if (isDominatedBy(row, order[i]!)) return order[i]!;
      }
    }
    return row;
  };
  for (let row = 0; row < count; row++) {
    if ((row & 0x3fff) === 0) progress(row / count);
    result[row] = find(row);
  }
  // A dominator may itself be dominated: dominance has no circles, so following it ends at a kept row.
  for (let row = 0; row < count; row++) {
    let kept = result[row]!;
    while (result[kept] !== kept) kept = result[kept]!;
    result[row] = kept;
  }
  return result;
}
