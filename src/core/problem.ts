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
import { boundedColumns, noColumn, type BoundedColumns } from './boundedColumns.js';
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
  return new Assessor(layout, maxDepth).assess(context);
}

/** Reads one context after the other for graphs of one layout, in arrays that it keeps. */
export class Assessor {
  private readonly columns: BoundedColumns;
  private readonly latency: Float64Array;
  private readonly stages: Float64Array;
  private readonly energy: Float64Array;
  private readonly mixed: Float64Array;
  private readonly hopUsable: boolean[];
  /** Written over by each context: as many as one ever had. */
  private readonly pool: Writable<Constraint>[] = [];
  private poolUsed = 0;
  /** By tier; at hand, since a text that is made anew for each telemetry frame costs more than the bound itself. */
  private readonly weightNames: ConstraintName[] = [];
  private readonly memoryNames: ConstraintName[] = [];

  /** @param maxDepth largest depth of a tensor of the graph (`LayerFacts.maxDepth`) */
  constructor(
    private readonly layout: FeatureLayout,
    private readonly maxDepth: number,
  ) {
    this.columns = boundedColumns(layout);
    this.latency = new Float64Array(layout.length);
    this.stages = new Float64Array(layout.length);
    this.energy = new Float64Array(layout.length);
    this.mixed = new Float64Array(layout.length);
    this.hopUsable = new Array<boolean>(layout.hopCount).fill(false);
    for (let t = 0; t < layout.tierCount; t++) {
      this.weightNames.push(`tiers[${t}].weightBytes`);
      this.memoryNames.push(`tiers[${t}].memoryBytes`);
    }
  }

  /**
   * @param ratios one per tier: slowdowns are taken times these
   * @returns good until the next call
   * @throws RangeError naming the field where a value is out of its range
   */
  assess(context: Context, ratios?: readonly number[]): Problem {
    const { layout, latency, stages, hopUsable } = this;
    checkContext(context, layout.tierCount);
    const { power, tiers, hops, requirements } = context;
    const energy = power ? this.energy : null;
    latency.fill(0);
    stages.fill(0);
    energy?.fill(0);
    const assumed: string[] = [];
    for (let t = 0; t < tiers.length; t++) {
      const measured = tiers[t]!.slowdown ?? assume(assumed, 'tiers', t, 'slowdown', 1);
      const slowdown = ratios === undefined ? measured : measured * ratios[t]!;
      const watts = t === 0 ? power?.computeWatts : power?.idleWatts;
      takes(latency, energy, layout.seconds + t, slowdown, watts);
      stages[layout.seconds + t] = slowdown;
    }
    for (let h = 0; h < hops.length; h++) hopUsable[h] = this.readHop(context, h, energy, assumed);
    const objective = objectiveOf(requirements.objective ?? 'latency', latency, energy, stages, this.mixed);
    const { constraints, notJudged } = this.constraintsOf(context, energy);
    return { objective, latency, stages, energy, constraints, hopUsable, assumed, notJudged };
  }

  /** False where the hop cannot be used: then nothing is priced over it. */
  private readHop(
    { hops, power }: Context,
    h: number,
    energy: Float64Array | null,
    assumed: string[],
  ): boolean {
    const { layout, latency, stages } = this;
    const hop = hops[h]!;
    if (!isUsable(hop.uplinkBitsPerSecond, hop.downlinkBitsPerSecond, hop.connected)) return false;
    const rtt = hop.rttSeconds ?? assume(assumed, 'hops', h, 'rttSeconds', 0);
    const queue = hop.queueSeconds ?? assume(assumed, 'hops', h, 'queueSeconds', 0);
    const secondsPerByteUp = 8 / hop.uplinkBitsPerSecond!;
    const secondsPerByteDown = 8 / hop.downlinkBitsPerSecond!;
    takes(latency, energy, layout.hopUsed + h, rtt + queue, power?.idleWatts);
    // The end device has its radio on for the first hop only; what happens above it waits for.
    const up = h === 0 ? power?.transmitWatts : power?.idleWatts;
    const down = h === 0 ? power?.receiveWatts : power?.idleWatts;
    takes(latency, energy, layout.bytesUp + h, secondsPerByteUp, up);
    takes(latency, energy, layout.bytesDown + h, secondsPerByteDown, down);
    stages[layout.bytesUp + h] = secondsPerByteUp;
    stages[layout.bytesDown + h] = secondsPerByteDown;
    return true;
  }

  private constraintsOf(
    context: Context,
    energy: Float64Array | null,
  ): { constraints: Constraint[]; notJudged: string[] } {
    const { layout, columns, hopUsable, latency } = this;
    const { units } = layout;
    const { requirements, tiers } = context;
    this.poolUsed = 0;
    const notJudged: string[] = [];
    for (let h = 0; h < layout.hopCount; h++) {
      if (hopUsable[h]!) continue;
      this.bound(`hops[${h}].usable`, columns.hopUsed + h, 0, units[layout.hopUsed + h]!);
    }
    const { privacyDepth, weightBytes, memoryBytes } = requirements;
    const mayShow = privacyDepth === undefined ? undefined : Math.max(0, this.maxDepth + 1 - privacyDepth);
    this.bound('privacyDepth', columns.exposure, mayShow, units[layout.exposure]!);
    for (let t = 0; t < tiers.length; t++) {
      const limit = least(tiers[t]!.freeStorageBytes, weightBytes?.[t]);
      this.bound(this.weightNames[t]!, columns.weights + t, limit, units[layout.weights + t]!);
    }
    for (let t = 0; t < tiers.length; t++) {
      const limit = least(tiers[t]!.freeMemoryBytes, memoryBytes?.[t]);
      this.bound(this.memoryNames[t]!, columns.memory + t, limit, layout.memoryUnits[t]!);
    }
    const { accuracyLoss, bytesSent, latencySeconds } = requirements;
    this.bound('accuracyLoss', columns.accuracyLoss, accuracyLoss, units[layout.accuracyLoss]!);
    this.bound('bytesSent', columns.bytesSent, bytesSent, units[layout.bytesUp]!);
    const budget = energyBudgetJoules(context, notJudged);
    if (energy) this.boundSum('energyJoulesPerInference', energy, budget);
    else if (budget < Infinity) notJudged.push('energyJoulesPerInference: power is not stated');
    this.boundSum('latencySeconds', latency, latencySeconds);
    return { constraints: this.pool.slice(0, this.poolUsed), notJudged };
  }

  private bound(
    name: ConstraintName,
    column: number,
    asked: number | undefined,
    weights: Float64Array,
  ): void {
    if (asked === undefined || asked === Infinity) return;
    this.take(name, column, weights, asked, asked);
  }

  private boundSum(name: ConstraintName, weights: Float64Array, asked: number | undefined): void {
    if (asked === undefined || asked === Infinity) return;
    this.take(name, noColumn, weights, asked, asked * (1 + rounding));
  }

  private take(
    name: ConstraintName,
    column: number,
    weights: Float64Array,
    asked: number,
    limit: number,
  ): void {
    const constraint = this.pool[this.poolUsed];
    if (constraint === undefined) {
      this.pool.push({ name, weights, column, asked, limit });
    } else {
      constraint.name = name;
      constraint.weights = weights;
      constraint.column = column;
      constraint.asked = asked;
      constraint.limit = limit;
    }
    this.poolUsed++;
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** What stands in for a value that was not measured, noted by its name. */
function assume(assumed: string[], group: string, index: number, name: string, standIn: number): number {
  assumed.push(`${group}[${index}].${name} = ${standIn}`);
  return standIn;
}

/** @param watts what the end device draws meanwhile; there where `energy` is */
function takes(
  latency: Float64Array,
  energy: Float64Array | null,
  feature: number,
  seconds: number,
  watts: number | undefined,
): void {
  latency[feature] = seconds;
  if (energy !== null) energy[feature] = watts! * seconds;
}

const objectives = {
  latency: { perLatencySecond: 1 },
  energy: { perEnergyJoule: 1 },
  throughput: { perBottleneckSecond: 1 },
} satisfies Record<Extract<Objective, string>, Exclude<Objective, string>>;

function objectiveOf(
  objective: Objective,
  latency: Float64Array,
  energy: Float64Array | null,
  stages: Float64Array,
  mixed: Float64Array,
): ObjectiveFunction {
  const wanted: Exclude<Objective, string> =
    typeof objective === 'string' ? objectives[objective] : objective;
  const { perLatencySecond = 0, perEnergyJoule = 0, perBottleneckSecond = 0 } = wanted;
  if (perEnergyJoule > 0 && energy === null) {
    throw new RangeError('power: not stated, but requirements.objective asks for energy');
  }
  const isLatency = perLatencySecond === 1 && perEnergyJoule === 0;
  if (!isLatency) {
    for (let i = 0; i < mixed.length; i++) {
      mixed[i] = perLatencySecond * latency[i]! + perEnergyJoule * (energy === null ? 0 : energy[i]!);
    }
  }
  return {
    linear: isLatency ? latency : mixed,
    stageWeight: perBottleneckSecond,
    stages,
    column: noColumn,
  };
}

/** A hop carries a request only with both rates measured and of a bit per second at least: the answer has to come back. */
function isUsable(up: number | undefined, down: number | undefined, connected: boolean | undefined): boolean {
  return connected !== false && up !== undefined && up >= 1 && down !== undefined && down >= 1;
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
