/** The context of a deployment from what its two devices said last. Pure; what nobody said stays absent. */
import type { Context, HopContext, TierContext } from '../core/context.js';
import type { DeploymentRecord, DeviceDescription, Telemetry } from './records.js';

/** What is known of a device now. */
export interface DeviceView {
  /** Null when it has never said hello. */
  readonly description: DeviceDescription | null;
  /** Null when it has not sent telemetry since the controller started. */
  readonly telemetry: Telemetry | null;
  readonly connected: boolean;
}

/**
 * The link is what the end device measures; the queue is what the edge reports, times the mean service time
 * that it reports or, where it reports none, the seconds that the whole model takes there now.
 *
 * @param edgeWholeModelSeconds seconds of all layers on the edge by its profile, before slowdown
 */
export function deploymentContext(
  requirements: DeploymentRecord['requirements'],
  end: DeviceView,
  edge: DeviceView,
  edgeWholeModelSeconds: number,
): Context {
  const link = end.telemetry;
  const battery = link?.battery;
  const capacityJoules = end.description?.batteryCapacityJoules;
  const power = end.description?.power;
  const hop: HopContext = {
    ...given('uplinkBitsPerSecond', link?.uplinkBitsPerSecond),
    ...given('downlinkBitsPerSecond', link?.downlinkBitsPerSecond),
    ...given('rttSeconds', link?.rttSeconds),
    ...given('queueSeconds', queueSeconds(edge.telemetry, edgeWholeModelSeconds)),
    connected: edge.connected,
  };
  return {
    tiers: [tierContext(end.telemetry), tierContext(edge.telemetry)],
    hops: [hop],
    ...(power === undefined ? {} : { power }),
    ...(battery === undefined || capacityJoules === undefined
      ? {}
      : { battery: { level: battery.level, capacityJoules, charging: battery.charging } }),
    requirements,
  };
}

/** Seconds now per second of the profile: as measured, else 1 / (1 - cpuLoad), else absent. */
export function slowdownOf(telemetry: Telemetry | null): number | undefined {
  if (telemetry?.slowdown !== undefined) return telemetry.slowdown;
  return telemetry?.cpuLoad === undefined ? undefined : 1 / (1 - telemetry.cpuLoad);
}

function queueSeconds(telemetry: Telemetry | null, wholeModelSeconds: number): number | undefined {
  if (telemetry?.queueLength === undefined) return undefined;
  return (
    telemetry.queueLength * (telemetry.meanServiceSeconds ?? wholeModelSeconds * (slowdownOf(telemetry) ?? 1))
  );
}

function tierContext(telemetry: Telemetry | null): TierContext {
  return {
    ...given('slowdown', slowdownOf(telemetry)),
    ...given('freeStorageBytes', telemetry?.freeStorageBytes),
    ...given('freeMemoryBytes', telemetry?.freeMemoryBytes),
  };
}

/** `{name: value}`, or nothing: so that absent values are no fields, in memory and in JSON. */
function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
