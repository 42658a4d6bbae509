/**
 * The states of three tiers as what they are made of: two cuts, one nested in the other.
 *
 * What runs on the end device is a downset i of the layers; what runs there or on the edge is a downset j that contains it.
 * What crosses the first hop, and all that the end device holds, depends on i alone; what crosses the second hop, and
 * all that the cloud holds, on j alone; the edge's seconds are those of what is not in i, plus those of what is in j, less
 * those of all layers. So every objective without a bottleneck is a sum of two parts, one of i and one of j, and most bounds
 * are on one of them. A hundred thousand states are some hundred downsets, twice (nestedSearch.ts).
 */
import { buildBoundTree, leafStart } from './boundTree.js';
import type { FeatureLayout } from './features.js';
import type { Layer } from './layerGraph.js';
import type { StateRows } from './stateRows.js';

/** Runs of more cuts than this are halved by how deep they lie: pairs of what is left are then nested, or are not. */
const sortedDownTo = 16;

/** Figures of one cut, in this order; the first five are priced like the features of two tiers. */
export const cutFigures = {
  /** Seconds on the tier that this cut alone decides: the end device, the cloud. */
  ownSeconds: 0,
  /** Seconds on the edge of all layers that this cut leaves to it, were the other cut not there. */
  edgeSeconds: 1,
  hopUsed: 2,
  bytesUp: 3,
  bytesDown: 4,
  /** On the cut's own tier. */
  weights: 5,
  memory: 6,
  /** 0 for cuts of the second hop. */
  exposure: 7,
  /** Bytes of the weights of all layers that this cut leaves to the edge, were the other cut not there. */
  edgeWeights: 8,
  count: 9,
} as const;

/** The downsets as cuts of one hop, in the order of a bound tree. */
export interface CutSide {
  readonly count: number;
  /** Leaf l holds one cut, or, where `leafStart` of the next is the same, none. */
  readonly leafCount: number;
  /** Row n, of `cutFigures`, is the componentwise minimum below node n of the tree; Infinity where there is no cut. */
  readonly nodes: Float64Array;
  /** Row n, of `words`, has a bit per layer: set where all cuts below node n hold the layer back, and where any does. */
  readonly inAll: Int32Array;
  readonly inAny: Int32Array;
}

export interface NestedCuts {
  readonly words: number;
  readonly lower: CutSide;
  readonly upper: CutSide;
  /** Seconds, and bytes of the weights, of all layers on the edge. */
  readonly edgeSeconds: number;
  readonly edgeWeights: number;
  /** Working sets of the layers, ascending, each size once; row k, of `words`, has the layers whose set is of size k or more. */
  readonly workingBytes: Float64Array;
  readonly heavyLayers: Int32Array;
  /** The lower cut that holds back the same layers as an upper one, and the other way round. */
  readonly lowerOf: Int32Array;
  readonly upperOf: Int32Array;
  /** By held state, the leaves of its two cuts. */
  readonly lowerLeaf: Int32Array;
  readonly upperLeaf: Int32Array;
  /** Cuts of the second hop around lower cut i: `uppers[start[i]]` … `uppers[start[i + 1] - 1]`, ascending. */
  readonly start: Int32Array;
  readonly uppers: Int32Array;
  /** The held state that stands for each such pair: itself, or one that dominates it. */
  readonly states: Int32Array;
}

/**
 * @param rows all states of three tiers, of one encoding, in the order of enumeration: the first has all layers on the end
 *   device, the last all in the cloud
 * @param placeOf the held state that stands for each row
 * @param rowOf by held state, its own row
 */
export function nestedCuts(
  rows: StateRows,
  layers: readonly Layer[],
  layout: FeatureLayout,
  placeOf: Int32Array,
  rowOf: Int32Array,
): NestedCuts {
  const { lowerOf, upperOf, maskOf } = downsetsOf(rows);
  const all = lowerOf[0]!;
  const none = lowerOf[rows.count - 1]!;
  const count = 1 + lowerOf.reduce((most, id) => Math.max(most, id), 0);
  const lowerRows = new Float64Array(count * cutFigures.count);
  const upperRows = new Float64Array(count * cutFigures.count);
  let edgeSeconds = 0;
  let edgeWeights = 0;
  for (let row = 0; row < rows.count; row++) {
    const features = rows.features.subarray(row * layout.length, (row + 1) * layout.length);
    if (upperOf[row] === all) readCut(features, layout, 0, lowerRows, lowerOf[row]!);
    if (lowerOf[row] === none) readCut(features, layout, 1, upperRows, upperOf[row]!);
    if (upperOf[row] !== all || lowerOf[row] !== none) continue;
    edgeSeconds = features[layout.seconds + 1]!;
    edgeWeights = features[layout.weights + 1]!;
  }
  const lower = sideOf(lowerRows, maskOf, rows.layerWords);
  const upper = sideOf(upperRows, maskOf, rows.layerWords);
  const pairs = pairsOf(
    lowerOf.map((id) => lower.placeOf[id]!),
    upperOf.map((id) => upper.placeOf[id]!),
    placeOf,
    count,
  );
  return {
    words: rows.layerWords,
    lower: lower.side,
    upper: upper.side,
    edgeSeconds,
    edgeWeights,
    ...heavyLayers(layers, rows.layerWords),
    lowerOf: matched(upper.placeOf, lower.placeOf),
    upperOf: matched(lower.placeOf, upper.placeOf),
    lowerLeaf: rowOf.map((row) => leafOf(lower.side, lower.placeOf[lowerOf[row]!]!)),
    upperLeaf: rowOf.map((row) => leafOf(upper.side, upper.placeOf[upperOf[row]!]!)),
    ...pairs,
  };
}

/** Per row the numbers of its two downsets, in the order in which they are met; per number its mask. */
function downsetsOf({ count, masks, words, layerWords }: StateRows): {
  lowerOf: Int32Array;
  upperOf: Int32Array;
  maskOf: Uint32Array[];
} {
  const idOf = new Map<string, number>();
  const maskOf: Uint32Array[] = [];
  const idAt = (offset: number): number => {
    const mask = masks.subarray(offset, offset + layerWords);
    const key = mask.join();
    const known = idOf.get(key);
    if (known !== undefined) return known;
    idOf.set(key, maskOf.length);
    return maskOf.push(mask) - 1;
  };
  const lowerOf = new Int32Array(count);
  const upperOf = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    lowerOf[row] = idAt(row * words);
    upperOf[row] = idAt(row * words + layerWords);
  }
  return { lowerOf, upperOf, maskOf };
}

function readCut(
  features: Float64Array,
  layout: FeatureLayout,
  hop: 0 | 1,
  to: Float64Array,
  id: number,
): void {
  const offset = id * cutFigures.count;
  const tier = hop === 0 ? 0 : 2;
  const weights = features[layout.weights + tier]!;
  to[offset + cutFigures.ownSeconds] = features[layout.seconds + tier]!;
  to[offset + cutFigures.edgeSeconds] = features[layout.seconds + 1]!;
  to[offset + cutFigures.hopUsed] = features[layout.hopUsed + hop]!;
  to[offset + cutFigures.bytesUp] = features[layout.bytesUp + hop]!;
  to[offset + cutFigures.bytesDown] = features[layout.bytesDown + hop]!;
  to[offset + cutFigures.weights] = weights;
  to[offset + cutFigures.memory] = weights + features[layout.working + tier]!;
  to[offset + cutFigures.exposure] = hop === 0 ? features[layout.exposure]! : 0;
  to[offset + cutFigures.edgeWeights] = features[layout.weights + 1]!;
}

/** The node of the tree that holds one cut alone. */
function leafOf({ leafCount, count }: CutSide, cut: number): number {
  return leafCount + Math.ceil(((cut + 1) * leafCount) / count) - 1;
}

function sideOf(
  rows: Float64Array,
  maskOf: readonly Uint32Array[],
  words: number,
): { side: CutSide; placeOf: Int32Array } {
  const { tree, order } = buildBoundTree(rows, cutFigures.count, {
    statesPerLeaf: 1,
    split: 'corners',
    upper: { feature: cutFigures.ownSeconds, downTo: sortedDownTo },
  });
  const { leafCount, corners } = tree;
  const count = order.length;
  const placeOf = new Int32Array(count);
  order.forEach((id, place) => (placeOf[id] = place));
  const inAll = new Int32Array(2 * leafCount * words).fill(-1);
  const inAny = new Int32Array(2 * leafCount * words);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const place = leafStart(leaf, leafCount, count);
    if (place === leafStart(leaf + 1, leafCount, count)) continue;
    inAll.set(maskOf[order[place]!]!, (leafCount + leaf) * words);
    inAny.set(maskOf[order[place]!]!, (leafCount + leaf) * words);
  }
  for (let node = leafCount - 1; node > 0; node--) {
    for (let w = 0; w < words; w++) {
      const left = 2 * node * words + w;
      inAll[node * words + w] = inAll[left]! & inAll[left + words]!;
      inAny[node * words + w] = inAny[left]! | inAny[left + words]!;
    }
  }
  return { side: { count, leafCount, nodes: corners, inAll, inAny }, placeOf };
}

function heavyLayers(
  layers: readonly Layer[],
  words: number,
): Pick<NestedCuts, 'workingBytes' | 'heavyLayers'> {
  const sizes = Float64Array.from(new Set(layers.map((layer) => layer.workingBytes))).sort();
  const masks = new Int32Array(sizes.length * words);
  sizes.forEach((size, k) =>
    layers.forEach(({ workingBytes }, v) => {
      if (workingBytes >= size) masks[k * words + (v >>> 5)]! |= 1 << (v & 31);
    }),
  );
  return { workingBytes: sizes, heavyLayers: masks };
}

/** By place of one side the place of the same downset on the other. */
function matched(from: Int32Array, to: Int32Array): Int32Array {
  const result = new Int32Array(from.length);
  from.forEach((place, id) => (result[place] = to[id]!));
  return result;
}

/** Sorted by lower cut, then by upper: two passes of counting. */
function pairsOf(
  lower: Int32Array,
  upper: Int32Array,
  placeOf: Int32Array,
  count: number,
): Pick<NestedCuts, 'start' | 'uppers' | 'states'> {
  const byUpper = sortedBy(
    upper,
    Int32Array.from(upper, (_, row) => row),
    count,
  ).order;
  const { order, start } = sortedBy(lower, byUpper, count);
  return {
    start,
    uppers: order.map((row) => upper[row]!),
    states: order.map((row) => placeOf[row]!),
  };
}

/** `rows` in the order of `keys` (0 … count - 1), equals as they stood; `start[k]` is where those of key k begin. */
function sortedBy(
  keys: Int32Array,
  rows: Int32Array,
  count: number,
): { order: Int32Array; start: Int32Array } {
  const start = new Int32Array(count + 1);
  for (const key of keys) start[key + 1]!++;
  for (let k = 0; k < count; k++) start[k + 1]! += start[k]!;
  const next = start.slice();
  const order = new Int32Array(rows.length);
  for (const row of rows) order[next[keys[row]!]!++] = row;
  return { order, start };
}
