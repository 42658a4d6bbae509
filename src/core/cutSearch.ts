/**
 * Decisions for graphs whose states are too many to hold: the best placement by branch and bound over minimum cuts
 * (cutBranching.ts) and, where none within all bounds is found, one that breaks the first of them as little as can be
 * found, then the next, as in relax.ts. The work is stated in maximum flows, fewer the larger the network, so that
 * a decision takes some tens of milliseconds on any of them.
 */
import { compareCandidates } from './candidate.js';
import { CutBranching, type Outcome } from './cutBranching.js';
import type { FlowBudget } from './cutDual.js';
import { CutNetwork } from './cutNetwork.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { candidateOf, type Found } from './foundCut.js';
import { measureOf } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';

/** Flows of a decision, times the layers and hops of the network. */
const flowsTimesNodes = 80_000;
const fewestFlows = 200;
const mostFlows = 2000;

export class CutSearch {
  /** Placements looked at since this was last set to 0. */
  visited = 0;
  /** Maximum flows that a decision may take. */
  readonly flowBudget: number;
  private readonly network: CutNetwork;

  constructor(private readonly states: Omit<StateGraph, 'held'>) {
    this.network = new CutNetwork(states);
    const nodes = states.graph.layers.length * states.layout.hopCount;
    this.flowBudget = Math.round(Math.min(mostFlows, Math.max(fewestFlows, flowsTimesNodes / nodes)));
  }

  /** The candidate for a placement: how much it breaks each constraint, and what it costs. */
  candidate(
    placement: Placement,
    encoding: Encoding,
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
  ): Found {
    this.visited++;
    return candidateOf(this.states, placement, encoding, objective, constraints);
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
  ): Outcome {
    // The first cut of a plain sum is the optimum: other starts would only take time.
    const isPlain = constraints.length === 0 && objective.stageWeight === 0;
    const first = isPlain ? starts.slice(0, 1) : starts;
    const budget = { left: this.flowBudget, reserved: Math.floor(this.flowBudget / 2) };
    const found = this.branch(objective, constraints, first, budget);
    return isWithin(found.best) ? found : this.breakLeast(objective, constraints, found, budget.left);
  }

  private branch(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    starts: readonly Placement[],
    budget: FlowBudget,
    target?: number,
  ): Outcome {
    const branching = new CutBranching(this.states, this.network, objective, constraints, budget, target);
    const outcome = branching.search(starts);
    this.visited += branching.visited;
    return outcome;
  }

  /** Nothing is claimed of how little is broken; where all bounds are met in the end, what was proven before holds. */
  private breakLeast(
    objective: ObjectiveFunction,
    constraints: readonly Constraint[],
    start: Outcome,
    flows: number,
  ): Outcome {
    const share = Math.ceil(flows / (constraints.length + 1));
    const of = (left: number): FlowBudget => ({ left, reserved: 0 });
    const kept: Constraint[] = [];
    let { placement } = start.best;
    for (const constraint of constraints) {
      const { best } = this.branch(measureOf(constraint), kept, [placement], of(share), constraint.limit);
      ({ placement } = best);
      kept.push(best.value <= constraint.limit ? constraint : { ...constraint, limit: best.value });
    }
    const last = this.branch(objective, kept, [placement], of(share));
    const { encoding } = last.best;
    const best = this.candidate(last.best.placement, encoding, objective, constraints);
    if (compareCandidates(best, start.best) >= 0) return start;
    return {
      best,
      lowerBound: isWithin(best) ? Math.max(start.lowerBound, last.lowerBound) : start.lowerBound,
    };
  }
}

export function isWithin({ excess }: Found): boolean {
  return excess.every((e) => e === 0);
}
