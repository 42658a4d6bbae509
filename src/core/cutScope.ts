/**
 * Where each layer may run in one part of the search: what no placement within the bounds does, and what was
 * decided on the way to that part. A layer that may run on no tier means that the part is empty.
 */
import type { Constraint } from './problem.js';
import type { Encoding } from './encoding.js';
import type { StateGraph } from './stateGraph.js';
import type { Prohibitions } from './cutNetwork.js';

/** Bounds on one tier. */
interface Limits {
  weights: number;
  memory: number;
}

export class CutScope implements Prohibitions {
  private constructor(
    private readonly states: Omit<StateGraph, 'held'>,
    private readonly limits: readonly Limits[],
    readonly layers: Uint8Array,
    readonly tensors: Uint8Array,
    /** Per tier, the working set of the largest layer that can run nowhere else, bytes. */
    readonly leastWorking: Float64Array,
  ) {}

  /** All placements that meet the constraints, and more; null where there is none. */
  static of(
    states: Omit<StateGraph, 'held'>,
    constraints: readonly Constraint[],
    encoding: Encoding,
  ): CutScope | null {
    const { graph, facts, layout } = states;
    const { tierCount } = layout;
    const limits = Array.from({ length: tierCount }, () => ({ weights: Infinity, memory: Infinity }));
    const layers = new Uint8Array(graph.layers.length * tierCount);
    let exposure = Infinity;
    let accuracyLoss = Infinity;
    for (const { name, weights, limit } of constraints) {
      if (name === 'privacyDepth') exposure = limit;
      if (name === 'accuracyLoss') accuracyLoss = limit;
      for (let t = 0; t < tierCount; t++) {
        if (name === `tiers[${t}].weightBytes`) limits[t]!.weights = limit;
        if (name === `tiers[${t}].memoryBytes`) limits[t]!.memory = limit;
      }
      for (let h = 0; h < layout.hopCount; h++) {
        // Weights and features are >= 0: the use of the hop alone is too much.
        if (weights[layout.hopUsed + h]! <= limit) continue;
        for (let v = 0; v < graph.layers.length; v++)
          layers.fill(1, v * tierCount + h + 1, (v + 1) * tierCount);
      }
    }
    const tensors = new Uint8Array(graph.tensors.length * layout.hopCount);
    if (encoding.accuracyLoss > accuracyLoss) tensors.fill(1);
    facts.depth.forEach((depth, t) => {
      if (facts.maxDepth + 1 - depth > exposure) tensors[t * layout.hopCount] = 1;
    });
    const scope = new CutScope(states, limits, layers, tensors, new Float64Array(tierCount));
    return scope.spread() ? scope : null;
  }

  /** The part in which layer `v` runs on tier `tier` or below it, or else above it; null where there is none. */
  part(v: number, tier: number, isBelow: boolean): CutScope | null {
    const { tierCount } = this.states.layout;
    const layers = this.layers.slice();
    if (isBelow) layers.fill(1, v * tierCount + tier + 1, (v + 1) * tierCount);
    else layers.fill(1, v * tierCount, v * tierCount + tier + 1);
    const scope = new CutScope(this.states, this.limits, layers, this.tensors, new Float64Array(tierCount));
    return scope.spread() ? scope : null;
  }

  /** The lowest tier on which a layer may run; `tierCount` for none. */
  lowest(v: number): number {
    const { tierCount } = this.states.layout;
    let tier = 0;
    while (tier < tierCount && this.layers[v * tierCount + tier] === 1) tier++;
    return tier;
  }

  /** The highest tier on which a layer may run; -1 for none. */
  highest(v: number): number {
    const { tierCount } = this.states.layout;
    let tier = tierCount - 1;
    while (tier >= 0 && this.layers[v * tierCount + tier] === 1) tier--;
    return tier;
  }

  holds(placement: readonly number[]): boolean {
    const { tierCount } = this.states.layout;
    return placement.every((tier, v) => this.layers[v * tierCount + tier] === 0);
  }

  /** Draws the conclusions of order and of bounds on tiers until there are none. @returns false where it is empty */
  private spread(): boolean {
    for (let hasChanged = true; hasChanged;) {
      const ordered = this.order();
      if (ordered === null) return false;
      hasChanged = this.fill() || ordered;
    }
    return true;
  }

  /** No layer below one that it reads from. @returns whether anything is new, null where it is empty */
  private order(): boolean | null {
    const { topology, layout } = this.states;
    let isNew = false;
    const count = topology.predecessors.length;
    for (let v = 0; v < count; v++) {
      let from = 0;
      for (const p of topology.predecessors[v]!) from = Math.max(from, this.lowest(p));
      if (from >= layout.tierCount) return null;
      if (this.bar(v, 0, from)) isNew = true;
    }
    for (let v = count - 1; v >= 0; v--) {
      let to = layout.tierCount - 1;
      for (const s of topology.successors[v]!) to = Math.min(to, this.highest(s));
      if (this.bar(v, to + 1, layout.tierCount)) isNew = true;
      if (this.lowest(v) >= layout.tierCount) return null;
    }
    return isNew;
  }

  private bar(v: number, from: number, to: number): boolean {
    const { tierCount } = this.states.layout;
    let isNew = false;
    for (let t = from; t < to; t++) {
      if (this.layers[v * tierCount + t] === 0) isNew = true;
      this.layers[v * tierCount + t] = 1;
    }
    return isNew;
  }

  /** What no longer fits beside the layers that can run nowhere else. @returns whether anything is new */
  private fill(): boolean {
    const { graph, layout } = this.states;
    const weights = new Float64Array(layout.tierCount);
    this.leastWorking.fill(0);
    const isFixed = graph.layers.map(({ weightBytes, workingBytes }, v) => {
      const t = this.lowest(v);
      if (t !== this.highest(v)) return false;
      weights[t]! += weightBytes;
      this.leastWorking[t] = Math.max(this.leastWorking[t]!, workingBytes);
      return true;
    });
    let isNew = false;
    graph.layers.forEach(({ weightBytes, workingBytes }, v) => {
      for (let t = 0; t < layout.tierCount; t++) {
        const together = (weights[t]! + (isFixed[v]! ? 0 : weightBytes)) * (1 - rounding);
        const working = Math.max(this.leastWorking[t]!, workingBytes);
        const limit = this.limits[t]!;
        const isTooMuch = together > limit.weights || (together + working) * (1 - rounding) > limit.memory;
        if (isTooMuch && this.bar(v, t, t + 1)) isNew = true;
      }
    });
    return isNew;
  }
}

/** Sums of the same bytes in another order differ by less than this share. */
const rounding = 1e-12;
