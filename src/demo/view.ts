/**
 * The live view as lines of text: per device its link, context and cut, and what the alternatives would
 * take. Pure, so that every width can be checked; `screen.ts` puts the lines on a terminal.
 */
import type pc from 'picocolors';
import { formatRate, formatSeconds } from '../format.js';
import { cutChanges, meanLatency, type DeviceFigures } from './fleetFigures.js';

export type Colors = ReturnType<typeof pc.createColors>;

export interface ViewState {
  readonly elapsedSeconds: number;
  readonly totalSeconds: number;
  readonly controllerUrl: string;
  readonly devices: readonly DeviceFigures[];
  /** Connected according to the controller. */
  readonly connected: { readonly end: number; readonly edge: number };
  readonly frames: number;
  /** What the reader must know of the links, e.g. that a trace measured no uplink. */
  readonly notes: readonly string[];
}

const narrowest = 80;
const widest = 140;
/** Columns beside the bar, including the gaps between them. */
const fixedWidth = 68;

/**
 * The view for a terminal of `columns` by `rows`; no line is longer than `columns`. Devices that do not
 * fit are counted in a last line, not dropped in silence.
 */
export function renderView(state: ViewState, columns: number, rows: number, colors: Colors): string[] {
  const width = Math.min(widest, Math.max(narrowest, columns));
  const barWidth = width - fixedWidth;
  const top = [
    titleLine(state, width, colors),
    '',
    colors.dim(
      `${'device'.padEnd(12)}${'uplink'.padStart(12)}  ${'cut: device|edge'.padEnd(barWidth + 8)} ` +
        `${'chosen'.padStart(8)}${'device'.padStart(9)}${'edge'.padStart(8)}${'search'.padStart(8)}`,
    ),
  ];
  const bottom = ['', ...totalLines(state, width, colors)];
  const room = Math.max(1, Math.floor((rows - top.length - bottom.length - 2) / 2));
  const shown = state.devices.slice(0, room);
  const hidden = state.devices.length - shown.length;
  return [
    ...top,
    ...shown.flatMap((device) => deviceLines(device, barWidth, width, colors)),
    ...(hidden > 0 ? [colors.dim(`… ${hidden} more: a higher terminal shows them`)] : []),
    ...bottom,
  ];
}

function titleLine(state: ViewState, width: number, colors: Colors): string {
  const left = 'Cutpoint demo';
  const clock = `${state.elapsedSeconds.toFixed(0)} of ${state.totalSeconds} s`;
  const right = `${state.controllerUrl}   ${clock}`;
  return colors.bold(left) + ' '.repeat(Math.max(1, width - left.length - right.length)) + colors.dim(right);
}

function deviceLines(device: DeviceFigures, barWidth: number, width: number, colors: Colors): string[] {
  const point = device.points.at(-1);
  const name = device.deviceId.slice(0, 12).padEnd(12);
  if (point === undefined) return [`${name}  ${colors.dim('waiting for its first decision')}`, ''];
  const edgeLayers = device.layerCount - point.endLayerCount;
  const uplink = point.uplinkBitsPerSecond === null ? '?' : formatRate(point.uplinkBitsPerSecond);
  const cut = `${String(point.endLayerCount).padStart(3)}|${edgeLayers}`.padEnd(8);
  const impossible = (seconds: number): string =>
    Number.isFinite(seconds) ? formatSeconds(seconds) : 'no link';
  const first =
    `${colors.bold(name)}${uplink.padStart(12)}  ` +
    cutBar(point.endLayerCount, device.layerCount, barWidth, colors) +
    `${cut} ${colors.bold(colors.green(impossible(point.chosenSeconds).padStart(8)))} ` +
    `${impossible(point.deviceOnlySeconds).padStart(8)}${impossible(point.edgeOnlySeconds).padStart(8)}` +
    formatSeconds(point.searchNanoseconds / 1e9).padStart(8);
  return [first, colors.dim(shorten(contextLine(device), width))];
}

/** Layers here / layers there. A cut that leaves one layer on a side still shows a block of it. */
export function cutBar(endLayers: number, layerCount: number, width: number, colors: Colors): string {
  let device = layerCount === 0 ? 0 : Math.round((endLayers / layerCount) * width);
  if (endLayers > 0) device = Math.max(1, device);
  if (endLayers < layerCount) device = Math.min(width - 1, device);
  return colors.yellow('█'.repeat(device)) + colors.blue('░'.repeat(width - device));
}

function contextLine(device: DeviceFigures): string {
  const point = device.points.at(-1)!;
  const parts = [
    `  ${device.modelName} → ${device.edgeId}`,
    `${device.linkName}${point.rttSeconds === null ? '' : ` rtt ${formatSeconds(point.rttSeconds)}`}`,
    ...(point.violated.length > 0 ? [`misses ${point.violated.map(plainName).join(', ')}`] : []),
    ...(point.endSlowdown === null ? [] : [`cpu ×${point.endSlowdown.toFixed(1)}`]),
    ...(point.battery === null
      ? []
      : [`battery ${Math.round(point.battery.level * 100)} %${point.battery.charging ? ' charging' : ''}`]),
    `cut v${point.version}`,
  ];
  return parts.join(' · ');
}

function totalLines(state: ViewState, width: number, colors: Colors): string[] {
  const decisions = state.devices.reduce((sum, device) => sum + device.points.length, 0);
  const changes = state.devices.reduce((sum, device) => sum + cutChanges(device), 0);
  const totals =
    `${state.connected.end} end devices, ${state.connected.edge} edges · ${state.frames} frames · ` +
    `${decisions} decisions · ${changes} cut changes`;
  const latencies = meanLatency(state.devices);
  const means =
    latencies === null
      ? 'mean predicted latency: no decision yet'
      : `mean predicted latency: ${colors.green(formatSeconds(latencies.chosenSeconds))} ` +
        `(device-only ${formatSeconds(latencies.deviceOnlySeconds)}, edge-only ${formatSeconds(latencies.edgeOnlySeconds)})`;
  return [totals, means, ...state.notes.map((note) => colors.dim(shorten(`note: ${note}`, width)))];
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** `latencySeconds` -> `latency`: units are for those who read JSON. */
function plainName(constraint: string): string {
  return constraint.replace(/(Seconds|JoulesPerInference|Bytes)$/, '');
}
