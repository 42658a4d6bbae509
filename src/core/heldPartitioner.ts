/** Decides over held states: GADS where all constraints can be met, the least violation where they cannot. */
import { compareCandidates, type Candidate } from './candidate.js';
import type { Context } from './context.js';
import { cutTensorsOf, featuresOfCut } from './cut.js';
import type { Decision } from './decision.js';
import { Gads } from './gads.js';
import type { Alternative, Partitioner } from './partitioner.js';
import { predictionOf, violationsOf } from './prediction.js';
import { assess, type Problem } from './problem.js';
import { relaxed } from './relax.js';
import { endLayersOf, type HeldStates, type StateGraph } from './stateGraph.js';

interface CutDescription {
  readonly endLayers: readonly number[];
  readonly cutTensors: readonly number[];
}

/** Descriptions remembered before all are forgotten. */
const maxDescribed = 4096;

export class HeldPartitioner implements Partitioner {
  readonly stateCount: number;
  readonly neighbourCount: number;
  private readonly gads: Gads;
  private readonly described = new Map<number, CutDescription>();
  /** By identity: a caller hands back the array that it was given. */
  private readonly stateOf = new WeakMap<readonly number[], number>();

  constructor(
    private readonly states: StateGraph,
    private readonly held: HeldStates,
  ) {
    this.gads = new Gads(held);
    this.stateCount = held.count;
    this.neighbourCount = held.neighbours.length;
  }

  decide(context: Context, present: readonly number[] | null = null): Decision {
    const { gads } = this;
    const problem = assess(context, this.states.layout);
    gads.visited = 0;
    const state = this.best(problem, present === null ? -1 : this.find(present));
    const { endLayers, cutTensors, prediction, violations } = this.alternative(state, context, problem);
    return {
      algorithm: 'gads',
      endLayers,
      cutTensors,
      prediction,
      violations,
      optimality: { kind: 'exact' },
      statesVisited: gads.visited,
      assumed: problem.assumed,
      notJudged: problem.notJudged,
    };
  }

  predict(context: Context, endLayers: readonly number[]): Alternative {
    const problem = assess(context, this.states.layout);
    const features = featuresOfCut(this.states, this.states.topology, endLayers);
    return {
      endLayers: [...endLayers].sort((a, b) => a - b),
      cutTensors: cutTensorsOf(this.states.graph, endLayers),
      prediction: predictionOf(features, this.states.layout, context, problem),
      violations: violationsOf(features, this.states.layout, problem),
    };
  }

  alternatives(context: Context, limit: number): readonly Alternative[] {
    const problem = assess(context, this.states.layout);
    const best: Candidate[] = [];
    for (let state = 0; state < this.held.count; state++) {
      const candidate = this.candidate(state, problem);
      if (best.length === limit && compareCandidates(candidate, best[limit - 1]!) >= 0) continue;
      const at = best.findIndex((other) => compareCandidates(candidate, other) < 0);
      best.splice(at < 0 ? best.length : at, 0, candidate);
      if (best.length > limit) best.pop();
    }
    return best.map(({ state }) => this.alternative(state, context, problem));
  }

  private best(problem: Problem, present: number): number {
    const { gads } = this;
    const state = gads.search(problem.objective, problem.constraints, present);
    if (state >= 0) return state;
    const met = relaxed(
      problem.constraints,
      (objective, constraints) => gads.search(objective, constraints, present),
      (weights, s) => gads.valueOf(weights, s),
    );
    return gads.search(problem.objective, met, present);
  }

  private candidate(state: number, problem: Problem): Candidate {
    const excess = problem.constraints.map(({ weights, limit }) =>
      Math.max(0, this.gads.valueOf(weights, state) - limit),
    );
    return { state, excess, value: this.gads.valueOf(problem.objective, state) };
  }

  private alternative(state: number, context: Context, problem: Problem): Alternative {
    const { layout } = this.states;
    const features = this.held.features.subarray(state * layout.length, (state + 1) * layout.length);
    return {
      ...this.describe(state),
      prediction: predictionOf(features, layout, context, problem),
      violations: violationsOf(features, layout, problem),
    };
  }

  /** The cut of a state in words that leave the core; remembered, since a deployment visits few of its states. */
  private describe(state: number): CutDescription {
    const known = this.described.get(state);
    if (known) return known;
    const endLayers = endLayersOf(this.held, state);
    const description = { endLayers, cutTensors: cutTensorsOf(this.states.graph, endLayers) };
    if (this.described.size >= maxDescribed) this.described.clear();
    this.described.set(state, description);
    this.stateOf.set(endLayers, state);
    return description;
  }

  /** The held state with these layers on the end device; -1 where it was pruned or is no cut of this graph. */
  private find(endLayers: readonly number[]): number {
    const known = this.stateOf.get(endLayers);
    if (known !== undefined) return known;
    const { masks, words, count } = this.held;
    const wanted = new Uint32Array(words);
    for (const v of endLayers) wanted[v >>> 5]! |= 1 << (v & 31);
    let found = -1;
    for (let state = 0; state < count && found < 0; state++) {
      let w = 0;
      while (w < words && masks[state * words + w] === wanted[w]) w++;
      if (w === words) found = state;
    }
    this.stateOf.set(endLayers, found);
    return found;
  }
}
