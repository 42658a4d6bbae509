/** Decides where the states are too many to hold: by minimum cuts, exactly or within a proven gap. */
import { compareCandidates } from './candidate.js';
import type { Context } from './context.js';
import { CutSearch, isWithin } from './cutSearch.js';
import type { Decision, Optimality, Placement } from './decision.js';
import type { Found } from './foundCut.js';
import type { Alternative, Partitioner } from './partitioner.js';
import { predictPlacement } from './predictPlacement.js';
import type { Range } from './ranges.js';
import { Assessor, type Problem } from './problem.js';
import type { StateGraph } from './stateGraph.js';

/** A bound and a value that differ by less are equal up to the rounding of their sums. */
const rounding = 1e-9;

export class CutPartitioner implements Partitioner {
  readonly stateCount = 0;
  readonly neighbourCount = 0;
  private readonly search: CutSearch;
  private readonly assessor: Assessor;
  /** Every placement that puts a prefix of the layers below and the rest above one hop. */
  private readonly chain: readonly Placement[];

  constructor(private readonly states: Omit<StateGraph, 'held'>) {
    this.search = new CutSearch(states);
    this.assessor = new Assessor(states.layout, states.facts.maxDepth);
    const { graph, layout } = states;
    this.chain = Array.from({ length: layout.hopCount }, (_, h) =>
      Array.from({ length: graph.layers.length + 1 }, (__, prefix) =>
        graph.layers.map((___, v) => (v < prefix ? h : h + 1)),
      ),
    ).flat();
  }

  decide(
    context: Context,
    present: { readonly placement: Placement } | null = null,
    found: () => void = () => undefined,
  ): Decision {
    const problem = this.assess(context);
    this.search.visited = 0;
    const starts = present === null ? this.chain : [present.placement, ...this.chain];
    const { best, optimality } = this.best(problem, starts);
    found();
    return {
      algorithm: 'min-cut',
      ...predictPlacement(this.states, problem, context, best.placement, best.encoding.name),
      optimality,
      statesVisited: this.search.visited,
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

  ranges(): readonly Range[] {
    return [];
  }

  /** Here among the prefixes of the layers and the best placement alone, since all cannot be listed. */
  alternatives(context: Context, limit: number): readonly Alternative[] {
    const problem = this.assess(context);
    const { encodings } = this.states;
    const candidates = [
      this.best(problem, this.chain).best,
      ...this.chain.flatMap((placement) =>
        encodings.map((e) => this.search.candidate(placement, e, problem.objective, problem.constraints)),
      ),
    ];
    const seen = new Set<string>();
    return candidates
      .sort(compareCandidates)
      .filter(({ placement, encoding }) => {
        const key = `${encoding.name}:${placement.join()}`;
        return seen.size < limit && !seen.has(key) && seen.add(key);
      })
      .map(({ placement, encoding }) =>
        predictPlacement(this.states, problem, context, placement, encoding.name),
      );
  }

  private assess(context: Context): Problem {
    return this.assessor.assess(context);
  }

  private best(
    { objective, constraints }: Problem,
    starts: readonly Placement[],
  ): { best: Found; optimality: Optimality } {
    const { best, lowerBound } = this.search.search(objective, constraints, starts);
    return {
      best,
      optimality: isWithin(best) ? proven(best.value, lowerBound) : { kind: 'bounded', gap: null },
    };
  }
}

function proven(value: number, lowerBound: number): Optimality {
  if (lowerBound >= value * (1 - rounding)) return { kind: 'exact' };
  return { kind: 'bounded', gap: lowerBound > 0 ? value / lowerBound - 1 : null };
}
