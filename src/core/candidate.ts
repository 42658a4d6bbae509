/**
 * The order of preference among cuts, for all who compare them: it also says which cut to take where none meets all bounds.
 *
 * The bounds are gone through in their stated order. At each, a cut that meets it comes before one that breaks it
 * (a limit allows for rounding itself, problem.ts), and among those that break it the one with the lesser sum. Sums
 * beyond a bound that differ by no more than rounding, as a share of the lesser one, are level, and the next bound
 * decides; after the last one the objective does, by its value. Without that allowance the last bits of one bound would settle
 * how much a later one is broken: the seconds of a cut differ there by the order in which they are added, and energy where
 * all watts are 1 is the latency, but for these bits.
 *
 * A search has no pairs to compare: there a bound that nothing meets becomes `loosened`, which lets in all that is
 * level with the least. The two agree but where sums lie one after the other, each level with its neighbours only:
 * then pairs have no least, and which of them is taken depends on the order in which they are met.
 */
import { weightedSum } from './features.js';
import { objectiveValue } from './objective.js';
import type { Constraint, Problem } from './problem.js';

const levelFactor = 1 + 1e-12;

/** Sums that differ by no more than this share are equal up to the order in which their terms were added. */
export const levelShare = levelFactor - 1;

export interface Candidate {
  /** The sum of each bound that is broken, in the stated order; 0 where it is met. */
  readonly broken: readonly number[];
  readonly value: number;
}

/** The row of features at `offset` as a candidate. */
export function candidateOf(
  { objective, constraints }: Pick<Problem, 'objective' | 'constraints'>,
  features: Float64Array,
  offset: number,
): Candidate {
  return {
    broken: constraints.map(({ weights, limit }) => beyond(weightedSum(weights, features, offset), limit)),
    value: objectiveValue(objective, features, offset),
  };
}

/** A sum that breaks its bound; 0 for one that meets it. */
export function beyond(sum: number, limit: number): number {
  return sum > limit ? sum : 0;
}

/** Whether all bounds are met. */
export function isWithin({ broken }: Candidate): boolean {
  return broken.every((sum) => sum === 0);
}

/** Below 0 where `a` is preferred. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  for (let c = 0; c < a.broken.length; c++) {
    const difference = compareSums(a.broken[c]!, b.broken[c]!);
    if (difference !== 0) return difference;
  }
  return a.value - b.value;
}

/** Below 0 where `a` is less, 0 where the two, both at least 0, are level. */
export function compareSums(a: number, b: number): number {
  return Math.max(a, b) <= highestLevelWith(Math.min(a, b)) ? 0 : a - b;
}

/** A bound for those that come after it, when `least` is the least sum that any cut has: raised where that breaks it. */
export function loosened(bound: Constraint, least: number): Constraint {
  return least <= bound.limit ? bound : { ...bound, limit: highestLevelWith(least) };
}

function highestLevelWith(least: number): number {
  return least * levelFactor;
}
