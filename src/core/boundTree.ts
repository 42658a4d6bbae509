/**
 * A k-d tree over the features of the states, each node holding the componentwise minimum of the states below
 * it. Costs and constraints are monotone in the features, so their value at that minimum bounds every state of
 * the subtree from below: a branch and bound that proves the optimum while it looks at few states.
 *
 * Shape: a complete binary tree in heap order (children of i are 2i and 2i + 1) without pointers. Leaf j of L
 * holds the rows floor(j * n / L) … floor((j + 1) * n / L) - 1, so the rows are reordered once when
 * the tree is built. Each split is at the median of the feature with the widest spread relative to its range
 * over all states. Building: O(n log n) expected. Rejected: best-first search with a heap, which needs
 * allocation and visits about as many nodes once there is a good incumbent.
 */

/** Few enough that a leaf is read at about the price of a node. */
const statesPerLeaf = 8;

export interface BoundTree {
  readonly leafCount: number;
  /** Row i (from 1) is the componentwise minimum below node i; row 0 is unused. */
  readonly corners: Float64Array;
}

/**
 * Builds the tree and the order that it wants the rows in.
 * @param features rows of `width` values; left as they are
 * @returns `order[i]` is the row that moves to place i; `tree` speaks of the new places
 */
export function buildBoundTree(
  features: Float64Array,
  width: number,
): { readonly tree: BoundTree; readonly order: Int32Array } {
  const count = features.length / width;
  let leafCount = 1;
  while (leafCount * statesPerLeaf < count) leafCount *= 2;
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const scale = inverseRanges(features, width);
  const split = (first: number, last: number, leafFirst: number, leaves: number): void => {
    if (leaves === 1) return;
    const half = leaves / 2;
    const middle = leafStart(leafFirst + half, leafCount, count);
    selectMedian(
      features,
      width,
      widest(features, width, order, first, last, scale),
      order,
      first,
      last,
      middle,
    );
    split(first, middle, leafFirst, half);
    split(middle, last, leafFirst + half, half);
  };
  split(0, count, 0, leafCount);
  return { tree: { leafCount, corners: cornersOf(features, width, order, leafCount) }, order };
}

/** First place of leaf `leaf`; that of `leafCount` is the number of states. */
export function leafStart(leaf: number, leafCount: number, count: number): number {
  return Math.floor((leaf * count) / leafCount);
}

function inverseRanges(features: Float64Array, width: number): Float64Array {
  const scale = new Float64Array(width);
  for (let f = 0; f < width; f++) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = f; i < features.length; i += width) {
      low = Math.min(low, features[i]!);
      high = Math.max(high, features[i]!);
    }
    scale[f] = high > low ? 1 / (high - low) : 0;
  }
  return scale;
}

function widest(
  features: Float64Array,
  width: number,
  order: Int32Array,
  first: number,
  last: number,
  scale: Float64Array,
): number {
  let best = 0;
  let bestSpread = -1;
  for (let f = 0; f < width; f++) {
    if (scale[f] === 0) continue;
    let low = Infinity;
    let high = -Infinity;
    for (let i = first; i < last; i++) {
      const value = features[order[i]! * width + f]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const spread = (high - low) * scale[f]!;
    if (spread > bestSpread) {
      best = f;
      bestSpread = spread;
    }
  }
  return best;
}

/** Hoare's selection: reorders `order[first, last)` so that what is before `middle` is not larger in `feature`. */
function selectMedian(
  features: Float64Array,
  width: number,
  feature: number,
  order: Int32Array,
  first: number,
  last: number,
  middle: number,
): void {
  let low = first;
  let high = last - 1;
  while (low < high) {
    const pivot = features[order[(low + high) >>> 1]! * width + feature]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (features[order[i]! * width + feature]! < pivot) i++;
      while (features[order[j]! * width + feature]! > pivot) j--;
      if (i <= j) {
        const swapped = order[i]!;
        order[i++] = order[j]!;
        order[j--] = swapped;
      }
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}

function cornersOf(
  features: Float64Array,
  width: number,
  order: Int32Array,
  leafCount: number,
): Float64Array {
  const count = order.length;
  const corners = new Float64Array(2 * leafCount * width).fill(Infinity);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const corner = (leafCount + leaf) * width;
    for (let i = leafStart(leaf, leafCount, count); i < leafStart(leaf + 1, leafCount, count); i++) {
      for (let f = 0; f < width; f++) {
        corners[corner + f] = Math.min(corners[corner + f]!, features[order[i]! * width + f]!);
      }
    }
  }
  for (let node = leafCount - 1; node >= 1; node--) {
    for (let f = 0; f < width; f++) {
      const left = corners[2 * node * width + f]!;
      corners[node * width + f] = Math.min(left, corners[(2 * node + 1) * width + f]!);
    }
  }
  return corners;
}
