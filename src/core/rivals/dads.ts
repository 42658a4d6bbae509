/**
 * DADS (Hu et al., INFOCOM 2019) under light load: the least latency is a minimum s-t cut of the layer graph.
 *
 * Problem and network: see rangeCut.ts, over all layers. Solved by the maximum flow of maxFlow.ts. Two forms: `Dads`
 * builds the network once, reduced to what no other edge implies, and updates capacities; `dadsRebuilt` builds the plain
 * one in every search, as the paper does. Exact for any graph without constraints.
 *
 * The fixed cost of the hop (round trip and queue, paid once where anything runs above) is no capacity of a
 * cut. Still the optimum is exact: let D be the cost of device-only, r the fixed cost, m the minimum cut
 * without r over all cuts, device-only among them. If m is reached above, r + m is the best of the cuts that pay r, and
 * min(D, r + m) is the optimum. If m = D, then every cut that pays r costs at least r + D >= D, so
 * min(D, r + m) = D is the optimum again.
 */
import type { PartitionInput } from '../stateGraph.js';
import { topologyOf } from '../topology.js';
import { RangeCut } from './rangeCut.js';
import { Reachability } from './reachability.js';
import { firstLayers, Rebuilt, requireTwoTiers, type Rival, type SumWeights } from './rival.js';

export class Dads implements Rival {
  private readonly network: RangeCut;
  private readonly deviceOnlySeconds: number;
  private isDeviceOnly = true;

  /** @param reduced false: the plain network of the paper, quicker to build and slower to solve */
  constructor(
    private readonly input: PartitionInput,
    reduced = true,
  ) {
    requireTwoTiers(input);
    const range = { first: 0, end: input.graph.layers.length };
    this.network = new RangeCut(input, range, reduced ? new Reachability(topologyOf(input.graph)) : null);
    this.deviceOnlySeconds = input.tiers[0]!.seconds.reduce((sum, seconds) => sum + seconds, 0);
  }

  search(weights: SumWeights): number {
    const deviceOnly = weights.end * this.deviceOnlySeconds;
    this.isDeviceOnly = true;
    if (!weights.usable) return deviceOnly;
    const offloaded = this.network.solve(weights) + weights.hop;
    if (offloaded >= deviceOnly) return deviceOnly;
    this.isDeviceOnly = false;
    return offloaded;
  }

  endLayers(): number[] {
    const layers = firstLayers(this.input.graph.layers.length);
    return this.isDeviceOnly ? layers : layers.filter((v) => this.network.isOnEnd(v));
  }
}

/** DADS that builds its network in every search. */
export function dadsRebuilt(input: PartitionInput): Rival {
  return new Rebuilt(() => new Dads(input, false));
}
