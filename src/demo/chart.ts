/**
 * The chart of a demo run: one panel per device, in it uplink, cut and latency above one another over the
 * same time axis, so that one sees the cut follow the link. A standalone SVG without scripts or web fonts.
 */
import { cutChanges, type DecisionPoint, type DeviceFigures } from './fleetFigures.js';
import {
  bottomAxis,
  escapeXml,
  leftAxis,
  linearScale,
  logScale,
  round,
  stepPath,
  type Box,
} from './svgPlot.js';

export interface ChartInput {
  readonly seconds: number;
  readonly devices: readonly DeviceFigures[];
  /** Said below the title, e.g. totals and where the links come from. */
  readonly subtitle: readonly string[];
}

/** More panels than this are no longer read; the devices whose cuts moved most are shown, and it is said. */
const mostPanels = 12;
const margin = 28;
const panelWidth = 440;
const panelHeight = 330;
const gap = 24;
const style = `
  text { font-family: 'Inter', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1f2933; }
  .title { font-size: 22px; font-weight: 650; } .subtitle { font-size: 13px; fill: #52606d; }
  .name { font-size: 14px; font-weight: 650; } .about { font-size: 11.5px; fill: #52606d; }
  .tick { font-size: 10px; fill: #616e7c; } .axisname { font-size: 10.5px; fill: #323f4b; font-weight: 600; }
  .legend { font-size: 12px; } .grid { stroke: #e4e7eb; } .axis { stroke: #9aa5b1; }
  .panel { fill: #ffffff; stroke: #d9dee4; } .frame { fill: none; stroke: #cbd2d9; }
  path { fill: none; stroke-linejoin: round; }
  .uplink { stroke: #6b4fbb; stroke-width: 1.6; }
  .device { stroke: #e08e0b; stroke-width: 1.3; } .edge { stroke: #2f80c9; stroke-width: 1.3; }
  .chosen { stroke: #12a06f; stroke-width: 4.5; opacity: 0.7; }
  .ondevice { fill: #f6c667; } .onedge { fill: #9cc7ee; } .boundary { stroke: #1f2933; stroke-width: 1.2; }
`;

/** The whole chart as one SVG document. */
export function renderChart(input: ChartInput): string {
  const mostMoved = [...input.devices].sort((a, b) => cutChanges(b) - cutChanges(a)).slice(0, mostPanels);
  const shown = input.devices.filter((device) => mostMoved.includes(device));
  const columns = Math.max(1, Math.min(3, shown.length));
  const panelRows = Math.max(1, Math.ceil(shown.length / columns));
  const subtitle = [...input.subtitle];
  if (shown.length < input.devices.length) {
    subtitle.push(
      `Shown are the ${shown.length} of ${input.devices.length} devices whose cuts changed most.`,
    );
  }
  const headHeight = margin + 30 + subtitle.length * 18 + 34;
  // One narrow panel must still leave room for the head.
  const width = Math.max(900, 2 * margin + columns * panelWidth + (columns - 1) * gap);
  const height = headHeight + panelRows * panelHeight + (panelRows - 1) * gap + margin;
  const panels = shown.map((device, index) =>
    panel(device, input.seconds, {
      x: margin + (index % columns) * (panelWidth + gap),
      y: headHeight + Math.floor(index / columns) * (panelHeight + gap),
      width: panelWidth,
      height: panelHeight,
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>Cutpoint demo: link, cut and latency over time</title>',
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" fill="#f7f9fb"/>`,
    `<text class="title" x="${margin}" y="${margin + 16}">Cutpoint demo: the best cut follows the link</text>`,
    ...subtitle.map(
      (line, index) =>
        `<text class="subtitle" x="${margin}" y="${margin + 40 + index * 18}">${escapeXml(line)}</text>`,
    ),
    legend(margin, headHeight - 18),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function legend(x: number, y: number): string {
  const entries: readonly (readonly [string, string, 'line' | 'area'])[] = [
    ['uplink', 'uplink', 'line'],
    ['ondevice', 'layers on the device', 'area'],
    ['onedge', 'layers on the edge', 'area'],
    ['chosen', 'chosen cut', 'line'],
    ['device', 'device-only', 'line'],
    ['edge', 'edge-only', 'line'],
  ];
  let left = x;
  return entries
    .map(([name, label, kind]) => {
      const mark =
        kind === 'line'
          ? `<path class="${name}" d="M${left} ${y - 4}h22"/>`
          : `<rect class="${name}" x="${left}" y="${y - 10}" width="22" height="12"/>`;
      const text = `<text class="legend" x="${left + 28}" y="${y}">${label}</text>`;
      left += 28 + label.length * 6.6 + 24;
      return mark + text;
    })
    .join('');
}

function panel(device: DeviceFigures, seconds: number, box: Box): string {
  const left = box.x + 66;
  const plotWidth = box.width - 66 - 20;
  const strip = (y: number, height: number): Box => ({ x: left, y: box.y + y, width: plotWidth, height });
  const time = linearScale([0, seconds], [left, left + plotWidth], 6);
  const latencyBox = strip(200, 96);
  const changes = cutChanges(device);
  const about =
    `${device.modelName} → ${device.edgeId}, ${device.linkName}, ` +
    `${device.computeRatio}× slower than here, ${changes} ${changes === 1 ? 'change' : 'changes'}`;
  return [
    `<g><rect class="panel" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="8"/>`,
    `<text class="name" x="${box.x + 14}" y="${box.y + 22}">${escapeXml(device.deviceId)}</text>`,
    `<text class="about" x="${box.x + 14}" y="${box.y + 38}">${escapeXml(about)}</text>`,
    rateStrip(device.points, time.at, strip(54, 62)),
    cutStrip(device, time.at, strip(132, 50)),
    latencyStrip(device.points, time.at, latencyBox),
    bottomAxis(latencyBox, time, 's'),
    '</g>',
  ].join('\n');
}

type TimeAt = (seconds: number) => number;

/** 1-2-5 steps without the noise of binary fractions: `0.2`, `50`, `3,000`. */
function tidy(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 });
}

function axisName(box: Box, name: string): string {
  const x = box.x - 48;
  const y = box.y + box.height / 2;
  return `<text class="axisname" text-anchor="middle" transform="translate(${x} ${round(y)}) rotate(-90)">${name}</text>`;
}

function frame(box: Box): string {
  return `<rect class="frame" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}"/>`;
}

function rateStrip(points: readonly DecisionPoint[], at: TimeAt, box: Box): string {
  const rates = points.map((point) => point.uplinkBitsPerSecond).filter((rate) => rate !== null);
  const scale = logScale(rates, [box.y + box.height, box.y], (value) => tidy(value / 1e6));
  const line = points.map(
    (point) =>
      [
        at(point.atSeconds),
        point.uplinkBitsPerSecond === null ? null : scale.at(point.uplinkBitsPerSecond),
      ] as const,
  );
  return (
    leftAxis(box, scale) +
    frame(box) +
    axisName(box, 'Mbit/s') +
    `<path class="uplink" d="${stepPath(line, box.x + box.width)}"/>`
  );
}

/** The layers from the model's input at the top to its output at the foot; the boundary is the cut. */
function cutStrip(device: DeviceFigures, at: TimeAt, box: Box): string {
  const scale = linearScale([0, device.layerCount], [box.y, box.y + box.height], 2);
  const end = box.x + box.width;
  const boundary = stepPath(
    device.points.map((point) => [at(point.atSeconds), scale.at(point.endLayerCount)] as const),
    end,
  );
  const first = device.points[0];
  if (first === undefined) return frame(box) + axisName(box, 'cut');
  const startX = round(at(first.atSeconds));
  return (
    `<rect class="onedge" x="${startX}" y="${box.y}" width="${round(end - at(first.atSeconds))}" height="${box.height}"/>` +
    `<path class="ondevice" style="fill:#f6c667" d="${boundary}V${box.y}H${startX}Z"/>` +
    leftAxis(box, {
      at: scale.at,
      ticks: [
        { value: 0, label: '0' },
        { value: device.layerCount, label: String(device.layerCount) },
      ],
    }) +
    frame(box) +
    axisName(box, 'layers') +
    `<path class="boundary" d="${boundary}"/>`
  );
}

function latencyStrip(points: readonly DecisionPoint[], at: TimeAt, box: Box): string {
  const series = [
    // The chosen cut lies below as a broad band: it always coincides with one of the others or undercuts both.
    ['chosen', (point: DecisionPoint) => point.chosenSeconds],
    ['device', (point: DecisionPoint) => point.deviceOnlySeconds],
    ['edge', (point: DecisionPoint) => point.edgeOnlySeconds],
  ] as const;
  const values = points.flatMap((point) => series.map(([, value]) => value(point)));
  const scale = logScale(values, [box.y + box.height, box.y], (value) => tidy(value * 1e3));
  const lines = series.map(([name, value]) => {
    const path = points.map((point) => {
      const seconds = value(point);
      return [at(point.atSeconds), Number.isFinite(seconds) ? scale.at(seconds) : null] as const;
    });
    return `<path class="${name}" d="${stepPath(path, box.x + box.width)}"/>`;
  });
  return leftAxis(box, scale) + frame(box) + axisName(box, 'latency, ms') + lines.join('');
}
