/**
 * Enumeration of the states of two tiers, block by block, with their features.
 *
 * Problem. List every downset of a block and its feature vector. Algorithm: walk the block's layers in
 * topological order; a layer may join the end device where all its predecessors did, and may always stay above.
 * Each leaf of that walk is one downset, none twice. Features are accumulated on the way down (sums are
 * only ever added to, never subtracted from, so that no rounding residue is left) and a tensor is
 * charged when its first consumer above is met. Complexity: O(layers of the block) per state, no memory beyond
 * the output. Rejected: breadth-first growth of downsets with a hash set, which needs the set and re-adds all sums.
 */
import type { Block } from './blocks.js';
import type { FeatureLayout } from './features.js';
import type { LayerGraph } from './layerGraph.js';
import type { Topology } from './topology.js';

/** Rows of features and bit masks that grow by doubling. */
export class StateRows {
  count = 0;
  features: Float64Array;
  /** Bit v of a row is set where layer v runs on the end device. */
  masks: Uint32Array;

  constructor(
    readonly featureCount: number,
    readonly wordCount: number,
    capacity = 64,
  ) {
    this.features = new Float64Array(capacity * featureCount);
    this.masks = new Uint32Array(capacity * wordCount);
  }

  push(features: Float64Array, mask: Uint32Array): void {
    if ((this.count + 1) * this.featureCount > this.features.length) {
      this.features = grown(this.features, new Float64Array(this.features.length * 2));
      this.masks = grown(this.masks, new Uint32Array(this.masks.length * 2));
    }
    this.features.set(features, this.count * this.featureCount);
    this.masks.set(mask, this.count * this.wordCount);
    this.count++;
  }
}

function grown<A extends Float64Array | Uint32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** A layer as the walk needs it. */
interface Step {
  readonly predecessors: readonly number[];
  /** Tensors read that are free to cross: written by the end device or an input of the model. */
  readonly reads: readonly number[];
  /** Bytes that come back down where this layer runs above. */
  readonly outputBytes: number;
}

export interface EnumerationInput {
  readonly graph: LayerGraph;
  readonly topology: Topology;
  readonly layout: FeatureLayout;
  /** Nominal seconds per tier and layer. */
  readonly seconds: readonly (readonly number[])[];
}

/**
 * Appends all states of `block` to `rows`. Returns false, with `rows` as it was, where there are more than `maxStates`.
 */
export function enumerateBlock(
  input: EnumerationInput,
  block: Block,
  rows: StateRows,
  maxStates: number,
): boolean {
  const walk = new BlockWalk(input, block, rows, maxStates);
  const before = rows.count;
  if (walk.from(block.prefix)) return true;
  rows.count = before;
  return false;
}

class BlockWalk {
  private readonly steps: readonly Step[];
  private readonly onEnd: Uint8Array;
  private readonly mask: Uint32Array;
  /** Feature vectors by depth of the walk, so that going back needs no subtraction. */
  private readonly depth: Float64Array[];
  /** Per tensor how many consumers above were met on the path: it is charged at the first. */
  private readonly crossings: Uint16Array;

  constructor(
    private readonly input: EnumerationInput,
    private readonly block: Block,
    private readonly rows: StateRows,
    private readonly maxStates: number,
  ) {
    const { graph, topology, layout } = input;
    const count = graph.layers.length;
    this.onEnd = new Uint8Array(count);
    this.mask = new Uint32Array(rows.wordCount);
    this.crossings = new Uint16Array(graph.tensors.length);
    const reads = Array.from({ length: count }, () => [] as number[]);
    const outputBytes = new Array<number>(count).fill(0);
    graph.tensors.forEach((tensor, t) => {
      for (const consumer of tensor.consumers) reads[consumer]!.push(t);
      if (tensor.isOutput && tensor.producer !== null) outputBytes[tensor.producer]! += tensor.bytes;
    });
    this.steps = topology.predecessors.map((predecessors, v) => ({
      predecessors,
      reads: reads[v]!,
      outputBytes: outputBytes[v]!,
    }));
    this.depth = Array.from({ length: block.end - block.prefix + 1 }, () => new Float64Array(layout.length));
    const base = this.depth[0]!;
    for (let v = 0; v < block.prefix; v++) this.addToEnd(v, base);
    for (let v = block.end; v < count; v++) this.addAbove(v, base);
  }

  /** Walks on from layer `v`; false once the cap is passed. */
  from(v: number): boolean {
    const { block, rows, depth } = this;
    const here = depth[v - block.prefix]!;
    if (v === block.end) {
      if (rows.count >= this.maxStates) return false;
      rows.push(here, this.mask);
      return true;
    }
    const next = depth[v - block.prefix + 1]!;
    if (this.steps[v]!.predecessors.every((p) => this.onEnd[p] === 1)) {
      next.set(here);
      this.addToEnd(v, next);
      const more = this.from(v + 1);
      this.onEnd[v] = 0;
      this.mask[v >>> 5]! &= ~(1 << (v & 31));
      if (!more) return false;
    }
    next.set(here);
    this.addAbove(v, next);
    const more = this.from(v + 1);
    for (const t of this.steps[v]!.reads) this.crossings[t]!--;
    return more;
  }

  private addToEnd(v: number, features: Float64Array): void {
    const { graph, layout, seconds } = this.input;
    this.onEnd[v] = 1;
    this.mask[v >>> 5]! |= 1 << (v & 31);
    features[layout.seconds]! += seconds[0]![v]!;
    features[layout.weights]! += graph.layers[v]!.weightBytes;
    features[layout.working] = Math.max(features[layout.working]!, graph.layers[v]!.workingBytes);
  }

  private addAbove(v: number, features: Float64Array): void {
    const { graph, layout, seconds } = this.input;
    const step = this.steps[v]!;
    features[layout.seconds + 1]! += seconds[1]![v]!;
    features[layout.hopUsed] = 1;
    features[layout.bytesDown]! += step.outputBytes;
    features[layout.weights + 1]! += graph.layers[v]!.weightBytes;
    features[layout.working + 1] = Math.max(features[layout.working + 1]!, graph.layers[v]!.workingBytes);
    for (const t of step.reads) {
      const { producer, bytes } = graph.tensors[t]!;
      const crosses = producer === null || this.onEnd[producer] === 1;
      if (crosses && this.crossings[t] === 0) features[layout.bytesUp]! += bytes;
      this.crossings[t]!++;
    }
  }
}
