/**
 * QDMP (Zhang et al., IMWUT 4(2), 2020): the optimum lies between two adjacent cut vertices; find them, then solve a
 * minimum cut of the layers between them alone.
 *
 * Problem: that of DADS. Every cut lies in the block after its last cut vertex (blocks.ts). The outermost cuts of the
 * blocks are prefixes of the order, whose costs are known. The paper's abstract says that its first stage identifies
 * the two cut vertices, not how, so there are two readings:
 * - `bounds`, exact for any graph without constraints, and the default. The prefixes bound the optimum from
 *   above. Each block is bounded from below by what it fixes, the least bytes that any of its cuts sends, and each free
 *   layer's seconds where they are fewer. Blocks are solved, the lowest bound first, until no bound is below the
 *   best cut found; mostly one or none has to be. The bounds are our own: a rival made as strong as we can.
 * - `nearest`, a heuristic: the best prefix is taken, and the blocks on both sides of it are solved, always.
 *
 * Complexity: O(blocks + layers) per search, and minimum cuts of small networks. The hop's fixed cost as in
 * dads.ts. What is prepared once: reduced networks and the least bytes per block. Without preparation
 * both stages start from the graph, and the least bytes are taken as 0.
 */
import { blocksOf } from '../blocks.js';
import type { PartitionInput } from '../stateGraph.js';
import { topologyOf } from '../topology.js';
import { RangeCut } from './rangeCut.js';
import { prefixCosts, prefixWidth } from './prefixCosts.js';
import { Reachability } from './reachability.js';
import { firstLayers, Rebuilt, requireTwoTiers, type Rival, type SumWeights } from './rival.js';

export interface QdmpOptions {
  /** How the block with the optimum is found; `bounds` unless given. */
  readonly stageOne?: 'bounds' | 'nearest';
  /** False: nothing is made that only pays over several searches. True unless given. */
  readonly prepared?: boolean;
}

/** A block with layers that are free in it. */
interface OpenBlock {
  readonly first: number;
  readonly end: number;
  /** Seconds on the end device of its free layers, and the least ratio of seconds above to these. */
  readonly endSeconds: number;
  readonly leastRatio: number;
  readonly leastBytesUp: number;
  network: RangeCut | null;
}

export class Qdmp implements Rival {
  /** Minimum cuts solved by the last search. */
  solved = 0;
  private readonly rows: Float64Array;
  /** Offsets in `rows` of the prefixes that end at a cut vertex or just before one, without the whole model. */
  private readonly outermost: Int32Array;
  private readonly open: readonly OpenBlock[];
  /** Per open block in this search; Infinity once it is out of question. */
  private readonly bounds: Float64Array;
  private readonly endSeconds: Float64Array;
  private readonly edgeSeconds: Float64Array;
  private readonly solvesNearest: boolean;
  private best = Infinity;
  private bestPrefix = 0;
  /** The block whose network holds the best cut; null where that is a prefix. */
  private bestBlock: OpenBlock | null = null;

  constructor(
    private readonly input: PartitionInput,
    { stageOne = 'bounds', prepared = true }: QdmpOptions = {},
  ) {
    requireTwoTiers(input);
    this.solvesNearest = stageOne === 'nearest';
    const topology = topologyOf(input.graph);
    const count = input.graph.layers.length;
    this.rows = prefixCosts(input);
    this.endSeconds = Float64Array.from(input.tiers[0]!.seconds);
    this.edgeSeconds = Float64Array.from(input.tiers[1]!.seconds);
    const blocks = blocksOf(topology);
    const outermost = blocks.flatMap(({ prefix, end }) => (prefix === end ? [end] : [prefix, end]));
    this.outermost = Int32Array.from(outermost.filter((k) => k < count).map((k) => k * prefixWidth));
    const reach = prepared ? new Reachability(topology) : null;
    this.open = blocks
      .filter(({ prefix, end }) => prefix < end)
      .map(({ prefix, end }) => this.openBlock(prefix, end, reach));
    this.bounds = new Float64Array(this.open.length);
  }

  search(weights: SumWeights): number {
    const { rows, outermost } = this;
    const { end, edge, hop, up, down, usable } = weights;
    const whole = rows.length - prefixWidth;
    this.solved = 0;
    this.bestBlock = null;
    let bestOffset = whole;
    let best = end * rows[whole]!;
    if (usable) {
      for (let i = 0; i < outermost.length; i++) {
        const at = outermost[i]!;
        const cost = end * rows[at]! + edge * rows[at + 1]! + hop + up * rows[at + 2]! + down * rows[at + 3]!;
        if (cost < best) {
          best = cost;
          bestOffset = at;
        }
      }
    }
    this.best = best;
    this.bestPrefix = bestOffset / prefixWidth;
    if (usable && this.solvesNearest) this.solveNearest(weights);
    else if (usable && this.boundBlocks(weights)) this.solveBounded(weights);
    return this.best;
  }

  endLayers(): number[] {
    const block = this.bestBlock;
    if (block === null) return firstLayers(this.bestPrefix);
    return firstLayers(block.end).filter((v) => v < block.first || block.network!.isOnEnd(v));
  }

  private openBlock(first: number, end: number, reach: Reachability | null): OpenBlock {
    let endSeconds = 0;
    let leastRatio = Infinity;
    for (let v = first; v < end; v++) {
      const seconds = this.endSeconds[v]!;
      endSeconds += seconds;
      if (seconds > 0) leastRatio = Math.min(leastRatio, this.edgeSeconds[v]! / seconds);
    }
    if (leastRatio === Infinity) leastRatio = 0;
    if (reach === null) return { first, end, endSeconds, leastRatio, leastBytesUp: 0, network: null };
    const network = new RangeCut(this.input, { first, end }, reach);
    const bytesOnly = { end: 0, edge: 0, hop: 0, up: 1, down: 0, usable: true };
    const leastBytesUp = network.fixedBytesUp + network.solve(bytesOnly);
    return { first, end, endSeconds, leastRatio, leastBytesUp, network };
  }

  /** Bounds each open block from below. True where one may hold a better cut than the best prefix. */
  private boundBlocks(weights: SumWeights): boolean {
    const { open, bounds, endSeconds, edgeSeconds } = this;
    const { end, edge, up } = weights;
    let some = false;
    for (let b = 0; b < open.length; b++) {
      const block = open[b]!;
      const fixed = this.fixedCost(block, weights) + up * block.leastBytesUp;
      const cheap = end < edge * block.leastRatio ? end : edge * block.leastRatio;
      let bound = fixed + cheap * block.endSeconds;
      if (bound < this.best) {
        bound = fixed;
        for (let v = block.first; v < block.end; v++) {
          const below = end * endSeconds[v]!;
          const above = edge * edgeSeconds[v]!;
          bound += below < above ? below : above;
        }
      }
      bounds[b] = bound;
      some ||= bound < this.best;
    }
    return some;
  }

  private solveBounded(weights: SumWeights): void {
    const { open, bounds } = this;
    for (;;) {
      let lowest = 0;
      for (let b = 1; b < bounds.length; b++) if (bounds[b]! < bounds[lowest]!) lowest = b;
      if (!(bounds[lowest]! < this.best)) return;
      bounds[lowest] = Infinity;
      this.solve(open[lowest]!, weights);
    }
  }

  private solveNearest(weights: SumWeights): void {
    const { open, bestPrefix } = this;
    for (let b = 0; b < open.length; b++) {
      const block = open[b]!;
      if (block.first === bestPrefix || block.end === bestPrefix) this.solve(block, weights);
    }
  }

  private solve(block: OpenBlock, weights: SumWeights): void {
    block.network ??= new RangeCut(this.input, block, null);
    this.solved++;
    const fixed = this.fixedCost(block, weights) + weights.up * block.network.fixedBytesUp;
    const cost = fixed + block.network.solve(weights);
    if (cost < this.best) {
      this.best = cost;
      this.bestBlock = block;
    }
  }

  /** What every cut of a block pays apart from bytes up: layers before on the end device, layers after above, the hop. */
  private fixedCost({ first, end: after }: OpenBlock, { end, edge, hop, down }: SumWeights): number {
    const at = after * prefixWidth;
    return (
      end * this.rows[first * prefixWidth]! + edge * this.rows[at + 1]! + hop + down * this.rows[at + 3]!
    );
  }
}

/** QDMP that prepares nothing: both stages start from the graph in every search. */
export function qdmpRebuilt(input: PartitionInput, stageOne: 'bounds' | 'nearest' = 'bounds'): Rival {
  return new Rebuilt(() => new Qdmp(input, { stageOne, prepared: false }));
}
