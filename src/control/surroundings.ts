/** What a deployment is decided with besides itself: its devices, as they are now, and the time. */
import type { DeviceView } from './deploymentContext.js';
import type { Clock } from './ports.js';
import type { DeploymentRecord } from './records.js';

type SeenView = DeviceView & { readonly seenSinceStart: boolean };

export interface Surroundings {
  readonly end: SeenView;
  readonly edge: SeenView;
  /** Null without a cloud. */
  readonly cloud: SeenView | null;
  /** True until the time that devices have to come back after a start is over. */
  readonly settling: boolean;
  readonly clock: Clock;
}

/** Who has to come back, or to speak, after a start before a cut from before it may be decided anew. */
export function missingAfterStart(
  { end: endTier, edge: edgeTier, cloud: cloudTier }: Pick<DeploymentRecord, 'end' | 'edge' | 'cloud'>,
  { end, edge, cloud, settling }: Surroundings,
): string[] {
  const missing = [];
  if (end.telemetry === null) missing.push(`telemetry of end device ${endTier.deviceId}`);
  if (settling && !edge.seenSinceStart) missing.push(`edge ${edgeTier.deviceId} to connect again`);
  if (cloud === null || !settling) return missing;
  // the link to the cloud is what the edge measures
  if (edge.connected && edge.telemetry === null) missing.push(`telemetry of edge ${edgeTier.deviceId}`);
  if (!cloud.seenSinceStart) missing.push(`cloud ${cloudTier?.deviceId} to connect again`);
  return missing;
}
