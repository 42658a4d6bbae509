/**
 * DADS (Hu et al., INFOCOM 2019) under heavy load: when requests arrive faster than the slowest stage works, the
 * slowest stage counts (each stage works on another request), not the latency of one.
 *
 * Problem. The cut with the least maximum of the stages' seconds: end device, uplink, downlink, tier above (the
 * paper has no downlink, since its results do not come back). The paper proves it NP-hard and approximates within a
 * factor of 3, as its secondary accounts say. Algorithm here: a minimum cut of the stages' sum, which alone is
 * within a factor of the number of stages (the slowest is at most their sum, and their sum at the optimum
 * at most four times its slowest); then more cuts, each with more weight on the stages that were slow
 * (multiplicative weights). The best cut seen is kept. How the paper's own iteration chooses its weights is
 * not known to us, so this is its formulation with our schedule: a heuristic.
 *
 * Each cut also proves a bound: with weights that sum to 1, no cut's slowest stage is below the minimum of
 * the weighted sum. Complexity: `rounds` minimum cuts.
 */
import type { PartitionInput } from '../stateGraph.js';
import { topologyOf } from '../topology.js';
import { RangeCut } from './rangeCut.js';
import { Reachability } from './reachability.js';
import { firstLayers, requireTwoTiers, type SumWeights } from './rival.js';

/** End device, uplink, downlink, tier above. */
const stageCount = 4;

export class DadsHeavy {
  /** Proven by the last search: no cut's slowest stage is below this. */
  lowerBoundSeconds = 0;
  private readonly network: RangeCut;
  private readonly weighted: SumWeights = { end: 0, edge: 0, hop: 0, up: 0, down: 0, usable: true };
  private readonly shares = new Float64Array(stageCount);
  private readonly stages = new Float64Array(stageCount);
  private readonly isOnEnd: Uint8Array;

  /** @param rounds minimum cuts per search, at least 1 */
  constructor(
    private readonly input: PartitionInput,
    private readonly rounds = 16,
  ) {
    if (!(Number.isInteger(rounds) && rounds >= 1)) throw new RangeError(`rounds: ${rounds} is below 1`);
    requireTwoTiers(input);
    const count = input.graph.layers.length;
    const reach = new Reachability(topologyOf(input.graph));
    this.network = new RangeCut(input, { first: 0, end: count }, reach);
    this.isOnEnd = new Uint8Array(count);
  }

  /** @param weights of a latency: `end`, `edge`, `up` and `down` per stage. @returns seconds of the slowest stage in the best cut found */
  search(weights: SumWeights): number {
    const { shares, stages, isOnEnd, network } = this;
    isOnEnd.fill(1);
    let best = this.measure(weights, () => true);
    this.lowerBoundSeconds = weights.usable ? 0 : best;
    shares.fill(1 / stageCount);
    for (let round = 1; weights.usable && round <= this.rounds; round++) {
      this.solve(weights);
      const slowest = this.measure(weights, (v) => network.isOnEnd(v));
      let bound = 0;
      for (let i = 0; i < stageCount; i++) bound += shares[i]! * stages[i]!;
      if (bound > this.lowerBoundSeconds) this.lowerBoundSeconds = bound;
      if (slowest < best) {
        best = slowest;
        for (let v = 0; v < isOnEnd.length; v++) isOnEnd[v] = network.isOnEnd(v) ? 1 : 0;
      }
      if (best <= this.lowerBoundSeconds || slowest === 0) break;
      this.shiftShares(slowest, round);
    }
    // A bound is a sum of rounded terms; it cannot exceed a cut that was seen.
    this.lowerBoundSeconds = Math.min(this.lowerBoundSeconds, best);
    return best;
  }

  /** The layers on the end device in the cut last found, ascending. */
  endLayers(): number[] {
    return firstLayers(this.isOnEnd.length).filter((v) => this.isOnEnd[v] === 1);
  }

  /** The minimum cut of the stages' sum weighted by `shares`. */
  private solve(weights: SumWeights): void {
    const { weighted, shares } = this;
    weighted.end = shares[0]! * weights.end;
    weighted.up = shares[1]! * weights.up;
    weighted.down = shares[2]! * weights.down;
    weighted.edge = shares[3]! * weights.edge;
    this.network.solve(weighted);
  }

  /** Fills `stages` for a cut. @returns the slowest */
  private measure(weights: SumWeights, isOnEnd: (layer: number) => boolean): number {
    const { stages } = this;
    const { graph, tiers } = this.input;
    stages.fill(0);
    for (let v = 0; v < graph.layers.length; v++) {
      if (isOnEnd(v)) stages[0]! += weights.end * tiers[0]!.seconds[v]!;
      else stages[3]! += weights.edge * tiers[1]!.seconds[v]!;
    }
    for (const { producer, consumers, bytes, isOutput } of graph.tensors) {
      if (producer === null || isOnEnd(producer)) {
        if (!consumers.every((c) => isOnEnd(c))) stages[1]! += weights.up * bytes;
      } else if (isOutput) stages[2]! += weights.down * bytes;
    }
    return Math.max(stages[0]!, stages[1]!, stages[2]!, stages[3]!);
  }

  private shiftShares(slowest: number, round: number): void {
    const { shares, stages } = this;
    const rate = 2 / Math.sqrt(round);
    let sum = 0;
    for (let i = 0; i < stageCount; i++) {
      shares[i]! *= Math.exp((rate * stages[i]!) / slowest);
      sum += shares[i]!;
    }
    for (let i = 0; i < stageCount; i++) shares[i]! /= sum;
  }
}
