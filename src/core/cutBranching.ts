/**
 * Branch and bound over minimum cuts: the best placement under bounds, or the best found and what was proven of it.
 *
 * Problem. Minimise an objective under bounds over all valid placements, without holding them. Algorithm: at any prices
 * on the bounds the least weighted sum is a minimum cut (cutNetwork.ts) and bounds the optimum from below; the
 * prices come from the mix of cuts seen that meets the bounds for least (multiplierProgram.ts). Where bound and best
 * placement differ, the layer that the mix divides most evenly is put below a hop in one part and above it in the
 * other, with what follows from it (cutScope.ts). Bottlenecks are mixed likewise; a working set, which is
 * no sum, is branched on. The cuts met are candidates, and so is where a walk from them ends (placementWalk.ts). Parts
 * are taken by their bound, and, until a placement within the bounds is found, the deepest first.
 * Complexity: a number of maximum flows that the caller states; then the least bound of what is left open
 * still holds. Source: Land and Doig, Econometrica 28(3), 1960; Held and Karp, 1971 (bounds from multipliers).
 */
import { compareCandidates, isWithin } from './candidate.js';
import { CutDual, type Bounded, type FlowBudget } from './cutDual.js';
import type { CutNetwork } from './cutNetwork.js';
import { CutScope } from './cutScope.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import { foundCut, type Found } from './foundCut.js';
import { PlacementWalk } from './placementWalk.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';
import type { Steps } from './steps.js';

export interface Outcome {
  readonly best: Found;
  /** What any placement that meets the constraints costs at least; Infinity where it is proven that none does. */
  readonly lowerBound: number;
}

interface Part {
  readonly scope: CutScope;
  readonly encoding: Encoding;
  readonly depth: number;
  readonly lowerBound: number;
  readonly branch: Branch | null;
  readonly seen: readonly Found[];
}

interface Branch {
  readonly layer: number;
  readonly tier: number;
}

/** What is nearer to the bound than this share is not worth a search. */
const tolerance = 1e-10;
/** Prices tried for a part. */
const firstSteps = 40;
const laterSteps = 8;
/** Cuts that a part hands on to its halves. */
const keptCuts = 40;
/** Placements to begin with that are looked at in one step. */
const startsPerStep = 16;

export class CutBranching {
  /** Placements looked at. */
  visited = 0;
  private best: Found | null = null;
  /** Least bound of the parts that are done. */
  private closedBound = Infinity;
  private open: Part[] = [];
  private readonly walked = new Set<string>();
  private readonly dual: CutDual;

  /** @param target a value that is good enough: the search ends where a placement within the bounds has it */
  constructor(
    private readonly states: Omit<StateGraph, 'held'>,
    network: CutNetwork,
    private readonly objective: ObjectiveFunction,
    private readonly constraints: readonly Constraint[],
    private readonly budget: FlowBudget,
    private readonly target = -Infinity,
  ) {
    this.dual = new CutDual(states.layout, network, objective, constraints, budget);
  }

  /** @param starts placements to begin with, at least one; the first of them in each encoding */
  *search(starts: readonly Placement[]): Steps<Outcome> {
    const { encodings } = this.states;
    for (const [i, placement] of starts.entries()) {
      if (i % startsPerStep === 0) yield;
      for (const encoding of i === 0 ? encodings : encodings.slice(0, 1)) this.consider(placement, encoding);
    }
    const start = this.best!;
    for (const encoding of encodings) {
      const scope = CutScope.of(this.states, this.constraints, encoding);
      if (scope !== null) yield* this.enter(scope, encoding, 0, 0, [start]);
    }
    while (this.open.length > 0 && this.hasFlows() && !this.isDone()) yield* this.halve();
    const lowerBound = this.open.reduce((least, part) => Math.min(least, part.lowerBound), this.closedBound);
    if (this.isWithin() && lowerBound < this.cutoff()) yield* this.walkFrom(this.best!);
    return { best: this.best!, lowerBound };
  }

  private isWithin(): boolean {
    return isWithin(this.best!);
  }

  private hasFlows(): boolean {
    return this.budget.left > (this.isWithin() ? 0 : this.budget.reserved);
  }

  private isDone(): boolean {
    return this.isWithin() && this.best!.value <= this.target;
  }

  /** The least bound that is worth a search. */
  private cutoff(): number {
    return this.isWithin() ? this.best!.value * (1 - tolerance) : Infinity;
  }

  private consider(placement: Placement, encoding: Encoding): Found {
    this.visited++;
    const found = foundCut(this.states, placement, encoding, this.objective, this.constraints);
    if (this.best === null || compareCandidates(found, this.best) < 0) this.best = found;
    return found;
  }

  /** Bounds a part, and keeps it for later where that does not settle it. */
  private *enter(
    scope: CutScope,
    encoding: Encoding,
    depth: number,
    inherited: number,
    seen: readonly Found[],
  ): Steps<void> {
    const within = seen.filter((one) => one.encoding === encoding && scope.holds(one.placement));
    const bounded = yield* this.dual.bound(scope, encoding, within, depth === 0 ? firstSteps : laterSteps, {
      consider: (placement) => this.consider(placement, encoding),
      cutoff: () => this.cutoff(),
    });
    if (bounded === null) return;
    const lowerBound = Math.max(inherited, bounded.lowerBound);
    const { leader } = bounded;
    if (leader !== null && lowerBound < this.cutoff()) yield* this.walkFrom(leader);
    const branch = branchOf(this.states, scope, bounded);
    if (branch === null && leader !== null) {
      // One placement is left, and it has been looked at.
      if (isWithin(leader)) this.closedBound = Math.min(this.closedBound, leader.value);
      return;
    }
    this.open.push({ scope, encoding, depth, lowerBound, branch, seen: bounded.seen.slice(-keptCuts) });
  }

  private *halve(): Steps<void> {
    const part = this.take();
    if (part.lowerBound >= this.cutoff() || part.branch === null) {
      this.closedBound = Math.min(this.closedBound, part.lowerBound);
      return;
    }
    const { layer, tier } = part.branch;
    for (const isBelow of [true, false]) {
      const scope = part.scope.part(layer, tier, isBelow);
      if (scope !== null) yield* this.enter(scope, part.encoding, part.depth + 1, part.lowerBound, part.seen);
    }
  }

  private take(): Part {
    const byBound = this.isWithin();
    const order = (a: Part, b: Part): number =>
      byBound || a.depth === b.depth ? a.lowerBound - b.lowerBound : b.depth - a.depth;
    const next = this.open.reduce((best, part) => (order(part, best) < 0 ? part : best));
    this.open.splice(this.open.indexOf(next), 1);
    return next;
  }

  private *walkFrom(start: Found): Steps<void> {
    const key = `${start.encoding.name}:${start.placement.join()}`;
    if (this.walked.has(key)) return;
    this.walked.add(key);
    const walk = new PlacementWalk(this.states, start.encoding, this.objective, this.constraints, start);
    this.consider(yield* walk.run(this.budget), start.encoding);
  }
}

/** A layer and tier to divide a part at; null where nothing is left to divide. */
function branchOf(
  { graph, layout }: Omit<StateGraph, 'held'>,
  scope: CutScope,
  { seen, shares, leader }: Bounded,
): Branch | null {
  let best: Branch | null = null;
  let evenness = 1e-9;
  for (let v = 0; v < graph.layers.length; v++) {
    if (scope.lowest(v) >= scope.highest(v)) continue;
    let below = 0;
    for (let h = 0; h < layout.hopCount; h++) {
      seen.forEach(({ placement }, i) => (below += placement[v] === h ? shares[i]! : 0));
      const even = Math.min(below, 1 - below);
      if (even > evenness) {
        evenness = even;
        best = { layer: v, tier: h };
      }
    }
  }
  if (best !== null || leader === null) return best;
  // All agree: what is broken is no sum. The largest layer on a tier decides on its working set.
  let largest = -1;
  for (let v = 0; v < graph.layers.length; v++) {
    const highest = scope.highest(v);
    if (scope.lowest(v) >= highest || graph.layers[v]!.workingBytes <= largest) continue;
    largest = graph.layers[v]!.workingBytes;
    const tier = leader.placement[v]!;
    best = { layer: v, tier: tier < highest ? tier : tier - 1 };
  }
  return best;
}
