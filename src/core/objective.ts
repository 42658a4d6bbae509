/** The value of an objective on a row of features. */
import { noColumn } from './boundedColumns.js';
import { weightedSum } from './features.js';
import type { Constraint, ObjectiveFunction } from './problem.js';

/** linear · features + stageWeight * the slowest stage; monotone, so a bound from below at a componentwise minimum. */
export function objectiveValue(objective: ObjectiveFunction, rows: Float64Array, offset: number): number {
  const linear = weightedSum(objective.linear, rows, offset);
  if (objective.stageWeight === 0) return linear;
  return linear + objective.stageWeight * slowestStage(objective.stages, rows, offset);
}

/** Seconds of the slowest stage of a pipeline; `stages` as in `ObjectiveFunction`. */
export function slowestStage(stages: Float64Array, rows: Float64Array, offset: number): number {
  let slowest = 0;
  for (let f = 0; f < stages.length; f++) {
    const seconds = stages[f]! * rows[offset + f]!;
    if (seconds > slowest) slowest = seconds;
  }
  return slowest;
}

/** By length, at hand: nothing is ever written into them. */
const zeros = Array.from({ length: 32 }, (_, length) => new Float64Array(length));

/** An objective that is a plain weighted sum of seconds, hops and bytes. */
export function linearObjective(weights: Float64Array): ObjectiveFunction {
  return {
    linear: weights,
    stageWeight: 0,
    stages: zeros[weights.length] ?? new Float64Array(weights.length),
    column: noColumn,
  };
}

/** The objective to keep as low as possible what `bound` limits. */
export function measureOf({ weights, column }: Constraint): ObjectiveFunction {
  return { ...linearObjective(weights), column };
}
