/** The cost of one cut, split by stage, and the bounds that it breaks. */
import type { Context } from './context.js';
import type { Prediction, Violation } from './decision.js';
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
  const tiers = (offset: number): number[] =>
    Array.from({ length: layout.tierCount }, (_, t) => features[offset + t]!);
  const hops = (offset: number): number[] =>
    Array.from({ length: layout.hopCount }, (_, h) => features[offset + h]!);
  const used = hops(layout.hopUsed);
  const blocked = usesBlockedHop(features, layout, problem);
  const perHop = (seconds: (hop: Context['hops'][number], h: number) => number): number[] =>
    context.hops.map((hop, h) => (used[h] === 0 ? 0 : problem.hopUsable[h]! ? seconds(hop, h) : Infinity));
  const exposure = features[layout.exposure]!;
  const bytesUp = hops(layout.bytesUp);
  const bytesDown = hops(layout.bytesDown);
  const weightBytes = tiers(layout.weights);
  const working = tiers(layout.working);
  const total = (weights: Float64Array): number => (blocked ? Infinity : weightedSum(weights, features, 0));
  return {
    latencySeconds: total(problem.latency),
    tierSeconds: tiers(layout.seconds).map((s, t) => s * (context.tiers[t]!.slowdown ?? 1)),
    uplinkSeconds: perHop((hop, h) => (8 * bytesUp[h]!) / hop.uplinkBitsPerSecond!),
    downlinkSeconds: perHop((hop, h) => (8 * bytesDown[h]!) / hop.downlinkBitsPerSecond!),
    rttSeconds: perHop((hop) => hop.rttSeconds ?? 0),
    queueSeconds: perHop((hop) => hop.queueSeconds ?? 0),
    bottleneckSeconds: blocked ? Infinity : slowestStage(problem.stages, features, 0),
    energyJoules: problem.energy ? total(problem.energy) : null,
    bytesUp,
    bytesDown,
    weightBytes,
    memoryBytes: weightBytes.map((bytes, t) => bytes + working[t]!),
    privacyDepth: exposure === 0 ? null : maxDepth + 1 - exposure,
    accuracyLoss: features[layout.accuracyLoss]!,
  };
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

function usesBlockedHop(features: Float64Array, layout: FeatureLayout, problem: Problem): boolean {
  return problem.hopUsable.some((usable, h) => !usable && features[layout.hopUsed + h]! > 0);
}
