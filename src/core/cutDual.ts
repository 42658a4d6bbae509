/**
 * What the placements of a part cost at least, from minimum cuts at the best prices found.
 *
 * Each bound has a price (multiplier), and each stage of a bottleneck a share of its weight: the cheapest placement at
 * these is a minimum cut, and its sum less what the limits earn is a bound from below. The prices come from
 * multiplierProgram.ts, half way back to the best so far, which keeps them from jumping.
 */
import type { CutNetwork } from './cutNetwork.js';
import type { CutScope } from './cutScope.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { weightedSum, type FeatureLayout } from './features.js';
import type { Found } from './foundCut.js';
import { MultiplierProgram } from './multiplierProgram.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { Steps } from './steps.js';

/** Maximum flows that may still be run. */
export interface FlowBudget {
  left: number;
  /** Of these, what is not to be spent before a placement within the bounds is found. */
  readonly reserved: number;
}

export interface Bounded {
  /** What any placement of the part that meets the constraints costs at least. */
  readonly lowerBound: number;
  /** Placements of the part, and their shares in the mix that meets the bounds for least. */
  readonly seen: readonly Found[];
  readonly shares: Float64Array;
  /** The cheapest at the last prices; null where the budget left no flow. */
  readonly leader: Found | null;
}

export interface Watcher {
  readonly consider: (placement: Placement) => Found;
  /** A bound that is this high needs not to be any higher. */
  readonly cutoff: () => number;
}

/** Sums of many terms differ by less than this share, depending on their order: a bound gives it away to stay true. */
const rounding = 1e-12;
/** Where no prices known promise more than this share, the bound is as good as it gets. */
const convergence = 1e-9;

export class CutDual {
  /** Bounds that are sums, without the maxima in them. */
  private readonly sums: readonly { weights: Float64Array; limit: number; memoryOf: number | null }[];
  private readonly linear: Float64Array;
  private readonly stages: readonly number[];

  constructor(
    private readonly layout: FeatureLayout,
    private readonly network: CutNetwork,
    private readonly objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    private readonly budget: FlowBudget,
  ) {
    this.sums = constraints
      .filter(({ name }) => name !== 'privacyDepth' && name !== 'accuracyLoss')
      .map(({ name, weights, limit }) => {
        const tier = layout.memoryUnits.findIndex((_, t) => name === `tiers[${t}].memoryBytes`);
        return { weights: this.withoutMaxima(weights), limit, memoryOf: tier < 0 ? null : tier };
      });
    this.linear = this.withoutMaxima(objective.linear);
    const { stageWeight, stages } = objective;
    this.stages = stageWeight === 0 ? [] : [...stages.keys()].filter((f) => stages[f]! > 0);
  }

  /** @returns null where the part is empty; the flows at one set of prices are a step */
  *bound(
    scope: CutScope,
    encoding: Encoding,
    known: readonly Found[],
    steps: number,
    { consider, cutoff }: Watcher,
  ): Steps<Bounded | null> {
    const limits = this.sums.map(({ limit, memoryOf }) =>
      memoryOf === null ? limit : limit - scope.leastWorking[memoryOf]!,
    );
    const seen: Found[] = [];
    const keys = new Set<string>();
    let program: ScaledProgram | null = null;
    const add = (found: Found): void => {
      const key = found.placement.join();
      if (keys.has(key)) return;
      keys.add(key);
      seen.push(found);
      program ??= new ScaledProgram(
        this.rows(found, limits),
        this.objective.stageWeight,
        known.map((k) => this.rows(k, limits)),
      );
      program.add(this.rows(found, limits));
    };
    known.forEach(add);
    let lowerBound = 0;
    let best = this.evenPrices();
    let prices = best;
    let leader: Found | null = null;
    for (let step = 0; step < steps && this.budget.left > 0; step++) {
      yield;
      const promised: { value: number; prices: Float64Array } | null =
        (program as ScaledProgram | null)?.solve() ?? null;
      if (promised !== null) {
        if (step > 0 && promised.value - lowerBound <= convergence * Math.abs(promised.value)) break;
        prices = promised.prices;
        if (step > 0 && step % 2 === 1) prices = prices.map((p, i) => (p + best[i]!) / 2);
      }
      const cuts = this.cuts(prices, scope, encoding);
      if (cuts.length === 0) return null;
      const paid = limits.reduce((sum, limit, c) => sum + prices[c]! * limit, 0);
      const slack = limits.reduce((sum, limit, c) => sum + prices[c]! * Math.abs(limit), 0) * rounding;
      let least = Infinity;
      let leading = Infinity;
      for (const cut of cuts) {
        const found = consider(cut.placement);
        add(found);
        if (cut.least < leading) {
          leading = cut.least;
          leader = found;
        }
        least = Math.min(least, cut.least * (1 - rounding) - paid - slack);
      }
      if (least > lowerBound || step === 0) {
        lowerBound = Math.max(lowerBound, least);
        best = prices;
      }
      if (lowerBound >= cutoff()) break;
    }
    (program as ScaledProgram | null)?.solve();
    const shares = (program as ScaledProgram | null)?.shares() ?? new Float64Array(0);
    return { lowerBound, seen, shares, leader };
  }

  private cuts(prices: Float64Array, scope: CutScope, encoding: Encoding): ReturnType<CutNetwork['cuts']> {
    const { stages } = this.objective;
    const weights = this.linear.slice();
    this.sums.forEach((sum, c) => {
      if (prices[c]! > 0)
        for (let f = 0; f < weights.length; f++) weights[f]! += prices[c]! * sum.weights[f]!;
    });
    this.stages.forEach((f, s) => (weights[f]! += prices[this.sums.length + s]! * stages[f]!));
    const before = this.network.flowCount;
    const cuts = this.network.cuts(weights, encoding, scope);
    this.budget.left -= this.network.flowCount - before;
    return cuts;
  }

  /** Nothing for the bounds, and the same for each stage. */
  private evenPrices(): Float64Array {
    const prices = new Float64Array(this.sums.length + this.stages.length);
    return prices.fill(this.objective.stageWeight / this.stages.length, this.sums.length);
  }

  private rows({ features }: Found, limits: readonly number[]): Rows {
    const { stages } = this.objective;
    return {
      cost: weightedSum(this.linear, features, 0),
      values: this.sums.map(({ weights }) => weightedSum(weights, features, 0)),
      limits,
      stages: this.stages.map((f) => stages[f]! * features[f]!),
    };
  }

  /** A maximum is no sum over layers: without its price the sum is still a lower bound. */
  private withoutMaxima(weights: Float64Array): Float64Array {
    const { layout } = this;
    const sum = weights.slice();
    sum.fill(0, layout.working, layout.working + layout.tierCount);
    sum[layout.exposure] = 0;
    sum[layout.accuracyLoss] = 0;
    return sum;
  }
}

/** One placement in the program. */
interface Rows {
  readonly cost: number;
  readonly values: readonly number[];
  readonly limits: readonly number[];
  readonly stages: readonly number[];
}

/** The program in units in which its rows are about 1. */
class ScaledProgram {
  private program: MultiplierProgram | null = null;
  private readonly costScale: number;
  private readonly scales: readonly number[];
  private readonly stageScale: number;

  constructor(
    first: Rows,
    private readonly stageWeight: number,
    others: readonly Rows[],
  ) {
    const all = [first, ...others];
    this.stageScale = Math.max(...all.flatMap(({ stages }) => stages), 0) || 1;
    this.costScale =
      Math.max(...all.map(({ cost, stages }) => cost + stageWeight * Math.max(...stages, 0))) || 1;
    this.scales = first.limits.map(
      (limit, c) => Math.max(Math.abs(limit), ...all.map(({ values }) => values[c]!)) || 1,
    );
  }

  add({ cost, values, limits, stages }: Rows): void {
    const rows = Float64Array.from([
      ...values.map((value, c) => (value - limits[c]!) / this.scales[c]!),
      ...stages.map((seconds) => seconds / this.stageScale),
    ]);
    const scaled = cost / this.costScale;
    if (this.program !== null) {
      this.program.add(scaled, rows);
      return;
    }
    const stagePrice = (this.stageWeight * this.stageScale) / this.costScale;
    this.program = new MultiplierProgram(values.length, stages.length, stagePrice, scaled, rows);
  }

  solve(): { value: number; prices: Float64Array } {
    const prices = new Float64Array(this.program!.priceCount);
    const value = this.program!.solve(prices) * this.costScale;
    let shared = 0;
    prices.forEach((price, r) => {
      const scale = this.scales[r] ?? this.stageScale;
      prices[r] = (price * this.costScale) / scale;
      if (r >= this.scales.length) shared += prices[r];
    });
    // The shares of the bottleneck's weight must not be more than all of it.
    const excess = shared > this.stageWeight ? this.stageWeight / shared : 1;
    for (let r = this.scales.length; r < prices.length; r++) prices[r]! *= excess;
    return { value, prices };
  }

  shares(): Float64Array {
    return this.program!.shares();
  }
}
