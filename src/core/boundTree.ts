/**
 * A k-d tree over the features of the states, each node holding the componentwise minimum of the states below
 * it. Costs and constraints are monotone in the features, so their value at that minimum bounds every state of
 * the subtree from below: a branch and bound that proves the optimum while it looks at few states.
 *
 * Shape: a complete binary tree in heap order (children of i are 2i and 2i + 1) without pointers. Leaf j of L
 * holds the rows floor(j * n / L) … floor((j + 1) * n / L) - 1, so the rows are reordered once when
 * the tree is built. Each split is at the median of one feature, chosen by a rule: the widest spread relative to its range
 * over all states, for a tree that is asked once per row; or the highest corners, for one that is searched for long,
 * which halves the nodes that a search looks at (measured). Building: O(n log n) expected. Rejected: best-first search
 * with a heap, which needs allocation and visits about as many nodes once there is a good incumbent.
 */

/** How the feature of a split is chosen. */
export interface SplitRule {
  /** Few enough that a leaf is read at about the price of a node. */
  readonly statesPerLeaf: number;
  /** `spread`: the widest one, quick to find. `corners`: the one that raises the minima of the two halves most. */
  readonly split: 'spread' | 'corners';
  /** Runs of more than `downTo` rows are halved by this feature, whatever the rule. */
  readonly upper?: { readonly feature: number; readonly downTo: number };
}

/** Rows looked at to choose a split by `corners`: more do not choose better. */
const sampled = 64;

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
  { statesPerLeaf, split: rule, upper: given }: SplitRule,
): { readonly tree: BoundTree; readonly order: Int32Array } {
  const count = features.length / width;
  let leafCount = 1;
  while (leafCount * statesPerLeaf < count) leafCount *= 2;
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const scale = inverseRanges(features, width);
  const choose =
    rule === 'spread'
      ? (first: number, last: number) => widest(features, width, order, first, last, scale)
      : new CornerSplits(features, width, order, scale).choose;
  const split = (first: number, last: number, leafFirst: number, leaves: number): void => {
    if (leaves === 1) return;
    const half = leaves / 2;
    const middle = leafStart(leafFirst + half, leafCount, count);
    const isGiven = given !== undefined && last - first > given.downTo;
    const feature = isGiven ? given.feature : choose(first, last);
    selectMedian(features, width, feature, order, first, last, middle);
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

/**
 * Chooses the feature by which to halve some rows so that the corners of the halves are as high as possible: the sum,
 * over the features, of how far the larger of the two minima lies above the smaller, in shares of the feature's range. Such
 * halves bound their states more tightly than those of the widest feature: a search looks at half as many nodes.
 */
class CornerSplits {
  private readonly sample = new Int32Array(sampled);
  private readonly sorted = new Int32Array(sampled);
  private readonly split: readonly number[];

  constructor(
    private readonly features: Float64Array,
    private readonly width: number,
    private readonly order: Int32Array,
    private readonly scale: Float64Array,
  ) {
    this.split = [...scale.keys()].filter((f) => scale[f]! > 0);
  }

  readonly choose = (first: number, last: number): number => {
    const size = Math.min(sampled, last - first);
    for (let i = 0; i < size; i++) {
      this.sample[i] = this.order[first + Math.floor((i * (last - first)) / size)]! * this.width;
    }
    let best = 0;
    let most = -1;
    for (const feature of this.split) {
      const gain = this.gain(feature, size);
      if (gain > most) {
        most = gain;
        best = feature;
      }
    }
    return best;
  };

  private gain(feature: number, size: number): number {
    const { features, sample, sorted, scale } = this;
    // Insertion by the feature: few rows, and those of the split before are nearly in order.
    for (let i = 0; i < size; i++) {
      const row = sample[i]!;
      const value = features[row + feature]!;
      let at = i;
      for (; at > 0 && features[sorted[at - 1]! + feature]! > value; at--) sorted[at] = sorted[at - 1]!;
      sorted[at] = row;
    }
    const half = size >>> 1;
    if (features[sorted[0]! + feature] === features[sorted[size - 1]! + feature]) return -1;
    let gain = 0;
    for (const other of this.split) {
      let left = Infinity;
      let right = Infinity;
      for (let i = 0; i < half; i++) left = Math.min(left, features[sorted[i]! + other]!);
      for (let i = half; i < size; i++) right = Math.min(right, features[sorted[i]! + other]!);
      gain += Math.abs(left - right) * scale[other]!;
    }
    return gain;
  }
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
