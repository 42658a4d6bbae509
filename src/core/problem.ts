/**
 * A context turned into numbers that a search can use: the weights of the objective and one bound per
 * constraint, all sums over the features of a state (features.ts) with weights >= 0.
 *
 *   latency_s = sum_t slowdown_t * seconds_t
 *             + sum_h [hop used] * (rtt_h + queue_h) + 8 * bytesUp_h / up_bps_h + 8 * bytesDown_h / down_bps_h
 *   energy_J  = compute_W * slowdown_0 * seconds_0 + tx_W * uplink time + rx_W * downlink time
 *             + idle_W * (seconds on the tiers above + rtt + queue)
 *   bottleneck_s = the largest of the seconds of each tier, of each uplink and of each downlink (links are
 *                  taken as full duplex; the round trip and the queue delay a result but occupy no stage)
 */
import { boundedColumns, noColumn } from './boundedColumns.js';
import type { Context, Objective } from './context.js';
import { checkContext } from './contextRanges.js';
import type { ConstraintName } from './decision.js';
import type { FeatureLayout } from './features.js';

/** weights · features <= limit */
export interface Constraint {
  /** The bound as it was asked for; `limit` allows for rounding beside it. */
  readonly asked: number;
  readonly name: ConstraintName;
  readonly weights: Float64Array;
  /** The column of `boundedColumns` that is the same sum; `noColumn` for one over priced features. */
  readonly column: number;
  readonly limit: number;
}

/** Sums of seconds and joules differ by about this share, depending on the order of their terms. */
const rounding = 1e-12;

/** value = linear · features + stageWeight * max over features of (stages * feature), to be minimised. */
export interface ObjectiveFunction {
  readonly linear: Float64Array;
  readonly stageWeight: number;
  /** Seconds per unit of each feature that is a stage of a pipeline by itself; 0 for all others. */
  readonly stages: Float64Array;
  /** As in `Constraint`: what `linear` sums, where that is one column. */
  readonly column: number;
}

export interface Problem {
  readonly objective: ObjectiveFunction;
  /** Weights of the latency, seconds. */
  readonly latency: Float64Array;
  /** Seconds per unit of each feature that is a stage of a pipeline. */
  readonly stages: Float64Array;
  /** Weights of the end device's energy, joules; null where its power figures are not stated. */
  readonly energy: Float64Array | null;
  /** In the order in which they are kept when not all can be met: the first longest. */
  readonly constraints: readonly Constraint[];
  /** Per hop, false where nothing may be sent over it. */
  readonly hopUsable: readonly boolean[];
  /** What was not measured and stands in: `tiers[1].slowdown = 1`. */
  readonly assumed: readonly string[];
  /** What was asked and cannot be judged: `energyJoulesPerInference: power is not stated`. */
  readonly notJudged: readonly string[];
}

/**
 * Reads a context for graphs with `layout.tierCount` tiers.
 * @param maxDepth largest depth of a tensor of the graph (`LayerFacts.maxDepth`)
 * @throws RangeError naming the field where a value is out of its range
 */
export function assess(context: Context, layout: FeatureLayout, maxDepth: number): Problem {
  checkContext(context, layout.tierCount);
  const assumed: string[] = [];
  const orAssume = (value: number | undefined, field: string, standIn: number): number => {
    if (value !== undefined) return value;
    assumed.push(`${field} = ${standIn}`);
    return standIn;
  };

  const { power } = context;
  const latency = new Float64Array(layout.length);
  const stages = new Float64Array(layout.length);
  const energy = power ? new Float64Array(layout.length) : null;
  /** `watts`: what the end device draws meanwhile. */
  const takes = (feature: number, seconds: number, watts: number | undefined): void => {
    latency[feature] = seconds;
    if (energy) energy[feature] = watts! * seconds;
  };
  context.tiers.forEach((tier, t) => {
    const slowdown = orAssume(tier.slowdown, `tiers[${t}].slowdown`, 1);
    takes(layout.seconds + t, slowdown, t === 0 ? power?.computeWatts : power?.idleWatts);
    stages[layout.seconds + t] = slowdown;
  });
  const hopUsable = context.hops.map((hop, h) => {
    const usable = isUsable(hop.uplinkBitsPerSecond, hop.downlinkBitsPerSecond, hop.connected);
    if (!usable) return false;
    const rtt = orAssume(hop.rttSeconds, `hops[${h}].rttSeconds`, 0);
    const queue = orAssume(hop.queueSeconds, `hops[${h}].queueSeconds`, 0);
    const secondsPerByteUp = 8 / hop.uplinkBitsPerSecond!;
    const secondsPerByteDown = 8 / hop.downlinkBitsPerSecond!;
    takes(layout.hopUsed + h, rtt + queue, power?.idleWatts);
    // The end device has its radio on for the first hop only; what happens above it waits for.
    takes(layout.bytesUp + h, secondsPerByteUp, h === 0 ? power?.transmitWatts : power?.idleWatts);
    takes(layout.bytesDown + h, secondsPerByteDown, h === 0 ? power?.receiveWatts : power?.idleWatts);
    stages[layout.bytesUp + h] = secondsPerByteUp;
    stages[layout.bytesDown + h] = secondsPerByteDown;
    return true;
  });

  const objective = objectiveOf(context.requirements.objective ?? 'latency', latency, energy, stages);
  const { constraints, notJudged } = constraintsOf(context, layout, maxDepth, latency, energy, hopUsable);
  return { objective, latency, stages, energy, constraints, hopUsable, assumed, notJudged };
}

function objectiveOf(
  objective: Objective,
  latency: Float64Array,
  energy: Float64Array | null,
  stages: Float64Array,
): ObjectiveFunction {
  const wanted =
    objective === 'latency'
      ? { perLatencySecond: 1 }
      : objective === 'energy'
        ? { perEnergyJoule: 1 }
        : objective === 'throughput'
          ? { perBottleneckSecond: 1 }
          : objective;
  const { perLatencySecond = 0, perEnergyJoule = 0, perBottleneckSecond = 0 } = wanted;
  if (perEnergyJoule > 0 && energy === null) {
    throw new RangeError('power: not stated, but requirements.objective asks for energy');
  }
  const isLatency = perLatencySecond === 1 && perEnergyJoule === 0;
  return {
    linear: isLatency
      ? latency
      : latency.map((weight, i) => perLatencySecond * weight + perEnergyJoule * (energy?.[i] ?? 0)),
    stageWeight: perBottleneckSecond,
    stages,
    column: noColumn,
  };
}

/** A hop carries a request only with both rates measured and of a bit per second at least: the answer has to come back. */
function isUsable(up: number | undefined, down: number | undefined, connected: boolean | undefined): boolean {
  const carries = (rate: number | undefined): boolean => rate !== undefined && rate >= 1;
  return connected !== false && carries(up) && carries(down);
}

function constraintsOf(
  context: Context,
  layout: FeatureLayout,
  maxDepth: number,
  latency: Float64Array,
  energy: Float64Array | null,
  hopUsable: readonly boolean[],
): { constraints: Constraint[]; notJudged: string[] } {
  const constraints: Constraint[] = [];
  const notJudged: string[] = [];
  const { requirements } = context;
  const columns = boundedColumns(layout);
  const boundSum = (name: ConstraintName, weights: Float64Array, asked: number | undefined): void => {
    if (asked === undefined || asked === Infinity) return;
    constraints.push({ name, weights, column: noColumn, asked, limit: asked * (1 + rounding) });
  };
  const { units } = layout;
  const bound = (
    name: ConstraintName,
    column: number,
    asked: number | undefined,
    weights: Float64Array,
  ): void => {
    if (asked === undefined || asked === Infinity) return;
    constraints.push({ name, weights, column, asked, limit: asked });
  };
  hopUsable.forEach((usable, h) => {
    bound(`hops[${h}].usable`, columns.hopUsed + h, usable ? undefined : 0, units[layout.hopUsed + h]!);
  });
  const { privacyDepth } = requirements;
  const mayShow = privacyDepth === undefined ? undefined : Math.max(0, maxDepth + 1 - privacyDepth);
  bound('privacyDepth', columns.exposure, mayShow, units[layout.exposure]!);
  context.tiers.forEach(({ freeStorageBytes }, t) => {
    const limit = least(freeStorageBytes, requirements.weightBytes?.[t]);
    bound(`tiers[${t}].weightBytes`, columns.weights + t, limit, units[layout.weights + t]!);
  });
  context.tiers.forEach(({ freeMemoryBytes }, t) => {
    const limit = least(freeMemoryBytes, requirements.memoryBytes?.[t]);
    bound(`tiers[${t}].memoryBytes`, columns.memory + t, limit, layout.memoryUnits[t]!);
  });
  bound('accuracyLoss', columns.accuracyLoss, requirements.accuracyLoss, units[layout.accuracyLoss]!);
  bound('bytesSent', columns.bytesSent, requirements.bytesSent, units[layout.bytesUp]!);
  const budget = energyBudgetJoules(context, notJudged);
  if (energy) boundSum('energyJoulesPerInference', energy, budget);
  else if (budget < Infinity) notJudged.push('energyJoulesPerInference: power is not stated');
  boundSum('latencySeconds', latency, requirements.latencySeconds);
  return { constraints, notJudged };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

/**
 * Joules that one inference may cost: what is asked, and what lets the battery last as long as asked,
 * level * capacity / (seconds * rate), whichever is less; Infinity where neither bounds it.
 */
function energyBudgetJoules({ requirements, battery }: Context, notJudged: string[]): number {
  const asked = requirements.energyJoulesPerInference ?? Infinity;
  const { batteryLifetimeSeconds, inferencesPerSecond } = requirements;
  if (batteryLifetimeSeconds === undefined) return asked;
  if (battery === undefined || inferencesPerSecond === undefined) {
    const missing = battery === undefined ? 'battery is not known' : 'inferencesPerSecond is not stated';
    notJudged.push(`batteryLifetimeSeconds: ${missing}`);
    return asked;
  }
  if (battery.charging) return asked;
  const lasting = (battery.level * battery.capacityJoules) / (batteryLifetimeSeconds * inferencesPerSecond);
  return Math.min(asked, lasting);
}
