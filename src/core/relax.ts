/**
 * What to do when no state meets all constraints: violate them least, in the order in which they stand. The
 * first constraint is met if any state meets it, else its bound is raised to the least value that any state has, and what
 * is level with it (candidate.ts); the second likewise among the states that meet the first, and so on. A state that meets
 * the constraints so far is kept at hand: while it meets the next one too, that one needs no search.
 */
import { loosened } from './candidate.js';
import { measureOf } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';

/**
 * @param start a state that may meet some; -1 for none
 * @param search the state with the least `objective` among those that meet `constraints`, -1 for none
 * @param valueOf an objective's value in a state
 * @returns constraints that some state meets; those that could not be met have a raised limit
 */
export function relaxed(
  constraints: readonly Constraint[],
  start: number,
  search: (objective: ObjectiveFunction, constraints: readonly Constraint[]) => number,
  valueOf: (objective: ObjectiveFunction, state: number) => number,
): Constraint[] {
  const kept: Constraint[] = [];
  let witness = start;
  for (const constraint of constraints) {
    const measure = measureOf(constraint);
    if (witness < 0 || valueOf(measure, witness) > constraint.limit) witness = search(measure, kept);
    kept.push(loosened(constraint, valueOf(measure, witness)));
  }
  return kept;
}
