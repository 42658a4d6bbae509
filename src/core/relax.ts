/**
 * What to do when no state meets all constraints: violate them least, in the order in which they stand. The
 * first constraint is met if any state meets it, else its bound becomes the least value that any state has;
 * the second likewise among the states that meet the first, and so on: the lexicographic minimum of the
 * violations, found by one search per constraint.
 */
import { linearObjective } from './objective.js';
import type { Constraint, ObjectiveFunction } from './problem.js';

/**
 * @param search the state with the least `objective` among those that meet `constraints`, -1 for none
 * @param valueOf an objective's value in a state
 * @returns constraints that some state meets; those that could not be met have a raised limit
 */
export function relaxed(
  constraints: readonly Constraint[],
  search: (objective: ObjectiveFunction, constraints: readonly Constraint[]) => number,
  valueOf: (objective: ObjectiveFunction, state: number) => number,
): Constraint[] {
  const kept: Constraint[] = [];
  for (const constraint of constraints) {
    const least = valueOf(
      linearObjective(constraint.weights),
      search(linearObjective(constraint.weights), kept),
    );
    kept.push(least <= constraint.limit ? constraint : { ...constraint, limit: least });
  }
  return kept;
}
