/** The ranges of a context's values, checked once before they become weights. */
import type { Context, Objective, Requirements } from './context.js';

/** Most that any amount may be: products of three of them are still finite. */
export const largestAmount = 1e18;

/**
 * @throws RangeError naming the first field that is out of range
 */
export function checkContext(context: Context, tierCount: number): void {
  const { tiers, hops, power, battery, requirements } = context;
  if (tiers.length !== tierCount) {
    throw new RangeError(`tiers: ${tiers.length} given, the deployment has ${tierCount}`);
  }
  if (hops.length !== tierCount - 1) {
    throw new RangeError(`hops: ${hops.length} given, the deployment has ${tierCount - 1}`);
  }
  // the names are put together where one is to be told: this runs for each telemetry frame
  for (let t = 0; t < tiers.length; t++) {
    const tier = tiers[t]!;
    requireAbove(tier.slowdown, 'tiers', t, 'slowdown');
    requireFrom(tier.freeStorageBytes, 'tiers', t, 'freeStorageBytes');
    requireFrom(tier.freeMemoryBytes, 'tiers', t, 'freeMemoryBytes');
  }
  for (let h = 0; h < hops.length; h++) {
    const hop = hops[h]!;
    requireFrom(hop.uplinkBitsPerSecond, 'hops', h, 'uplinkBitsPerSecond');
    requireFrom(hop.downlinkBitsPerSecond, 'hops', h, 'downlinkBitsPerSecond');
    requireFrom(hop.rttSeconds, 'hops', h, 'rttSeconds');
    requireFrom(hop.queueSeconds, 'hops', h, 'queueSeconds');
  }
  requireFrom(power?.computeWatts, 'power.computeWatts');
  requireFrom(power?.transmitWatts, 'power.transmitWatts');
  requireFrom(power?.receiveWatts, 'power.receiveWatts');
  requireFrom(power?.idleWatts, 'power.idleWatts');
  requireFrom(battery?.level, 'battery.level');
  if (battery && battery.level > 1) throw new RangeError(`battery.level: ${battery.level} is above 1`);
  requireFrom(battery?.capacityJoules, 'battery.capacityJoules');
  requireAbove(requirements.latencySeconds, 'requirements.latencySeconds');
  requireFrom(requirements.energyJoulesPerInference, 'requirements.energyJoulesPerInference');
  requireAbove(requirements.batteryLifetimeSeconds, 'requirements.batteryLifetimeSeconds');
  requireAbove(requirements.inferencesPerSecond, 'requirements.inferencesPerSecond');
  requireFrom(requirements.bytesSent, 'requirements.bytesSent');
  requireFrom(requirements.accuracyLoss, 'requirements.accuracyLoss');
  requireFrom(requirements.privacyDepth, 'requirements.privacyDepth');
  checkBounds(requirements.weightBytes, 'requirements.weightBytes', tierCount);
  checkBounds(requirements.memoryBytes, 'requirements.memoryBytes', tierCount);
  checkObjective(requirements.objective);
}

function checkBounds(bounds: Requirements['weightBytes'], field: string, tierCount: number): void {
  if (bounds === undefined) return;
  if (bounds.length > tierCount) {
    throw new RangeError(`${field}: ${bounds.length} given, the deployment has ${tierCount} tiers`);
  }
  bounds.forEach((value, t) => requireFrom(value, `${field}[${t}]`));
}

function checkObjective(objective: Objective | undefined): void {
  if (typeof objective !== 'object') return;
  let sum = 0;
  for (const key of ['perLatencySecond', 'perEnergyJoule', 'perBottleneckSecond'] as const) {
    requireFrom(objective[key], `requirements.objective.${key}`);
    sum += objective[key] ?? 0;
  }
  if (sum === 0) throw new RangeError('requirements.objective: at least one weight must be above 0');
}

/** @param index with `key`: the field is `field[index].key` */
function requireFrom(value: number | undefined, field: string, index?: number, key?: string): void {
  if (value !== undefined && !(value >= 0 && value <= largestAmount)) {
    const name = index === undefined ? field : `${field}[${index}].${key}`;
    throw new RangeError(`${name}: ${value} is not a number from 0 to ${largestAmount}`);
  }
}

function requireAbove(value: number | undefined, field: string, index?: number, key?: string): void {
  if (value !== undefined && !(value > 0 && value <= largestAmount)) {
    const name = index === undefined ? field : `${field}[${index}].${key}`;
    throw new RangeError(`${name}: ${value} is not a number above 0, at most ${largestAmount}`);
  }
}
