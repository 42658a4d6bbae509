/** The context of a deployment from what its devices said last. Pure; what nobody said stays absent. */
import type { Context, HopContext, TierContext } from '../core/context.js';
import type { Corrections, DeploymentRecord, DeviceDescription, Telemetry } from './records.js';

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
 * @param corrections what measured times say of all this; null: nothing
 */
export function deploymentContext(
  requirements: DeploymentRecord['requirements'],
  end: DeviceView,
  edge: DeviceView,
  edgeWholeModelSeconds: number,
  corrections: Corrections | null,
): Context {
  const battery = end.telemetry?.battery;
  const capacityJoules = end.description?.batteryCapacityJoules;
  const power = end.description?.power;
  const hop = hopContext(
    end.telemetry,
    edge,
    edgeWholeModelSeconds * (corrections?.edge ?? 1),
    corrections?.uplink ?? 1,
    corrections?.downlink ?? 1,
  );
  const context: Writable<Context> = {
    tiers: [tierContext(end.telemetry, corrections?.end), tierContext(edge.telemetry, corrections?.edge)],
    hops: [hop],
    requirements,
  };
  if (power !== undefined) context.power = power;
  if (battery !== undefined && capacityJoules !== undefined) {
    context.battery = { level: battery.level, capacityJoules, charging: battery.charging };
  }
  return context;
}

/**
 * The same with a third tier: the link to the cloud is what the edge measures, the queue there is what the cloud reports.
 *
 * @param two the context of end device and edge
 * @param cloudWholeModelSeconds seconds of all layers in the cloud by its profile, before slowdown
 */
export function withCloud(
  two: Context,
  edge: DeviceView,
  cloud: DeviceView,
  cloudWholeModelSeconds: number,
  corrections: Corrections | null,
): Context {
  const hop = hopContext(
    edge.telemetry,
    cloud,
    cloudWholeModelSeconds * (corrections?.cloud ?? 1),
    corrections?.edgeUplink ?? 1,
    corrections?.edgeDownlink ?? 1,
  );
  return {
    ...two,
    tiers: [...two.tiers, tierContext(cloud.telemetry, corrections?.cloud)],
    hops: [...two.hops, hop],
  };
}

/** @param link what the lower tier measures of it */
function hopContext(
  link: Telemetry | null,
  upper: DeviceView,
  upperWholeModelSeconds: number,
  uplinkCorrection: number,
  downlinkCorrection: number,
): HopContext {
  const hop: Writable<HopContext> = { connected: upper.connected };
  if (link?.uplinkBitsPerSecond !== undefined) {
    hop.uplinkBitsPerSecond = link.uplinkBitsPerSecond / uplinkCorrection;
  }
  if (link?.downlinkBitsPerSecond !== undefined) {
    hop.downlinkBitsPerSecond = link.downlinkBitsPerSecond / downlinkCorrection;
  }
  if (link?.rttSeconds !== undefined) hop.rttSeconds = link.rttSeconds;
  const waiting = queueSeconds(upper.telemetry, upperWholeModelSeconds);
  if (waiting !== undefined) hop.queueSeconds = waiting;
  return hop;
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

function tierContext(telemetry: Telemetry | null, correction: number | undefined): TierContext {
  const tier: Writable<TierContext> = {};
  const slowdown = slowdownOf(telemetry);
  // with measured times the slowdown is known, whether the device reports one or not
  if (slowdown !== undefined || correction !== undefined) tier.slowdown = (slowdown ?? 1) * (correction ?? 1);
  if (telemetry?.freeStorageBytes !== undefined) tier.freeStorageBytes = telemetry.freeStorageBytes;
  if (telemetry?.freeMemoryBytes !== undefined) tier.freeMemoryBytes = telemetry.freeMemoryBytes;
  return tier;
}

/** While it is made; absent values are no fields, in memory and in JSON. */
type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
