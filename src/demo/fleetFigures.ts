/** What the demo shows of the fleet: figures that the controller recorded, arranged by device. */

/** One decision of the controller for one deployment. */
export interface DecisionPoint {
  /** Since the fleet started. */
  readonly atSeconds: number;
  /** Null: not measured at the time. */
  readonly uplinkBitsPerSecond: number | null;
  readonly rttSeconds: number | null;
  readonly endSlowdown: number | null;
  readonly edgeQueueSeconds: number | null;
  readonly battery: { readonly level: number; readonly charging: boolean } | null;
  /** Layers on the end device. */
  readonly endLayerCount: number;
  readonly version: number;
  /** Predicted latency of the chosen cut, and what the two simple answers would have taken; infinite where impossible. */
  readonly chosenSeconds: number;
  readonly deviceOnlySeconds: number;
  readonly edgeOnlySeconds: number;
  readonly searchNanoseconds: number;
  /** Constraints that no cut could meet. */
  readonly violated: readonly string[];
}

export interface DeviceFigures {
  readonly deviceId: string;
  readonly edgeId: string;
  readonly modelName: string;
  /** `lte`, `wifi`, `5g-drive`, or the name of the trace. */
  readonly linkName: string;
  readonly computeRatio: number;
  readonly layerCount: number;
  readonly points: readonly DecisionPoint[];
}

/** How often the cut of a deployment changed after its first decision. */
export function cutChanges(device: DeviceFigures): number {
  return device.points.filter(
    (point, index) => index > 0 && point.version !== device.points[index - 1]!.version,
  ).length;
}

export interface MeanLatency {
  readonly chosenSeconds: number;
  readonly deviceOnlySeconds: number;
  readonly edgeOnlySeconds: number;
  /** Decisions that the means are over. */
  readonly decisions: number;
  /** Decisions left out of the means because one of the three could not run at all (no link). */
  readonly withoutLink: number;
}

/**
 * Mean predicted latency over all decisions in which each of the three could run; null when there is none.
 * A decision taken without a link has no edge-only latency, so it is left out for all three and counted.
 */
export function meanLatency(devices: readonly DeviceFigures[]): MeanLatency | null {
  const points = devices.flatMap((device) => device.points);
  const usable = points.filter(
    (point) =>
      Number.isFinite(point.chosenSeconds) &&
      Number.isFinite(point.deviceOnlySeconds) &&
      Number.isFinite(point.edgeOnlySeconds),
  );
  if (usable.length === 0) return null;
  const mean = (value: (point: DecisionPoint) => number): number =>
    usable.reduce((sum, point) => sum + value(point), 0) / usable.length;
  return {
    chosenSeconds: mean((point) => point.chosenSeconds),
    deviceOnlySeconds: mean((point) => point.deviceOnlySeconds),
    edgeOnlySeconds: mean((point) => point.edgeOnlySeconds),
    decisions: usable.length,
    withoutLink: points.length - usable.length,
  };
}
