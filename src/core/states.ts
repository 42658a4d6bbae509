/**
 * Enumeration of states with their features.
 *
 * Problem. List every valid placement of a range of layers and its feature vector. Algorithm: walk the layers
 * in topological order; a layer may take the highest tier of its predecessors or any tier above it. Each leaf
 * of that walk is one state, none twice. Features are accumulated on the way down (sums are only
 * ever added to, never subtracted from, so that no rounding residue is left); a tensor is charged per
 * hop when its first consumer beyond that hop is met. Complexity: O(layers of the block) per state, no memory
 * beyond the output. Rejected: breadth-first growth of downsets with a hash set, which needs the set and
 * re-adds all sums.
 */
import type { Block } from './blocks.js';
import type { Encoding } from './encoding.js';
import type { FeatureLayout } from './features.js';
import type { LayerFacts } from './layerFacts.js';
import type { LayerGraph } from './layerGraph.js';
import type { StateRows } from './stateRows.js';
import type { Topology } from './topology.js';

export interface EnumerationInput {
  readonly graph: LayerGraph;
  readonly topology: Topology;
  readonly facts: LayerFacts;
  readonly layout: FeatureLayout;
  /** Nominal seconds per tier and layer. */
  readonly seconds: readonly (readonly number[])[];
  readonly encoding: Encoding;
}

/**
 * Appends all states in which the layers before `block` are on the end device and those after it on the last tier.
 * Returns false, with `rows` as it was, where that would make more than `maxStates` rows.
 */
export function enumerateBlock(
  input: EnumerationInput,
  block: Block,
  rows: StateRows,
  maxStates: number,
): boolean {
  const before = rows.count;
  const walk = new PlacementWalk(input, block);
  if (walk.from(block.prefix, (features) => rows.count < maxStates && rows.push(features, walk.tierOf)))
    return true;
  rows.count = before;
  return false;
}

class PlacementWalk {
  readonly tierOf: Uint8Array;
  /** Feature vectors by depth of the walk, so that going back needs no subtraction. */
  private readonly path: Float64Array[];
  /** Per tensor the highest tier that reads it on the path: hops up to there are charged. */
  private readonly reach: Uint8Array;
  /** Per layer of the block the tensors that a layer after the block reads: they cross as soon as they are written. */
  private readonly readAfter: readonly (readonly number[])[];

  constructor(
    private readonly input: EnumerationInput,
    private readonly block: Block,
  ) {
    const { graph, layout } = input;
    const count = graph.layers.length;
    this.tierOf = new Uint8Array(count);
    this.reach = new Uint8Array(graph.tensors.length);
    this.path = Array.from({ length: block.end - block.prefix + 1 }, () => new Float64Array(layout.length));
    const readAfter = graph.layers.map(() => [] as number[]);
    graph.tensors.forEach(({ producer, consumers }, t) => {
      const isFree = producer !== null && producer >= block.prefix && producer < block.end;
      if (isFree && consumers.some((c) => c >= block.end)) readAfter[producer]!.push(t);
    });
    this.readAfter = readAfter;
    for (let v = 0; v < block.prefix; v++) this.place(v, 0, this.path[0]!);
    const isFreeTensor = new Set(readAfter.flat());
    for (let v = block.end; v < count; v++) {
      const known = input.facts.reads[v]!.filter((t) => !isFreeTensor.has(t));
      this.place(v, layout.tierCount - 1, this.path[0]!, known);
    }
  }

  /** Walks on from layer `v`, telling `found` of every leaf; false as soon as `found` says so. */
  from(v: number, found: (features: Float64Array) => boolean): boolean {
    const { block, path, tierOf, reach } = this;
    const here = path[v - block.prefix]!;
    if (v === block.end) return found(here);
    const next = path[v - block.prefix + 1]!;
    const { reads } = this.input.facts;
    const reached = reads[v]!.map((t) => reach[t]!);
    let lowest = 0;
    for (const p of this.input.topology.predecessors[v]!) lowest = Math.max(lowest, tierOf[p]!);
    for (let tier = lowest; tier < this.input.layout.tierCount; tier++) {
      next.set(here);
      this.place(v, tier, next);
      const more = this.from(v + 1, found);
      for (let i = 0; i < reached.length; i++) reach[reads[v]![i]!] = reached[i]!;
      for (const t of this.readAfter[v]!) reach[t] = 0;
      if (!more) return false;
    }
    return true;
  }

  private place(v: number, tier: number, features: Float64Array, reads = this.input.facts.reads[v]!): void {
    const { graph, layout, seconds, facts } = this.input;
    const layer = graph.layers[v]!;
    this.tierOf[v] = tier;
    features[layout.seconds + tier]! += seconds[tier]![v]!;
    features[layout.weights + tier]! += layer.weightBytes;
    features[layout.working + tier] = Math.max(features[layout.working + tier]!, layer.workingBytes);
    for (let h = 0; h < tier; h++) {
      features[layout.hopUsed + h] = 1;
      features[layout.bytesDown + h]! += facts.outputBytes[v]!;
    }
    for (const t of reads) this.read(t, tier, features);
    for (const t of this.readAfter[v]!) this.read(t, layout.tierCount - 1, features);
  }

  private read(t: number, tier: number, features: Float64Array): void {
    const { graph, layout, facts, encoding } = this.input;
    const { producer } = graph.tensors[t]!;
    const from = producer === null ? 0 : this.tierOf[producer]!;
    for (let h = Math.max(from, this.reach[t]!); h < tier; h++) {
      features[layout.bytesUp + h]! += encoding.bytes[t]!;
      features[layout.seconds + h]! += encoding.encodeSeconds[t]!;
      features[layout.seconds + h + 1]! += encoding.decodeSeconds[t]!;
      features[layout.accuracyLoss] = encoding.accuracyLoss;
      if (h === 0) {
        const exposure = facts.maxDepth + 1 - facts.depth[t]!;
        features[layout.exposure] = Math.max(features[layout.exposure]!, exposure);
      }
    }
    this.reach[t] = Math.max(this.reach[t]!, tier);
  }
}
