/**
 * The partition state graph (PSG): the states worth keeping and their features. Plain typed arrays, so that it can be
 * built in one thread and used in another. Its edges are made where somebody asks for them (neighbours.ts): no
 * decision does.
 */
import { blocksOf } from './blocks.js';
import { buildBoundTree, type BoundTree } from './boundTree.js';
import type { BuildProgress } from './buildProgress.js';
import type { Placement } from './decision.js';
import { largestAmount } from './contextRanges.js';
import { checkEncodings, rawEncoding, type Encoding } from './encoding.js';
import { featureLayout, type FeatureLayout } from './features.js';
import { layerFacts, type LayerFacts } from './layerFacts.js';
import type { Layer, LayerGraph } from './layerGraph.js';
import { nestedCuts, type NestedCuts } from './nestedCuts.js';
import { dominators } from './pareto.js';
import type { TierSeconds } from './profile.js';
import { nodeRows, searchRows, type SearchRows } from './searchRows.js';
import { stateSlots } from './stateIndex.js';
import { StateRows } from './stateRows.js';
import { enumerateBlock } from './states.js';
import { supportStates, type SupportStates } from './supportStates.js';
import { topologyOf, type Topology } from './topology.js';

/** What the states are made of. */
export interface PartitionInput {
  readonly graph: LayerGraph;
  /** Two or three tiers; tier 0 is the end device. */
  readonly tiers: readonly TierSeconds[];
  /** Ways to send what crosses; absent: as it is. */
  readonly encodings?: readonly Encoding[] | undefined;
}

export interface StateGraph {
  readonly graph: LayerGraph;
  readonly tiers: readonly TierSeconds[];
  readonly encodings: readonly Encoding[];
  readonly topology: Topology;
  readonly facts: LayerFacts;
  readonly layout: FeatureLayout;
  /** Null where there are more states than may be held: then each decision is a minimum cut of the layer graph. */
  readonly held: HeldStates | null;
}

export interface HeldStates {
  readonly layout: FeatureLayout;
  readonly count: number;
  /** Valid states before pruning. */
  readonly rawCount: number;
  /** Rows of `layout.length` features. */
  readonly features: Float64Array;
  /** Rows of `words` words, as in stateRows.ts. */
  readonly masks: Uint32Array;
  readonly words: number;
  /** States by the hash of their masks, as in stateIndex.ts. */
  readonly slots: Int32Array;
  readonly tree: BoundTree;
  /** The states, and the nodes of the tree, as a search reads them. */
  readonly stateRows: SearchRows;
  readonly nodeRows: SearchRows;
  /** States that can be best without bounds; null where they are too many to be of use. */
  readonly support: SupportStates | null;
  /** States of three tiers as pairs of cuts; null for two tiers, for several encodings, and for one that loses accuracy. */
  readonly nested: NestedCuts | null;
}

/**
 * Builds the partition state graph of two or three tiers.
 * @param maxStates states that may be held before pruning; a graph with more is cut per decision
 * @throws RangeError where the graph is malformed, or seconds or encodings do not fit it
 */
export function buildStateGraph(
  input: PartitionInput,
  maxStates: number,
  progress: BuildProgress = () => undefined,
): StateGraph {
  const { graph, tiers, encodings = [rawEncoding(graph)] } = input;
  if (tiers.length < 2 || tiers.length > 3) {
    throw new RangeError(`tiers: ${tiers.length} given, two or three are possible`);
  }
  tiers.forEach(({ seconds }, t) => {
    if (seconds.length !== graph.layers.length) {
      throw new RangeError(`tiers[${t}].seconds: ${seconds.length} values for ${graph.layers.length} layers`);
    }
    seconds.forEach((value, v) => {
      if (!(value >= 0 && value <= largestAmount)) {
        throw new RangeError(
          `tiers[${t}].seconds[${v}]: ${value} is not a number from 0 to ${largestAmount}`,
        );
      }
    });
  });
  checkEncodings(encodings, graph);
  const topology = topologyOf(graph);
  const layout = featureLayout(tiers.length);
  const facts = layerFacts(graph);
  const unheld = { graph, tiers, encodings, topology, facts, layout };
  const rows = enumerateStates(unheld, maxStates, progress);
  return {
    ...unheld,
    held: rows && holdStates(rows, layout, graph.layers, encodings, progress),
  };
}

/** All valid states; null where there are more than `maxStates`. */
export function enumerateStates(
  { graph, tiers, encodings, topology, facts, layout }: Omit<StateGraph, 'held'>,
  maxStates: number,
  progress: BuildProgress = () => undefined,
): StateRows | null {
  const rows = new StateRows(layout.length, graph.layers.length, layout.hopCount);
  const seconds = tiers.map((tier) => tier.seconds);
  // Between cut vertices the states of two tiers add up; with three, what lies before and after a cut vertex
  // on the middle tier is free on both sides, so that the whole graph is one block.
  const blocks = tiers.length === 2 ? blocksOf(topology) : [{ prefix: 0, end: graph.layers.length }];
  for (let e = 0; e < encodings.length; e++) {
    rows.encoding = e;
    const input = { graph, topology, facts, layout, seconds, encoding: encodings[e]! };
    for (let b = 0; b < blocks.length; b++) {
      progress('states', (e * blocks.length + b) / (encodings.length * blocks.length));
      if (!enumerateBlock(input, blocks[b]!, rows, maxStates)) return null;
    }
  }
  return rows;
}

/** Per state itself where it is kept, else a kept one that dominates it. */
export function dominatorOf(
  rows: StateRows,
  layout: FeatureLayout,
  progress: (fraction: number) => void = () => undefined,
): Int32Array {
  const weights = { first: layout.weights, end: layout.weights + layout.tierCount };
  return dominators(rows.features.subarray(0, rows.count * rows.width), rows.width, weights, progress);
}

function holdStates(
  rows: StateRows,
  layout: FeatureLayout,
  layers: readonly Layer[],
  encodings: readonly Encoding[],
  progress: BuildProgress,
): HeldStates {
  const { width, words } = rows;
  progress('pruning', 0);
  const dominator = dominatorOf(rows, layout, (f) => progress('pruning', f));
  const kept = Int32Array.from(dominator.filter((d, row) => d === row));
  const { tree, order } = buildBoundTree(gather(rows.features, width, kept), width, {
    statesPerLeaf: 4,
    split: 'corners',
  });
  const placed = order.map((i) => kept[i]!);
  const placeOf = new Int32Array(rows.count).fill(-1);
  placed.forEach((row, place) => (placeOf[row] = place));
  dominator.forEach((d, row) => (placeOf[row] = placeOf[d]!));
  progress('support', 0);
  const features = gather(rows.features, width, placed);
  const masks = gather(rows.masks, words, placed);
  const stateRows = searchRows(features, layout);
  return {
    layout,
    count: kept.length,
    rawCount: rows.count,
    features,
    masks,
    words,
    slots: stateSlots(masks, words, kept.length),
    tree,
    stateRows,
    nodeRows: nodeRows(stateRows, kept.length, tree),
    support: supportStates(features, width, tree, layout.weights),
    nested: isNested(layout, encodings) ? nestedCuts(rows, layers, layout, placeOf, placed) : null,
  };
}

/** One encoding, or cuts of both hops could not be chosen apart; and it loses nothing, which is no matter of one hop. */
function isNested({ tierCount }: FeatureLayout, encodings: readonly Encoding[]): boolean {
  return tierCount === 3 && encodings.length === 1 && encodings[0]!.accuracyLoss === 0;
}

/** The rows `picked` of a matrix, in that order. */
function gather<A extends Float64Array | Uint32Array>(matrix: A, width: number, picked: Int32Array): A {
  const result = new (matrix.constructor as new (length: number) => A)(picked.length * width);
  picked.forEach((row, i) => {
    for (let f = 0; f < width; f++) result[i * width + f] = matrix[row * width + f]!;
  });
  return result;
}

/** The placement and the number of the encoding of a held state. */
export function placementOfState(
  { graph, layout }: StateGraph,
  held: HeldStates,
  state: number,
): { placement: Placement; encoding: number } {
  const layerWords = Math.ceil(graph.layers.length / 32);
  const offset = state * held.words;
  const placement = graph.layers.map((_, v) => {
    let below = 0;
    for (let h = 0; h < layout.hopCount; h++) {
      below += (held.masks[offset + h * layerWords + (v >>> 5)]! >>> (v & 31)) & 1;
    }
    return layout.hopCount - below;
  });
  return { placement, encoding: held.masks[offset + held.words - 1]! };
}
