/**
 * Neurosurgeon (Kang et al., ASPLOS 2017): the best point of the topological chain.
 *
 * Problem. Of the prefixes of the layers' topological order, the one with the least cost. Algorithm: cost each.
 * Complexity: O(layers) per search; seconds and bytes of every prefix are summed once, when it is built. Exact on
 * chains; elsewhere it sees only the cuts that keep to this one order, and so is never better than the optimum. The
 * paper was written for chains: the bytes of a prefix of a graph are those of all tensors that cross.
 */
import type { PartitionInput } from '../stateGraph.js';
import { prefixCosts, prefixWidth as width } from './prefixCosts.js';
import { firstLayers, requireTwoTiers, type Rival, type SumWeights } from './rival.js';

export class Neurosurgeon implements Rival {
  /** Rows for prefixes of 0 … layers. */
  private readonly prefixes: Float64Array;
  private best = 0;

  constructor(input: PartitionInput) {
    requireTwoTiers(input);
    this.prefixes = prefixCosts(input);
  }

  search(weights: SumWeights): number {
    const { end, edge, hop, up, down, usable } = weights;
    const { prefixes } = this;
    const last = prefixes.length - width;
    // The whole model on the end device is the only prefix without the hop.
    let bestOffset = last;
    let best = end * prefixes[last]!;
    if (usable) {
      for (let i = 0; i < last; i += width) {
        const cost =
          end * prefixes[i]! +
          edge * prefixes[i + 1]! +
          hop +
          up * prefixes[i + 2]! +
          down * prefixes[i + 3]!;
        if (cost < best) {
          best = cost;
          bestOffset = i;
        }
      }
    }
    this.best = bestOffset / width;
    return best;
  }

  endLayers(): number[] {
    return firstLayers(this.best);
  }
}
