/** Decides where the states are too many to hold: by minimum cuts, exactly or within a proven gap. */
import { compareCandidates, isWithin } from './candidate.js';
import type { Context } from './context.js';
import { CutNetwork } from './cutNetwork.js';
import { CutSearch, thoroughWork, type Placements } from './cutSearch.js';
import type { Decision, Optimality, Placement } from './decision.js';
import type { Found } from './foundCut.js';
import type { Alternative, Partitioner, PlacedAs } from './partitioner.js';
import { predictPlacement } from './predictPlacement.js';
import type { Range } from './ranges.js';
import { assess, Assessor, type Problem } from './problem.js';
import type { StateGraph } from './stateGraph.js';
import { finished, type Steps } from './steps.js';

/** Alternatives looked at in one step. */
const triedPerStep = 16;

/** A bound and a value that differ by less are equal up to the rounding of their sums. */
const rounding = 1e-9;

export class CutPartitioner implements Partitioner {
  readonly stateCount = 0;
  private readonly network: CutNetwork;
  private readonly search: CutSearch;
  private readonly assessor: Assessor;
  private readonly prefixes: Prefixes;

  /** @param work of a decision (cutSearch.ts); what is `thorough` takes `thoroughWork`, or this where it is more */
  constructor(
    private readonly states: Omit<StateGraph, 'held'>,
    private readonly work = thoroughWork,
  ) {
    this.network = new CutNetwork(states);
    this.search = new CutSearch(states, this.network, work);
    this.assessor = new Assessor(states.layout, states.facts.maxDepth);
    this.prefixes = new Prefixes(states.graph.layers.length, states.layout.hopCount);
  }

  decide(
    context: Context,
    present: { readonly placement: Placement } | null = null,
    found: () => void = () => undefined,
  ): Decision {
    const problem = this.assess(context);
    this.search.visited = 0;
    const steps = this.best(this.search, problem, present?.placement ?? null);
    return this.inWords(context, problem, this.search, finished(steps), found);
  }

  *thorough(context: Context, present: PlacedAs | null = null): Steps<Decision> {
    // of its own, since decisions are made between two steps
    const search = new CutSearch(this.states, this.network, Math.max(this.work, thoroughWork));
    const problem = this.assessAlone(context);
    const answer = yield* this.best(search, problem, present?.placement ?? null);
    return this.inWords(context, problem, search, answer);
  }

  private inWords(
    context: Context,
    problem: Problem,
    search: CutSearch,
    { best, optimality }: Answer,
    found: () => void = () => undefined,
  ): Decision {
    found();
    return {
      algorithm: 'min-cut',
      ...predictPlacement(this.states, problem, context, best.placement, best.encoding.name),
      optimality,
      statesVisited: search.visited,
      certified: false,
      assumed: problem.assumed,
      notJudged: problem.notJudged,
    };
  }

  /** It would cost as much as a decision. */
  confirmed(): null {
    return null;
  }

  predict(context: Context, placement: Placement, encoding?: string): Alternative {
    return predictPlacement(this.states, this.assess(context), context, placement, encoding);
  }

  *ranges(): Steps<readonly Range[]> {
    return [];
  }

  /** Here among the prefixes of the layers and the best placement alone, since all cannot be listed. */
  *alternatives(context: Context, limit: number): Steps<readonly Alternative[]> {
    const search = new CutSearch(this.states, this.network, this.work);
    const problem = this.assessAlone(context);
    const candidates = [(yield* this.best(search, problem, null)).best];
    for (let i = 0; i < this.prefixes.count; i++) {
      if (i % triedPerStep === 0) yield;
      const placement = this.prefixes.at(i);
      for (const encoding of this.states.encodings) {
        candidates.push(search.candidate(placement, encoding, problem.objective, problem.constraints));
      }
    }
    candidates.sort(compareCandidates);
    const alternatives = new Map<string, Alternative>();
    for (const { placement, encoding } of candidates) {
      if (alternatives.size === limit) break;
      const key = `${encoding.name}:${placement.join()}`;
      if (alternatives.has(key)) continue;
      yield;
      alternatives.set(key, predictPlacement(this.states, problem, context, placement, encoding.name));
    }
    return [...alternatives.values()];
  }

  private assess(context: Context): Problem {
    return this.assessor.assess(context);
  }

  /** In arrays of its own. */
  private assessAlone(context: Context): Problem {
    const { layout, facts } = this.states;
    return assess(context, layout, facts.maxDepth);
  }

  private *best(
    search: CutSearch,
    { objective, constraints }: Problem,
    present: Placement | null,
  ): Steps<Answer> {
    const { best, lowerBound } = yield* search.search(objective, constraints, present, this.prefixes);
    return {
      best,
      optimality: isWithin(best) ? proven(best.value, lowerBound) : { kind: 'bounded', gap: null },
    };
  }
}

/** Every placement that puts a prefix of the layers below and the rest above one hop; made when asked for, since there may be thousands. */
class Prefixes implements Placements {
  readonly count: number;

  constructor(
    private readonly layerCount: number,
    hopCount: number,
  ) {
    this.count = hopCount * (layerCount + 1);
  }

  at(index: number): Placement {
    const prefix = index % (this.layerCount + 1);
    const hop = (index - prefix) / (this.layerCount + 1);
    return Array.from({ length: this.layerCount }, (_, v) => (v < prefix ? hop : hop + 1));
  }
}

interface Answer {
  readonly best: Found;
  readonly optimality: Optimality;
}

function proven(value: number, lowerBound: number): Optimality {
  if (lowerBound >= value * (1 - rounding)) return { kind: 'exact' };
  return { kind: 'bounded', gap: lowerBound > 0 ? value / lowerBound - 1 : null };
}
