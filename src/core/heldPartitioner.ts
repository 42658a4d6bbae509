/** Decides over held states: GADS where all constraints can be met, the least violation where they cannot. */
import { bestStates } from './bestStates.js';
import { Certificates } from './certificates.js';
import type { Context } from './context.js';
import { isLevel } from './courses.js';
import { crossingTensors, endLayersOf } from './cut.js';
import type { ConstraintName, Decision, Placement } from './decision.js';
import { encodingNamed } from './encoding.js';
import { Gads } from './gads.js';
import type { Alternative, Partitioner, PlacedAs } from './partitioner.js';
import { brokenBy, objectiveOfState, predictionOf, violationsOf } from './prediction.js';
import { placedCut, predictPlaced, preferredOf, type PlacedCut } from './predictPlacement.js';
import { assess, Assessor, type Problem } from './problem.js';
import { rangesOf, type Range } from './ranges.js';
import { relaxed } from './relax.js';
import type { Steps } from './steps.js';
import { maskOf, stateWithMask } from './stateIndex.js';
import { placementOfState, type HeldStates, type StateGraph } from './stateGraph.js';

type CutDescription = Pick<Alternative, 'placement' | 'endLayers' | 'cutTensors' | 'encoding'>;

const none: readonly ConstraintName[] = [];

/** Descriptions remembered before all are forgotten. */
const maxDescribed = 4096;

export class HeldPartitioner implements Partitioner {
  readonly stateCount: number;
  private readonly gads: Gads;
  private readonly certificates: Certificates;
  private readonly assessor: Assessor;
  private readonly described = new Map<number, CutDescription>();
  /** By identity: a caller hands back the placement that it was given. */
  private readonly stateOf = new WeakMap<Placement, number>();
  private assessed: { readonly context: Context; readonly problem: Problem } | null = null;
  /** By identity too: a policy asks for the same few placements in every context. */
  private readonly placed = new WeakMap<Placement, readonly PlacedCut[]>();

  constructor(
    private readonly states: StateGraph,
    private readonly held: HeldStates,
  ) {
    this.gads = new Gads(held);
    this.assessor = new Assessor(states.layout, states.facts.maxDepth);
    const { features } = held;
    const { layout } = states;
    const largest = largestOf(features, layout.length);
    this.certificates = new Certificates({ gads: this.gads, features, layout, largest });
    this.stateCount = held.count;
  }

  decide(context: Context, present: PlacedAs | null = null, found: () => void = () => undefined): Decision {
    const { gads } = this;
    const start = present === null ? -1 : this.find(present);
    const problem = this.assess(context);
    gads.visited = 0;
    const proven = this.certificates.find(problem);
    const best = proven >= 0 ? proven : gads.search(problem.objective, problem.constraints, start);
    const state = best >= 0 ? best : this.leastViolation(problem, start);
    found();
    if (proven < 0 && best >= 0) this.certificates.learn(problem, best);
    const { placement, endLayers, cutTensors, encoding, objectiveValue, prediction, violations } =
      this.alternative(state, context, problem);
    // field by field: a spread costs more than all of the search, and this runs for each telemetry frame
    return {
      algorithm: 'gads',
      placement,
      endLayers,
      cutTensors,
      encoding,
      objectiveValue,
      prediction,
      violations,
      optimality: { kind: 'exact' },
      statesVisited: gads.visited,
      certified: proven >= 0,
      assumed: problem.assumed,
      notJudged: problem.notJudged,
    };
  }

  confirmed(
    context: Context,
    placement: Placement,
    ratios?: readonly number[],
  ): readonly ConstraintName[] | null {
    const state = this.find({ placement });
    if (state < 0) return null;
    this.assessed = null; // its arrays are written over
    const problem = this.assessor.assess(context, ratios);
    const proven = this.certificates.find(problem);
    if (proven >= 0) return proven === state ? none : null;
    const best = this.gads.search(problem.objective, problem.constraints, state);
    if (best >= 0) {
      this.certificates.learn(problem, best);
      return best === state ? none : null;
    }
    if (this.leastViolation(problem, state) !== state) return null;
    return brokenBy(this.featuresOf(state), this.states.layout, problem);
  }

  predict(context: Context, placement: Placement, encoding?: string): Alternative {
    const problem = this.assess(context);
    const cuts = this.placedCuts(placement);
    const cut =
      encoding === undefined
        ? preferredOf(problem, cuts)
        : cuts[this.states.encodings.indexOf(encodingNamed(this.states.encodings, encoding))]!;
    return predictPlaced(this.states, problem, context, cut);
  }

  /** One per encoding. */
  private placedCuts(placement: Placement): readonly PlacedCut[] {
    const known = this.placed.get(placement);
    if (known !== undefined) return known;
    const cuts = this.states.encodings.map((encoding) => placedCut(this.states, placement, encoding));
    this.placed.set(placement, cuts);
    return cuts;
  }

  /** States are held: each decision is the best one. */
  *thorough(context: Context, present: PlacedAs | null = null): Steps<Decision> {
    return this.decide(context, present);
  }

  *ranges(context: Context, decision: Decision): Steps<readonly Range[]> {
    const encoding = encodingNamed(this.states.encodings, decision.encoding);
    const own = placedCut(this.states, decision.placement, encoding).features;
    const { features } = this.held;
    const { layout, facts } = this.states;
    const width = layout.length;
    // of its own, since decisions are made between two steps
    const gads = new Gads(this.held);
    const assessor = new Assessor(layout, facts.maxDepth);
    const isBest = (now: Context): boolean => {
      const problem = assessor.assess(now);
      const best = gads.decide(problem, -1);
      return isLevel(problem, features.subarray(best * width, (best + 1) * width), own);
    };
    // problems that are looked at side by side, so not the one whose arrays are written over
    const fresh = (now: Context): Problem => assess(now, layout, facts.maxDepth);
    return yield* rangesOf(context, { own, features, assess: fresh, isBest });
  }

  *alternatives(context: Context, limit: number): Steps<readonly Alternative[]> {
    const { layout, facts } = this.states;
    const problem = assess(context, layout, facts.maxDepth);
    const alternatives: Alternative[] = [];
    for (const state of yield* bestStates(this.held.features, layout.length, problem, limit)) {
      yield;
      alternatives.push(this.alternative(state, context, problem));
    }
    return alternatives;
  }

  /** Of the context last asked about, once: a decision is followed by predictions in the same context. */
  private assess(context: Context): Problem {
    if (this.assessed?.context !== context) {
      this.assessed = null; // its arrays are written over, whatever comes of it
      const problem = this.assessor.assess(context);
      this.assessed = { context, problem };
    }
    return this.assessed.problem;
  }

  private leastViolation(problem: Problem, present: number): number {
    const { gads } = this;
    const met = relaxed(
      problem.constraints,
      present,
      (objective, constraints) => gads.search(objective, constraints, present),
      (objective, s) => gads.valueOf(objective, s),
    );
    return gads.search(problem.objective, met, present);
  }

  private alternative(state: number, context: Context, problem: Problem): Alternative {
    const { layout, facts } = this.states;
    const features = this.featuresOf(state);
    const { placement, endLayers, cutTensors, encoding } = this.describe(state);
    return {
      placement,
      endLayers,
      cutTensors,
      encoding,
      objectiveValue: objectiveOfState(features, layout, problem),
      prediction: predictionOf(features, layout, facts.maxDepth, context, problem),
      violations: violationsOf(features, layout, facts.maxDepth, problem),
    };
  }

  private featuresOf(state: number): Float64Array {
    const { length } = this.states.layout;
    return this.held.features.subarray(state * length, (state + 1) * length);
  }

  /** The cut of a state in words that leave the core; remembered, since a deployment visits few of its states. */
  private describe(state: number): CutDescription {
    const known = this.described.get(state);
    if (known) return known;
    const { graph, encodings } = this.states;
    const { placement, encoding } = placementOfState(this.states, this.held, state);
    const description = {
      placement,
      endLayers: endLayersOf(placement),
      cutTensors: crossingTensors(graph, placement, 0),
      encoding: encodings[encoding]!.name,
    };
    if (this.described.size >= maxDescribed) this.described.clear();
    this.described.set(state, description);
    this.stateOf.set(placement, state);
    return description;
  }

  /**
   * The held state of a cut, in any encoding where none is named; -1 where it was pruned or is no cut of this graph.
   * Only the start of a search: whatever it is, the answer is the same.
   */
  private find({ placement, encoding }: PlacedAs): number {
    const known = this.stateOf.get(placement);
    const { encodings } = this.states;
    if (known !== undefined) {
      if (encoding === undefined || encodings.length === 1) return known;
      if (known >= 0 && encodings[this.held.masks[(known + 1) * this.held.words - 1]!]!.name === encoding)
        return known;
    }
    let found = -1;
    for (let e = 0; e < encodings.length && found < 0; e++) {
      if (encoding !== undefined && encodings[e]!.name !== encoding) continue;
      found = this.stateWith(placement, e);
    }
    if (known === undefined) this.stateOf.set(placement, found);
    return found;
  }

  private stateWith(placement: Placement, encoding: number): number {
    const { tierCount } = this.states.layout;
    if (placement.length !== this.states.graph.layers.length) return -1;
    return stateWithMask(this.held, maskOf(placement, tierCount, encoding));
  }
}

function largestOf(features: Float64Array, width: number): Float64Array {
  const largest = new Float64Array(width);
  features.forEach((value, i) => (largest[i % width] = Math.max(largest[i % width]!, value)));
  return largest;
}
