/** The cost of one cut, split by stage, and the bounds that it breaks. */
import type { Context } from './context.js';
import type { ConstraintName, Prediction, Violation } from './decision.js';
import { weightedSum, type FeatureLayout } from './features.js';
import { objectiveValue, slowestStage } from './objective.js';
import type { Problem } from './problem.js';

/**
 * The prediction for a state with the given features (one row). Over a hop that cannot be used, what would
 * be sent takes Infinity seconds.
 */
export function predictionOf(
  features: Float64Array,
  layout: FeatureLayout,
  maxDepth: number,
  context: Context,
  problem: Problem,
): Prediction {
  const { tierCount, hopCount } = layout;
  const { latency, energy, stages, hopUsable } = problem;
  const blocked = usesBlockedHop(features, layout, problem);
  const exposure = features[layout.exposure]!;
  const tierSeconds = read(features, layout.seconds, tierCount);
  const bytesUp = read(features, layout.bytesUp, hopCount);
  const bytesDown = read(features, layout.bytesDown, hopCount);
  const weightBytes = read(features, layout.weights, tierCount);
  const memoryBytes = read(features, layout.working, tierCount);
  for (let t = 0; t < tierCount; t++) {
    tierSeconds[t]! *= context.tiers[t]!.slowdown ?? 1;
    memoryBytes[t]! += weightBytes[t]!;
  }
  const uplinkSeconds = new Array<number>(hopCount);
  const downlinkSeconds = new Array<number>(hopCount);
  const rttSeconds = new Array<number>(hopCount);
  const queueSeconds = new Array<number>(hopCount);
  for (let h = 0; h < hopCount; h++) {
    const hop = context.hops[h]!;
    const isUsed = features[layout.hopUsed + h]! > 0;
    const over = (seconds: number): number => (!isUsed ? 0 : hopUsable[h]! ? seconds : Infinity);
    uplinkSeconds[h] = over((8 * bytesUp[h]!) / hop.uplinkBitsPerSecond!);
    downlinkSeconds[h] = over((8 * bytesDown[h]!) / hop.downlinkBitsPerSecond!);
    rttSeconds[h] = over(hop.rttSeconds ?? 0);
    queueSeconds[h] = over(hop.queueSeconds ?? 0);
  }
  return {
    latencySeconds: blocked ? Infinity : weightedSum(latency, features, 0),
    tierSeconds,
    uplinkSeconds,
    downlinkSeconds,
    rttSeconds,
    queueSeconds,
    bottleneckSeconds: blocked ? Infinity : slowestStage(stages, features, 0),
    energyJoules: energy === null ? null : blocked ? Infinity : weightedSum(energy, features, 0),
    bytesUp,
    bytesDown,
    weightBytes,
    memoryBytes,
    privacyDepth: exposure === 0 ? null : maxDepth + 1 - exposure,
    accuracyLoss: features[layout.accuracyLoss]!,
  };
}

/** A loop, and not a copy by the library, into room for as many as come: `push` makes room for seventeen. */
function read(features: Float64Array, offset: number, count: number): number[] {
  const values = new Array<number>(count);
  for (let i = 0; i < count; i++) values[i] = features[offset + i]!;
  return values;
}

/** What is minimised, in a state with the given features; Infinity where it would use a hop that cannot be used. */
export function objectiveOfState(features: Float64Array, layout: FeatureLayout, problem: Problem): number {
  return usesBlockedHop(features, layout, problem)
    ? Infinity
    : objectiveValue(problem.objective, features, 0);
}

/**
 * The constraints that a state with the given features breaks, in their stated order. What depends on a hop
 * that cannot be used is Infinity.
 */
export function violationsOf(
  features: Float64Array,
  layout: FeatureLayout,
  maxDepth: number,
  problem: Problem,
): Violation[] {
  const violations: Violation[] = [];
  const blocked = usesBlockedHop(features, layout, problem);
  for (const { name, weights, limit, asked } of problem.constraints) {
    const overHops = name === 'latencySeconds' || name === 'energyJoulesPerInference';
    const value = overHops && blocked ? Infinity : weightedSum(weights, features, 0);
    if (value <= limit) continue;
    const asDepth = (exposure: number): number => maxDepth + 1 - exposure;
    violations.push(
      name === 'privacyDepth'
        ? { constraint: name, limit: asDepth(asked), value: asDepth(value) }
        : { constraint: name, limit: asked, value },
    );
  }
  return violations;
}

/** Names of the constraints that a state with the given features breaks, in their stated order. */
export function brokenBy(features: Float64Array, layout: FeatureLayout, problem: Problem): ConstraintName[] {
  const broken: ConstraintName[] = [];
  const blocked = usesBlockedHop(features, layout, problem);
  for (const { name, weights, limit } of problem.constraints) {
    const overHops = name === 'latencySeconds' || name === 'energyJoulesPerInference';
    if ((overHops && blocked) || weightedSum(weights, features, 0) > limit) broken.push(name);
  }
  return broken;
}

function usesBlockedHop(features: Float64Array, layout: FeatureLayout, problem: Problem): boolean {
  return problem.hopUsable.some((usable, h) => !usable && features[layout.hopUsed + h]! > 0);
}
