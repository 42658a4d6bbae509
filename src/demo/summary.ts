/** What a demo run amounts to; written by `--json` and told at the end. */
import { formatSeconds } from '../format.js';
import { cutChanges, meanLatency, type DeviceFigures } from './fleetFigures.js';

export interface DemoSummary {
  readonly seconds: number;
  readonly seed: number;
  /** `model`, or the file that was replayed. */
  readonly links: string;
  /** What stands in for what a trace did not measure. */
  readonly notes: readonly string[];
  readonly devices: number;
  readonly edges: number;
  /** Telemetry frames that the controller accepted. */
  readonly frames: number;
  readonly decisions: number;
  readonly cutChanges: number;
  readonly searchMicroseconds: { readonly p50: number | null; readonly p99: number | null };
  /** Over all decisions taken with a link; null when there was none. */
  readonly meanPredictedLatencySeconds: {
    readonly chosen: number;
    readonly deviceOnly: number;
    readonly edgeOnly: number;
  } | null;
  /** Decisions taken while a device had no link; they are not in the means. */
  readonly decisionsWithoutLink: number;
  readonly perDevice: readonly {
    readonly deviceId: string;
    readonly edgeId: string;
    readonly model: string;
    readonly link: string;
    readonly computeRatio: number;
    readonly decisions: number;
    readonly cutChanges: number;
    readonly meanPredictedLatencySeconds: DemoSummary['meanPredictedLatencySeconds'];
  }[];
}

export interface RunFacts {
  readonly seconds: number;
  readonly seed: number;
  readonly links: string;
  readonly notes: readonly string[];
  readonly edges: number;
  readonly frames: number;
}

export function summarize(devices: readonly DeviceFigures[], facts: RunFacts): DemoSummary {
  const searches = devices
    .flatMap(({ points }) => points.map((point) => point.searchNanoseconds / 1000))
    .sort((a, b) => a - b);
  const means = meanLatency(devices);
  const decisions = searches.length;
  return {
    ...facts,
    devices: devices.length,
    decisions,
    cutChanges: devices.reduce((sum, device) => sum + cutChanges(device), 0),
    searchMicroseconds: { p50: quantile(searches, 0.5), p99: quantile(searches, 0.99) },
    meanPredictedLatencySeconds: meansOf(devices),
    decisionsWithoutLink: means === null ? decisions : means.withoutLink,
    perDevice: devices.map((device) => ({
      deviceId: device.deviceId,
      edgeId: device.edgeId,
      model: device.modelName,
      link: device.linkName,
      computeRatio: device.computeRatio,
      decisions: device.points.length,
      cutChanges: cutChanges(device),
      meanPredictedLatencySeconds: meansOf([device]),
    })),
  };
}

function meansOf(devices: readonly DeviceFigures[]): DemoSummary['meanPredictedLatencySeconds'] {
  const means = meanLatency(devices);
  return means === null
    ? null
    : { chosen: means.chosenSeconds, deviceOnly: means.deviceOnlySeconds, edgeOnly: means.edgeOnlySeconds };
}

/** Nearest rank; null for no values. */
function quantile(ascending: readonly number[], q: number): number | null {
  if (ascending.length === 0) return null;
  return ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(q * ascending.length) - 1))]!;
}

/** The summary for people. */
export function summaryLines(summary: DemoSummary): string[] {
  const { searchMicroseconds: search, meanPredictedLatencySeconds: means } = summary;
  const micros = (value: number | null): string => (value === null ? 'none' : formatSeconds(value / 1e6));
  const lines = [
    `${summary.devices} end devices and ${summary.edges} edges for ${summary.seconds} s: ${summary.frames} telemetry frames, ` +
      `${summary.decisions} decisions, ${summary.cutChanges} cut changes`,
    `search: p50 ${micros(search.p50)}, p99 ${micros(search.p99)}`,
  ];
  if (means !== null) {
    const against = (name: string, other: number): string =>
      `${(100 * (1 - means.chosen / other)).toFixed(0)} % less than ${name} (${formatSeconds(other)})`;
    lines.push(
      `mean predicted latency: ${formatSeconds(means.chosen)}, ` +
        `${against('device-only', means.deviceOnly)}, ${against('edge-only', means.edgeOnly)}`,
    );
  }
  if (summary.decisionsWithoutLink > 0) {
    lines.push(
      `${summary.decisionsWithoutLink} decisions were taken without a link and are not in the means`,
    );
  }
  return [...lines, ...summary.notes.map((note) => `note: ${note}`)];
}
