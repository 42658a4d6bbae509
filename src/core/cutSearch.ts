/**
 * Decisions for graphs whose states are too many to hold: the best placement by branch and bound over minimum cuts
 * (cutBranching.ts) and, where none within all bounds is found, one that breaks the first of them as little as can be
 * found, then the next, as in relax.ts. The work is stated, and comes to maximum flows, fewer the larger the network, so that
 * a decision takes about as long on any of them. A bound and a gap are true after any amount of it.
 */
import { compareCandidates, isWithin, loosened } from './candidate.js';
import { CutBranching, type Outcome } from './cutBranching.js';
import type { FlowBudget } from './cutDual.js';
import type { CutNetwork } from './cutNetwork.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { foundCut, type Found } from './foundCut.js';
import { measureOf } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';
import type { Steps } from './steps.js';

/** Work that is worth it, as a rule: some 20 to 500 ms under bounds. In maximum flows, times layers and hops. */
export const thoroughWork = 80_000;
/** No network is so large that it gets fewer flows than it would with so many layers and hops, or so small that it gets more. */
const [mostNodes, fewestNodes] = [400, 40];
/** Placements to begin with that take as long as a flow. */
const startsPerFlow = 5;

/** A list of placements, at least one. */
export interface Placements {
  readonly count: number;
  at(index: number): Placement;
}

export class CutSearch {
  /** Placements looked at since this was last set to 0. */
  visited = 0;
  /** Maximum flows that a decision may take. */
  readonly flowBudget: number;
  /**
   * @param network may serve several searches at once: it is priced anew for each cut
   * @param work that a search may take, in maximum flows times the layers and hops of the network, some 10 ms for 6,000;
   * that of a sum without bounds is always done, so its answer is exact
   */
  constructor(
    private readonly states: Omit<StateGraph, 'held'>,
    private readonly network: CutNetwork,
    work: number,
  ) {
    const nodes = states.graph.layers.length * states.layout.hopCount;
    const counted = Math.min(mostNodes, Math.max(fewestNodes, nodes));
    const ofPlainSum = states.layout.tierCount * states.encodings.length;
    this.flowBudget = Math.max(ofPlainSum, Math.round(work / counted));
  }

  /** The candidate for a placement: how much it breaks each constraint, and what it costs. */
  candidate(
    placement: Placement,
    encoding: Encoding,
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
  ): Found {
    this.visited++;
    return foundCut(this.states, placement, encoding, objective, constraints);
  }

  /**
   * The best placement found, and a proven lower bound of what any placement that meets the constraints costs
   * (Infinity where it is proven that none does).
   * @param present a placement to begin with; null for none
   * @param more further ones, in an order in which neighbours are alike
   */
  *search(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    present: Placement | null,
    more: Placements,
  ): Steps<Outcome> {
    const budget = { left: this.flowBudget, reserved: Math.floor(this.flowBudget / 2) };
    // The first cut of a plain sum is the optimum: many starts would only take time.
    const isPlain = constraints.length === 0 && objective.stageWeight === 0;
    const some = spread(more, isPlain ? 1 : startsPerFlow * this.flowBudget);
    const starts = present === null ? some : isPlain ? [present] : [present, ...some];
    const found = yield* this.branch(objective, constraints, starts, budget);
    return isWithin(found.best) ? found : yield* this.breakLeast(objective, constraints, found, budget.left);
  }

  private *branch(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    starts: readonly Placement[],
    budget: FlowBudget,
    target?: number,
  ): Steps<Outcome> {
    const branching = new CutBranching(this.states, this.network, objective, constraints, budget, target);
    const outcome = yield* branching.search(starts);
    this.visited += branching.visited;
    return outcome;
  }

  /** Nothing is claimed of how little is broken; where all bounds are met in the end, what was proven before holds. */
  private *breakLeast(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    start: Outcome,
    flows: number,
  ): Steps<Outcome> {
    const share = Math.ceil(flows / (constraints.length + 1));
    const of = (left: number): FlowBudget => ({ left, reserved: 0 });
    const kept: Constraint[] = [];
    let { placement } = start.best;
    for (const constraint of constraints) {
      const { best } = yield* this.branch(
        measureOf(constraint),
        kept,
        [placement],
        of(share),
        constraint.limit,
      );
      ({ placement } = best);
      kept.push(loosened(constraint, best.value));
    }
    const last = yield* this.branch(objective, kept, [placement], of(share));
    const { encoding } = last.best;
    const best = this.candidate(last.best.placement, encoding, objective, constraints);
    if (compareCandidates(best, start.best) >= 0) return start;
    return {
      best,
      lowerBound: isWithin(best) ? Math.max(start.lowerBound, last.lowerBound) : start.lowerBound,
    };
  }
}

/** At most `most` of them, evenly spread, the first among them. */
function spread(placements: Placements, most: number): Placement[] {
  const count = Math.min(placements.count, most);
  const stride = placements.count / count;
  return Array.from({ length: count }, (_, i) => placements.at(Math.floor(i * stride)));
}
