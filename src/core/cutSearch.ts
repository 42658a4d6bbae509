/**
 * Decisions for graphs whose states are too many to hold: minimum cuts under Lagrange multipliers.
 *
 * Problem. Minimise an objective under bounds over all valid placements. Algorithm: with a price (multiplier) on each
 * bound the least weighted sum is a minimum cut (cutNetwork.ts) and bounds the optimum from below; raising the price
 * of what is broken and lowering that of what is not (subgradient, Polyak's step) tightens it. A bottleneck is the
 * largest of several sums, so any mix of them bounds it from below likewise. Every placement met is a candidate; the
 * best that meets the bounds is improved by moving single layers. Exact where no bound is active; else the gap
 * between the best candidate and the best lower bound is proven. Complexity: one maximum flow per tier, encoding and
 * step. Source: Held and Karp, 1971 (multipliers); Polyak, 1969 (step). Rejected: branching on layers to close the
 * gap, whose time has no useful bound.
 */
import { compareCandidates, type Candidate } from './candidate.js';
import { featuresOfPlacement } from './cut.js';
import { CutNetwork, type Prohibitions } from './cutNetwork.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { weightedSum } from './features.js';
import { objectiveValue } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';

export interface Found extends Candidate {
  readonly placement: Placement;
  readonly encoding: Encoding;
  readonly features: Float64Array;
}

/** Sums of many terms differ by less than this share, depending on their order: a bound gives it away to stay true. */
const rounding = 1e-12;

/** Steps of the subgradient; the bound hardly moves after some tens. */
const steps = 40;

export class CutSearch {
  /** Placements looked at since this was last set to 0. */
  visited = 0;
  private readonly network: CutNetwork;

  constructor(private readonly states: Omit<StateGraph, 'held'>) {
    this.network = new CutNetwork(states);
  }

  /** The candidate for a placement: how much it breaks each constraint, and what it costs. */
  candidate(
    placement: Placement,
    encoding: Encoding,
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
  ): Found {
    const { graph, tiers, facts, layout } = this.states;
    this.visited++;
    const features = featuresOfPlacement(graph, tiers, facts, layout, placement, encoding);
    return {
      placement,
      encoding,
      features,
      excess: constraints.map((c) => Math.max(0, weightedSum(c.weights, features, 0) - c.limit)),
      value: objectiveValue(objective, features, 0),
    };
  }

  /**
   * The best placement found, and a proven lower bound of what any placement that meets the constraints costs
   * (Infinity where it is proven that none does).
   * @param starts placements to begin with, at least one
   */
  search(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    starts: readonly Placement[],
  ): { readonly best: Found; readonly lowerBound: number } {
    let best: Found | null = null;
    const consider = (found: Found): Found => {
      if (best === null || compareCandidates(found, best) < 0) best = found;
      return found;
    };
    const { encodings } = this.states;
    // The first cut of a plain sum is the optimum: other starts would only take time.
    const isPlain = constraints.length === 0 && objective.stageWeight === 0;
    for (const start of isPlain ? starts.slice(0, 1) : starts) {
      consider(this.candidate(start, encodings[0]!, objective, constraints));
    }
    const lowerBound = encodings.reduce(
      (least, encoding) =>
        Math.min(
          least,
          this.bound(objective, constraints, encoding, consider, () => best!.value),
        ),
      Infinity,
    );
    if (isPlain && best!.value <= lowerBound) return { best: best!, lowerBound };
    return { best: this.improve(best!, objective, constraints), lowerBound };
  }

  /** The lower bound for one encoding; tells `consider` of all placements on the way. */
  private bound(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    encoding: Encoding,
    consider: (found: Found) => Found,
    upper: () => number,
  ): number {
    const prohibited = this.prohibitions(constraints);
    const priced = constraints.filter(({ name }) => name !== 'privacyDepth');
    const prices = new Float64Array(priced.length);
    const stageCount = objective.stages.filter((seconds) => seconds > 0).length;
    const mix = objective.stages.map((seconds) => (seconds > 0 ? 1 / stageCount : 0));
    let lower = 0;
    for (let step = 0; step < steps; step++) {
      const weights = this.combined(objective, priced, prices, mix);
      const spent = paid(priced, prices);
      let least = Infinity;
      let cheapest = Infinity;
      let leader: Found | null = null;
      for (const cut of this.network.cuts(weights, encoding, prohibited)) {
        const found = consider(this.candidate(cut.placement, encoding, objective, constraints));
        least = Math.min(least, cut.least * (1 - rounding) - spent * (1 + rounding));
        const value = weightedSum(weights, found.features, 0);
        if (value < cheapest) {
          cheapest = value;
          leader = found;
        }
      }
      lower = Math.max(lower, least);
      // No placement at all without what is prohibited: nothing meets the constraints.
      if (leader === null) return Infinity;
      if (!this.raise(objective, priced, prices, mix, leader, upper() - least)) break;
    }
    return lower;
  }

  /** Moves the prices along the subgradient; false where there is nothing to move. */
  private raise(
    objective: ObjectiveFunction,
    priced: readonly Constraint[],
    prices: Float64Array,
    mix: Float64Array,
    { features }: Found,
    distance: number,
  ): boolean {
    const values = priced.map(({ weights }) => weightedSum(weights, features, 0));
    // Scaled by the larger of value and limit, so that bytes and joules move alike.
    const scales = priced.map(({ limit }, c) => Math.max(limit, values[c]!) || 1);
    const slopes = priced.map(({ limit }, c) => (values[c]! - limit) / scales[c]!);
    const norm = slopes.reduce((sum, slope, c) => sum + (slope > 0 || prices[c]! > 0 ? slope * slope : 0), 0);
    if (norm > 0 && distance > 0) {
      slopes.forEach((slope, c) => {
        prices[c] = Math.max(0, prices[c]! + (distance * slope) / norm / scales[c]!);
      });
    }
    const isMixed = objective.stageWeight > 0 && this.remix(objective, mix, features);
    return (norm > 0 && distance > 0) || isMixed;
  }

  /** Shifts the mix of stages towards the slowest one (multiplicative weights). */
  private remix(objective: ObjectiveFunction, mix: Float64Array, features: Float64Array): boolean {
    const seconds = objective.stages.map((each, f) => each * features[f]!);
    const slowest = Math.max(...seconds);
    if (!(slowest > 0)) return false;
    let sum = 0;
    seconds.forEach((s, i) => {
      mix[i]! *= Math.exp((0.3 * s) / slowest);
      sum += mix[i]!;
    });
    for (let i = 0; i < mix.length; i++) mix[i]! /= sum;
    return true;
  }

  private combined(
    objective: ObjectiveFunction,
    priced: readonly Constraint[],
    prices: Float64Array,
    mix: Float64Array,
  ): Float64Array {
    const weights = objective.linear.slice();
    for (let f = 0; f < weights.length; f++) {
      weights[f]! += objective.stageWeight * mix[f]! * objective.stages[f]!;
      priced.forEach((constraint, c) => (weights[f]! += prices[c]! * constraint.weights[f]!));
    }
    this.dropMaxima(weights);
    return weights;
  }

  /** A maximum is no sum over layers: without its price the sum is still a lower bound. */
  private dropMaxima(weights: Float64Array): void {
    const { layout } = this.states;
    weights.fill(0, layout.working, layout.working + layout.tierCount);
    weights[layout.exposure] = 0;
    weights[layout.accuracyLoss] = 0;
  }

  /** What breaks a bound alone, whatever else is placed where. */
  private prohibitions(constraints: readonly Constraint[]): Prohibitions {
    const { graph, facts, layout } = this.states;
    const limits = Array.from({ length: layout.tierCount }, () => ({ weights: Infinity, memory: Infinity }));
    let exposure = Infinity;
    const usable = Array.from({ length: layout.hopCount }, () => true);
    for (const { name, weights, limit } of constraints) {
      if (name === 'privacyDepth') exposure = limit;
      for (let t = 0; t < layout.tierCount; t++) {
        if (name === `tiers[${t}].weightBytes`) limits[t]!.weights = limit;
        if (name === `tiers[${t}].memoryBytes`) limits[t]!.memory = limit;
      }
      for (let h = 0; h < layout.hopCount; h++)
        if (weights[layout.hopUsed + h] === 1 && limit < 1) usable[h] = false;
    }
    const layers = new Uint8Array(graph.layers.length * layout.tierCount);
    graph.layers.forEach(({ weightBytes, workingBytes }, v) => {
      for (let t = 0; t < layout.tierCount; t++) {
        const { weights, memory } = limits[t]!;
        const isAbove = usable.slice(0, t).includes(false);
        if (isAbove || weightBytes > weights || weightBytes + workingBytes > memory)
          layers[v * layout.tierCount + t] = 1;
      }
    });
    const tensors = Uint8Array.from(facts.depth, (depth) => (facts.maxDepth + 1 - depth > exposure ? 1 : 0));
    return { layers, tensors };
  }

  /** Steepest descent by moves of single layers. */
  private improve(start: Found, objective: ObjectiveFunction, constraints: readonly Constraint[]): Found {
    const { topology, layout } = this.states;
    let best = start;
    for (let isBetter = true; isBetter;) {
      isBetter = false;
      const here = best;
      here.placement.forEach((tier, v) => {
        const up = tier < layout.hopCount && topology.successors[v]!.every((s) => here.placement[s]! > tier);
        const down = tier > 0 && topology.predecessors[v]!.every((p) => here.placement[p]! < tier);
        for (const moved of [...(up ? [tier + 1] : []), ...(down ? [tier - 1] : [])]) {
          const placement = here.placement.with(v, moved);
          const found = this.candidate(placement, here.encoding, objective, constraints);
          if (compareCandidates(found, best) < 0) {
            best = found;
            isBetter = true;
          }
        }
      });
    }
    return best;
  }
}

function paid(priced: readonly Constraint[], prices: Float64Array): number {
  return priced.reduce((sum, { limit }, c) => sum + prices[c]! * limit, 0);
}
