/**
 * Walks from a placement over moves of single layers by one tier: first until it meets the bounds, then downhill.
 *
 * A move changes what crosses only for the tensors that the layer reads and writes, so the features are kept up to
 * date and not counted anew. While bounds are broken, the move is taken that lessens the breach most for what it
 * costs; then that which lowers the objective most. It ends where no move helps: nothing is proven by it.
 */
import type { FlowBudget } from './cutDual.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { weightedSum } from './features.js';
import { objectiveValue } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';
import type { Steps } from './steps.js';

/** What the choice of a move takes, in maximum flows; more where it has to look at all tensors. */
const [flowsPerPlainMove, flowsPerDeepMove] = [1 / 20, 1];
/** Flows that each walk may take. */
const shortWalk = 2;

interface Standing {
  /** Sum of the breaches, each as a share of its scale. */
  readonly breach: number;
  readonly value: number;
}

export class PlacementWalk {
  private readonly tierOf: number[];
  private readonly features: Float64Array;
  private readonly writes: readonly (readonly number[])[];
  private readonly scales: readonly number[];
  /** Layers per tier. */
  private readonly counts: number[];
  /** Maxima are counted anew, which takes longer, where they are bounded alone. */
  private readonly boundsMemory: boolean;
  private readonly boundsDepth: boolean;

  constructor(
    private readonly states: Omit<StateGraph, 'held'>,
    private readonly encoding: Encoding,
    private readonly objective: ObjectiveFunction,
    private readonly constraints: readonly Constraint[],
    start: { readonly placement: Placement; readonly features: Float64Array },
  ) {
    const { graph } = states;
    this.tierOf = [...start.placement];
    this.features = start.features.slice();
    const writes = graph.layers.map(() => [] as number[]);
    graph.tensors.forEach(({ producer }, t) => producer !== null && writes[producer]!.push(t));
    this.writes = writes;
    this.counts = new Array<number>(states.layout.tierCount).fill(0);
    for (const tier of this.tierOf) this.counts[tier]!++;
    this.boundsMemory = constraints.some(({ name }) => name.endsWith('.memoryBytes'));
    this.boundsDepth = constraints.some(({ name }) => name === 'privacyDepth');
    this.scales = constraints.map(
      ({ weights, limit }) => Math.max(limit, weightedSum(weights, this.features, 0)) || 1,
    );
  }

  /**
   * @param budget is charged for the moves; the walk ends where it is spent, but a short one is always made
   * @returns where the walk ends; a move is a step
   */
  *run(budget: FlowBudget): Steps<Placement> {
    let here = this.standing();
    const flowsPerMove = this.boundsDepth ? flowsPerDeepMove : flowsPerPlainMove;
    const affordable = Math.ceil(Math.max(budget.left, shortWalk) / flowsPerMove);
    // Each move lessens the breach or, among equals, the value: it ends. The cap of its length guards against rounding.
    for (let moves = Math.min(4 * this.tierOf.length, affordable); moves > 0; moves--) {
      yield;
      budget.left -= flowsPerMove;
      let best: { v: number; to: number; standing: Standing } | null = null;
      let bestGain = 0;
      for (let v = 0; v < this.tierOf.length; v++) {
        const from = this.tierOf[v]!;
        for (const to of [from + 1, from - 1]) {
          if (!this.isPossible(v, to)) continue;
          this.move(v, to);
          const standing = this.standing();
          this.move(v, from);
          const gain = gainOf(here, standing);
          if (gain > bestGain) {
            bestGain = gain;
            best = { v, to, standing };
          }
        }
      }
      if (best === null) break;
      this.move(best.v, best.to);
      here = best.standing;
    }
    return this.tierOf;
  }

  private standing(): Standing {
    let breach = 0;
    for (let c = 0; c < this.constraints.length; c++) {
      const { weights, limit } = this.constraints[c]!;
      const over = weightedSum(weights, this.features, 0) - limit;
      if (over > 0) breach += over / this.scales[c]!;
    }
    return { breach, value: objectiveValue(this.objective, this.features, 0) };
  }

  private isPossible(v: number, to: number): boolean {
    const { topology, layout } = this.states;
    if (to < 0 || to >= layout.tierCount) return false;
    return to > this.tierOf[v]!
      ? topology.successors[v]!.every((s) => this.tierOf[s]! >= to)
      : topology.predecessors[v]!.every((p) => this.tierOf[p]! <= to);
  }

  private move(v: number, to: number): void {
    const { graph, tiers, facts, layout } = this.states;
    const { features, tierOf } = this;
    const from = tierOf[v]!;
    const { weightBytes, workingBytes } = graph.layers[v]!;
    this.count(v, -1);
    tierOf[v] = to;
    this.count(v, 1);
    features[layout.seconds + from]! -= tiers[from]!.seconds[v]!;
    features[layout.seconds + to]! += tiers[to]!.seconds[v]!;
    features[layout.weights + from]! -= weightBytes;
    features[layout.weights + to]! += weightBytes;
    this.counts[from]!--;
    this.counts[to]!++;
    for (let h = Math.min(from, to); h < Math.max(from, to); h++) {
      features[layout.bytesDown + h]! += (to > from ? 1 : -1) * facts.outputBytes[v]!;
    }
    let above = 0;
    for (let h = layout.hopCount - 1; h >= 0; h--) {
      above += this.counts[h + 1]!;
      features[layout.hopUsed + h] = above > 0 ? 1 : 0;
    }
    features[layout.working + to] = Math.max(features[layout.working + to]!, workingBytes);
    if (this.boundsMemory && workingBytes >= features[layout.working + from]!) {
      let largest = 0;
      for (let u = 0; u < tierOf.length; u++) {
        if (tierOf[u] === from) largest = Math.max(largest, graph.layers[u]!.workingBytes);
      }
      features[layout.working + from] = largest;
    }
    this.readMaxima();
  }

  /** Adds or takes away what the tensors of layer `v` contribute now. */
  private count(v: number, sign: 1 | -1): void {
    const { graph, facts, layout } = this.states;
    const { features, encoding } = this;
    for (const tensors of [facts.reads[v]!, this.writes[v]!]) {
      for (const t of tensors) {
        const { producer, consumers } = graph.tensors[t]!;
        const from = producer === null ? 0 : this.tierOf[producer]!;
        let to = from;
        for (const c of consumers) to = Math.max(to, this.tierOf[c]!);
        for (let h = from; h < to; h++) {
          features[layout.bytesUp + h]! += sign * encoding.bytes[t]!;
          features[layout.seconds + h]! += sign * encoding.encodeSeconds[t]!;
          features[layout.seconds + h + 1]! += sign * encoding.decodeSeconds[t]!;
        }
      }
    }
  }

  private readMaxima(): void {
    const { graph, facts, layout } = this.states;
    const { features, tierOf, encoding } = this;
    if (this.boundsDepth) {
      let exposure = 0;
      graph.tensors.forEach(({ producer, consumers }, t) => {
        const isBelow = producer === null || tierOf[producer] === 0;
        if (isBelow && consumers.some((c) => tierOf[c]! > 0))
          exposure = Math.max(exposure, facts.maxDepth + 1 - facts.depth[t]!);
      });
      features[layout.exposure] = exposure;
    }
    // Where a hop is used something crosses, but for layers that read nothing: those are counted as if it did.
    const isUsed = layout.hopCount > 0 && features[layout.hopUsed] === 1;
    features[layout.accuracyLoss] = isUsed ? encoding.accuracyLoss : 0;
  }
}

/** Above 0 where `to` is better. */
function gainOf(here: Standing, to: Standing): number {
  if (here.breach === 0) return to.breach > 0 ? 0 : here.value - to.value;
  const lessened = here.breach - to.breach;
  if (lessened <= 1e-12 * here.breach) return 0;
  // What lessens the breach and the value, before all that lessens it for a price.
  return to.value <= here.value
    ? Number.MAX_VALUE * Math.min(0.5, lessened)
    : lessened / (to.value - here.value);
}
