/**
 * The partition state graph (PSG): the states worth keeping, their features, and who neighbours whom. Plain
 * typed arrays, so that it can be built in one thread and used in another.
 *
 * Two states are neighbours when one layer moves by one tier; where that leads to a state that was
 * pruned, the neighbour is the kept state that dominates it.
 */
import { blocksOf } from './blocks.js';
import { buildBoundTree, type BoundTree } from './boundTree.js';
import { featureLayout, type FeatureLayout } from './features.js';
import type { LayerGraph } from './layerGraph.js';
import { neighboursOf } from './neighbours.js';
import { dominators } from './pareto.js';
import type { TierSeconds } from './profile.js';
import { enumerateBlock, StateRows } from './states.js';
import { topologyOf, type Topology } from './topology.js';

/** What the states are made of. */
export interface PartitionInput {
  readonly graph: LayerGraph;
  /** Per tier, tier 0 is the end device. */
  readonly tiers: readonly TierSeconds[];
}

export interface StateGraph extends PartitionInput {
  readonly topology: Topology;
  readonly layout: FeatureLayout;
  /** Null where more than `maxStates` states exist: then each decision is a minimum cut of the layer graph. */
  readonly held: HeldStates | null;
}

export interface HeldStates {
  readonly count: number;
  /** Valid cuts of the layer graph, before pruning. */
  readonly rawCount: number;
  /** Rows of `layout.length` features. */
  readonly features: Float64Array;
  /** Rows of `words` words; bit v is set where layer v runs on the end device. */
  readonly masks: Uint32Array;
  readonly words: number;
  readonly tree: BoundTree;
  /** Neighbours of state s: `neighbours[neighbourStart[s]]` … `neighbours[neighbourStart[s + 1] - 1]`. */
  readonly neighbourStart: Int32Array;
  readonly neighbours: Int32Array;
}

/**
 * Builds the partition state graph of two tiers.
 * @param maxStates states that may be held; a graph with more is cut per decision
 * @throws RangeError where the graph is malformed, or a tier's seconds do not fit it
 */
export function buildStateGraph(input: PartitionInput, maxStates: number): StateGraph {
  const { graph, tiers } = input;
  if (tiers.length !== 2) throw new RangeError(`tiers: ${tiers.length} given, two are supported`);
  tiers.forEach(({ seconds }, t) => {
    if (seconds.length !== graph.layers.length) {
      throw new RangeError(`tiers[${t}].seconds: ${seconds.length} values for ${graph.layers.length} layers`);
    }
    seconds.forEach((value, v) => {
      if (!(value >= 0 && value < Infinity)) {
        throw new RangeError(`tiers[${t}].seconds[${v}]: ${value} is not a finite number >= 0`);
      }
    });
  });
  const topology = topologyOf(graph);
  const layout = featureLayout(tiers.length);
  return { graph, tiers, topology, layout, held: holdStates(input, topology, layout, maxStates) };
}

function holdStates(
  { graph, tiers }: PartitionInput,
  topology: Topology,
  layout: FeatureLayout,
  maxStates: number,
): HeldStates | null {
  const words = Math.ceil(graph.layers.length / 32);
  const rows = new StateRows(layout.length, words);
  const seconds = tiers.map((tier) => tier.seconds);
  for (const block of blocksOf(topology)) {
    if (!enumerateBlock({ graph, topology, layout, seconds }, block, rows, maxStates)) return null;
  }
  const width = layout.length;
  const dominator = dominators(rows.features.subarray(0, rows.count * width), width);
  const kept = dominator.reduce((sum, d, row) => sum + (d === row ? 1 : 0), 0);
  const keptRows = new Int32Array(kept);
  let next = 0;
  dominator.forEach((d, row) => {
    if (d === row) keptRows[next++] = row;
  });
  const { tree, order } = buildBoundTree(gather(rows.features, width, keptRows), width);
  const placed = order.map((i) => keptRows[i]!);
  const placeOf = new Int32Array(rows.count).fill(-1);
  placed.forEach((row, place) => (placeOf[row] = place));
  dominator.forEach((d, row) => (placeOf[row] = placeOf[d]!));
  return {
    count: kept,
    rawCount: rows.count,
    features: gather(rows.features, width, placed),
    masks: gather(rows.masks, words, placed),
    words,
    tree,
    ...neighboursOf(topology, rows.masks, words, rows.count, placed, placeOf),
  };
}

/** The rows `picked` of a matrix, in that order. */
function gather<A extends Float64Array | Uint32Array>(matrix: A, width: number, picked: Int32Array): A {
  const result = new (matrix.constructor as new (length: number) => A)(picked.length * width);
  picked.forEach((row, i) => {
    for (let f = 0; f < width; f++) result[i * width + f] = matrix[row * width + f]!;
  });
  return result;
}

/** The layers on the end device in a row of masks, ascending. */
export function endLayersOf(held: HeldStates, state: number): number[] {
  const layers: number[] = [];
  for (let w = 0; w < held.words; w++) {
    const word = held.masks[state * held.words + w]!;
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) layers.push(w * 32 + bit);
  }
  return layers;
}
