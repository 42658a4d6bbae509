/**
 * A proof that a state stays the best, good for a whole region of contexts, so that no search has to run there.
 *
 * Why it holds. Let X be the states that meet the bounds on what does not move with the link or the load
 * (storage, memory, privacy, bytes …). State s is best over X for the objective's weights w exactly when
 * w · (f(x) - f(s)) >= 0 for all x in X: an intersection of half-spaces, so convex in w. From a centre w0, each
 * weight is moved alone, up and down, until another state draws level (Newton's method on the line: the winner at
 * the far end gives the next, nearer end; every step is one exact search). The hull of these end points is inside
 * the region: w is covered where the sum of its moves, each as a share of the way that is free, is at most 1. Tighter
 * bounds, or new ones, only take other states away; s itself is asked whether it meets all of them now. So bounds on
 * latency and energy, which do move with the link, need no region of their own.
 *
 * A bound that keeps better states out stays part of X, raised to just below where the first of them would come in.
 * There is no certificate where a bound on latency or energy keeps a better state out, where no state meets
 * the bounds, or for an objective with a bottleneck, which is no sum. Complexity: some tens of searches to make one,
 * O(weights + bounds) to ask it. (Own derivation.)
 */
import { noColumn } from './boundedColumns.js';
import type { ConstraintName } from './decision.js';
import { weightedSum, type FeatureLayout } from './features.js';
import type { Gads } from './gads.js';
import { linearObjective, measureOf } from './objective.js';
import type { Constraint, Problem } from './problem.js';

export interface Certificate {
  readonly state: number;
  /** The objective's weights that it was made for: those of seconds, hops and bytes. */
  readonly center: Float64Array;
  /** How far each weight alone may rise, and fall. */
  readonly above: Float64Array;
  readonly below: Float64Array;
  /** Bounds that have to be at least as tight as here. */
  readonly bounds: readonly { readonly name: ConstraintName; readonly limit: number }[];
}

/** What a certificate is made and asked with. */
export interface CertificateBase {
  readonly gads: Gads;
  readonly features: Float64Array;
  readonly layout: FeatureLayout;
  /** Largest value of each feature over all states. */
  readonly largest: Float64Array;
}

/** Keeps clear of the edge of the region by more than rounding. */
const margin = 1e-9;
/** A weight that rises this often without another state drawing level is taken to be free. */
const farAway = 1e4;
/** More states than ever draw level on one line; a line that has more is given up. */
const maxSteps = 64;

/** True where `certificate` proves that its state is the best answer to `problem`. */
export function covers(certificate: Certificate, base: CertificateBase, problem: Problem): boolean {
  if (problem.objective.stageWeight > 0) return false;
  const { center, above, below, bounds, state } = certificate;
  const { linear } = problem.objective;
  let moved = 0;
  for (let i = 0; i < center.length; i++) {
    const move = linear[i]! - center[i]!;
    if (move > 0) moved += move / above[i]!;
    else if (move < 0) moved -= move / below[i]!;
  }
  if (!(moved <= 1 - margin)) return false;
  for (const { name, limit } of bounds) {
    if (!isBounded(problem.constraints, name, limit)) return false;
  }
  const offset = state * base.layout.length;
  for (const { weights, limit } of problem.constraints) {
    if (weightedSum(weights, base.features, offset) > limit) return false;
  }
  return true;
}

/** A loop without a closure: this runs for each telemetry frame. */
function isBounded(constraints: readonly Constraint[], name: ConstraintName, limit: number): boolean {
  for (const constraint of constraints) {
    if (constraint.name === name && constraint.limit <= limit) return true;
  }
  return false;
}

/** The certificate of `state`, which is the best answer to `problem`; null where there is none. */
export function certify(base: CertificateBase, problem: Problem, state: number): Certificate | null {
  if (problem.objective.stageWeight > 0) return null;
  const still = problem.constraints.filter(
    ({ name }) => name !== 'latencySeconds' && name !== 'energyJoulesPerInference',
  );
  if (!isBest(base, problem, still, state)) return null;
  const bounds = loosened(base, problem, still, state);
  // Features beyond the link and the load have no weight in an objective.
  const count = base.layout.weights;
  const center = problem.objective.linear.slice(0, count);
  const above = new Float64Array(count).fill(Infinity);
  const below = new Float64Array(count).fill(Infinity);
  for (let i = 0; i < count; i++) {
    if (base.largest[i] === 0) continue;
    const own = center[i]!;
    const high =
      own > 0 ? own * farAway : (farAway * base.gads.valueOf(problem.objective, state)) / base.largest[i]!;
    above[i] = freeWay(base, problem, bounds, state, i, high);
    below[i] = freeWay(base, problem, bounds, state, i, -own);
  }
  return { state, center, above, below, bounds: bounds.map(({ name, limit }) => ({ name, limit })) };
}

function isBest(
  base: CertificateBase,
  problem: Problem,
  bounds: readonly Constraint[],
  state: number,
): boolean {
  return base.gads.search(problem.objective, bounds, state) === state;
}

/** The bounds that keep better states out, each as loose as it may be; the others are dropped. */
function loosened(
  base: CertificateBase,
  problem: Problem,
  bounds: readonly Constraint[],
  state: number,
): Constraint[] {
  let kept = [...bounds];
  for (const bound of bounds) {
    const without = kept.filter((other) => other !== bound);
    if (isBest(base, problem, without, state)) kept = without;
  }
  const own = base.gads.valueOf(problem.objective, state);
  const isBetter: Constraint = {
    name: 'latencySeconds',
    weights: problem.objective.linear,
    column: noColumn,
    asked: own,
    limit: own * (1 - margin),
  };
  for (const bound of [...kept]) {
    const others = kept.filter((other) => other !== bound);
    const measure = measureOf(bound);
    const nearest = base.gads.search(measure, [...others, isBetter], -1);
    // Where rounding hides the better state, the bound stays as it is.
    if (nearest < 0) continue;
    const limit = Math.max(bound.limit, base.gads.valueOf(measure, nearest) * (1 - margin));
    if (isBest(base, problem, [...others, { ...bound, limit }], state))
      kept = [...others, { ...bound, limit }];
  }
  return kept;
}

/** How far weight `index` may move towards `distance` (signed) until another state draws level; at most |distance|. */
function freeWay(
  { gads, features, layout }: CertificateBase,
  problem: Problem,
  bounds: readonly Constraint[],
  state: number,
  index: number,
  distance: number,
): number {
  const weights = problem.objective.linear.slice();
  const center = weights[index]!;
  const moved = linearObjective(weights);
  const direction = Math.sign(distance);
  let way = Math.abs(distance);
  for (let step = 0; step < maxSteps && way > 0; step++) {
    weights[index] = Math.max(0, center + direction * way);
    const winner = gads.search(moved, bounds, state);
    if (winner === state) return way;
    const ahead = gads.valueOf(problem.objective, winner) - gads.valueOf(problem.objective, state);
    const own = features[state * layout.length + index]!;
    const lead = direction * (own - features[winner * layout.length + index]!);
    // Both are at least 0 up to rounding: the winner is behind at the centre and gains on the way.
    way = Math.min(way * (1 - margin), lead > 0 ? Math.max(0, ahead) / lead : 0);
  }
  return 0;
}
