/** The value of an objective on a row of features. */
import { weightedSum } from './features.js';
import type { ObjectiveFunction } from './problem.js';

/** linear · features + stageWeight * max over stages of (stage · features); monotone, so exact at corners as a bound. */
export function objectiveValue(objective: ObjectiveFunction, rows: Float64Array, offset: number): number {
  const linear = weightedSum(objective.linear, rows, offset);
  if (objective.stageWeight === 0) return linear;
  return linear + objective.stageWeight * slowestStage(objective.stages, rows, offset);
}

/** Seconds of the slowest stage of a pipeline. */
export function slowestStage(stages: readonly Float64Array[], rows: Float64Array, offset: number): number {
  let slowest = 0;
  for (let i = 0; i < stages.length; i++) {
    const seconds = weightedSum(stages[i]!, rows, offset);
    if (seconds > slowest) slowest = seconds;
  }
  return slowest;
}

/** An objective that is a plain weighted sum. */
export function linearObjective(weights: Float64Array): ObjectiveFunction {
  return { linear: weights, stageWeight: 0, stages: [] };
}
