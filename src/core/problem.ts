/**
 * A context turned into numbers that a search can use: the weights of the objective and one bound per
 * constraint, all sums over the features of a state (features.ts) with weights >= 0.
 *
 *   latency_s = sum_t slowdown_t * seconds_t
 *             + sum_h [hop used] * (rtt_h + queue_h) + 8 * bytesUp_h / up_bps_h + 8 * bytesDown_h / down_bps_h
 *   energy_J  = compute_W * slowdown_0 * seconds_0 + tx_W * uplink time + rx_W * downlink time
 *             + idle_W * (seconds on the tiers above + rtt + queue)
 */
import type { Context } from './context.js';
import type { ConstraintName } from './decision.js';
import type { FeatureLayout } from './features.js';

/** weights · features <= limit */
export interface Constraint {
  readonly name: ConstraintName;
  readonly weights: Float64Array;
  readonly limit: number;
}

export interface Problem {
  /** Weights of the latency, seconds. */
  readonly objective: Float64Array;
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
 * @throws RangeError naming the field where a value is out of its range
 */
export function assess(context: Context, layout: FeatureLayout): Problem {
  requireRanges(context, layout);
  const assumed: string[] = [];
  const orAssume = (value: number | undefined, field: string, standIn: number): number => {
    if (value !== undefined) return value;
    assumed.push(`${field} = ${standIn}`);
    return standIn;
  };

  const objective = new Float64Array(layout.length);
  const waiting = new Float64Array(layout.length);
  const uplink = new Float64Array(layout.length);
  const downlink = new Float64Array(layout.length);
  const compute = new Float64Array(layout.length);
  context.tiers.forEach((tier, t) => {
    const slowdown = orAssume(tier.slowdown, `tiers[${t}].slowdown`, 1);
    objective[layout.seconds + t] = slowdown;
    (t === 0 ? compute : waiting)[layout.seconds + t] = slowdown;
  });
  const hopUsable = context.hops.map((hop, h) => {
    const usable = isUsable(hop.uplinkBitsPerSecond, hop.downlinkBitsPerSecond, hop.connected);
    if (!usable) return false;
    const rtt = orAssume(hop.rttSeconds, `hops[${h}].rttSeconds`, 0);
    const queue = orAssume(hop.queueSeconds, `hops[${h}].queueSeconds`, 0);
    objective[layout.hopUsed + h] = waiting[layout.hopUsed + h] = rtt + queue;
    objective[layout.bytesUp + h] = uplink[layout.bytesUp + h] = 8 / hop.uplinkBitsPerSecond!;
    objective[layout.bytesDown + h] = downlink[layout.bytesDown + h] = 8 / hop.downlinkBitsPerSecond!;
    return true;
  });

  const { power } = context;
  const energy = power
    ? objective.map(
        (_, i) =>
          power.computeWatts * compute[i]! +
          power.transmitWatts * uplink[i]! +
          power.receiveWatts * downlink[i]! +
          power.idleWatts * waiting[i]!,
      )
    : null;
  const { constraints, notJudged } = constraintsOf(context, layout, objective, energy, hopUsable);
  return { objective, energy, constraints, hopUsable, assumed, notJudged };
}

/**
 * A hop carries a request only with both rates measured and above 0 (so that seconds per byte are finite):
 * the answer has to come back.
 */
function isUsable(up: number | undefined, down: number | undefined, connected: boolean | undefined): boolean {
  const carries = (rate: number | undefined): boolean => rate !== undefined && 8 / rate < Infinity;
  return connected !== false && carries(up) && carries(down);
}

function constraintsOf(
  context: Context,
  layout: FeatureLayout,
  latency: Float64Array,
  energy: Float64Array | null,
  hopUsable: readonly boolean[],
): { constraints: Constraint[]; notJudged: string[] } {
  const constraints: Constraint[] = [];
  const notJudged: string[] = [];
  const unit = (...indices: number[]): Float64Array => {
    const weights = new Float64Array(layout.length);
    for (const i of indices) weights[i] = 1;
    return weights;
  };
  hopUsable.forEach((usable, h) => {
    if (!usable) {
      constraints.push({
        name: `hop[${h}].usable` as ConstraintName,
        weights: unit(layout.hopUsed + h),
        limit: 0,
      });
    }
  });
  context.tiers.forEach(({ freeStorageBytes }, t) => {
    if (freeStorageBytes === undefined) return;
    const name = `tiers[${t}].freeStorageBytes` as ConstraintName;
    constraints.push({ name, weights: unit(layout.weights + t), limit: freeStorageBytes });
  });
  context.tiers.forEach(({ freeMemoryBytes }, t) => {
    if (freeMemoryBytes === undefined) return;
    const name = `tiers[${t}].freeMemoryBytes` as ConstraintName;
    constraints.push({ name, weights: unit(layout.weights + t, layout.working + t), limit: freeMemoryBytes });
  });
  const budget = energyBudgetJoules(context, notJudged);
  if (budget < Infinity) {
    if (energy) constraints.push({ name: 'energyJoulesPerInference', weights: energy, limit: budget });
    else notJudged.push('energyJoulesPerInference: power is not stated');
  }
  const { latencySeconds } = context.requirements;
  if (latencySeconds !== undefined) {
    constraints.push({ name: 'latencySeconds', weights: latency, limit: latencySeconds });
  }
  return { constraints, notJudged };
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

function requireRanges(context: Context, layout: FeatureLayout): void {
  const { tiers, hops, power, battery, requirements } = context;
  if (tiers.length !== layout.tierCount) {
    throw new RangeError(`tiers: ${tiers.length} given, the deployment has ${layout.tierCount}`);
  }
  if (hops.length !== layout.hopCount) {
    throw new RangeError(`hops: ${hops.length} given, the deployment has ${layout.hopCount}`);
  }
  tiers.forEach((tier, t) => {
    requireAbove(tier.slowdown, `tiers[${t}].slowdown`);
    requireFrom(tier.freeStorageBytes, `tiers[${t}].freeStorageBytes`);
    requireFrom(tier.freeMemoryBytes, `tiers[${t}].freeMemoryBytes`);
  });
  hops.forEach((hop, h) => {
    requireFrom(hop.uplinkBitsPerSecond, `hops[${h}].uplinkBitsPerSecond`);
    requireFrom(hop.downlinkBitsPerSecond, `hops[${h}].downlinkBitsPerSecond`);
    requireFrom(hop.rttSeconds, `hops[${h}].rttSeconds`);
    requireFrom(hop.queueSeconds, `hops[${h}].queueSeconds`);
  });
  for (const key of ['computeWatts', 'transmitWatts', 'receiveWatts', 'idleWatts'] as const) {
    requireFrom(power?.[key], `power.${key}`);
  }
  requireFrom(battery?.level, 'battery.level');
  if (battery && battery.level > 1) throw new RangeError(`battery.level: ${battery.level} is above 1`);
  requireFrom(battery?.capacityJoules, 'battery.capacityJoules');
  requireAbove(requirements.latencySeconds, 'requirements.latencySeconds');
  requireFrom(requirements.energyJoulesPerInference, 'requirements.energyJoulesPerInference');
  requireAbove(requirements.batteryLifetimeSeconds, 'requirements.batteryLifetimeSeconds');
  requireAbove(requirements.inferencesPerSecond, 'requirements.inferencesPerSecond');
}

function requireFrom(value: number | undefined, field: string): void {
  if (value !== undefined && !(value >= 0 && value < Infinity)) {
    throw new RangeError(`${field}: ${value} is not a finite number >= 0`);
  }
}

function requireAbove(value: number | undefined, field: string): void {
  if (value !== undefined && !(value > 0 && value < Infinity)) {
    throw new RangeError(`${field}: ${value} is not a finite number > 0`);
  }
}
