/**
 * The chart of a replay: the link, the layers on the end device, the latency of requests, and what each policy lost
 * to the clairvoyant so far, above one another over the same time axis. A standalone SVG without scripts or web fonts.
 */
import type { PolicyName, PolicyRun } from '../core/replay/comparison.js';
import type { LinkSecond } from '../core/replay/resample.js';
import {
  bottomAxis,
  escapeXml,
  leftAxis,
  linearScale,
  logScale,
  round,
  stepPath,
  type Box,
  type Scale,
} from '../demo/svgPlot.js';
import { policyTitles } from './policyTitles.js';

export interface ReplayChart {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly link: readonly LinkSecond[];
  readonly layerCount: number;
  readonly runs: readonly PolicyRun[];
}

const width = 1120;
const left = 84;
const plotWidth = width - left - 240;
const colours: Readonly<Record<PolicyName, string>> = {
  default: '#12a06f',
  follow: '#999999',
  recut: '#c2410c',
  dads: '#b45309',
  neurosurgeon: '#be185d',
  'device-only': '#e0a10b',
  'edge-only': '#2f80c9',
  'best-static': '#6b7280',
  clairvoyant: '#111827',
};
const style = `
  text { font-family: 'Inter', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1f2933; }
  .title { font-size: 20px; font-weight: 650; } .subtitle { font-size: 12.5px; fill: #52606d; }
  .tick { font-size: 10px; fill: #616e7c; } .name { font-size: 12px; font-weight: 600; }
  .legend { font-size: 12px; } .grid { stroke: #e4e7eb; } .axis { stroke: #9aa5b1; }
  .frame { fill: none; stroke: #cbd2d9; } path { fill: none; stroke-linejoin: round; stroke-width: 1.4; }
  .link { stroke: #6b4fbb; }
`;

/** The whole chart as one SVG document. */
export function renderReplayChart(chart: ReplayChart): string {
  const seconds = chart.link.length;
  const head = 84 + chart.subtitle.length * 17;
  const strip = (y: number, height: number): Box => ({ x: left, y: head + y, width: plotWidth, height });
  const boxes = { link: strip(0, 90), cut: strip(130, 90), latency: strip(260, 150), loss: strip(450, 150) };
  const height = head + 640;
  const time = linearScale([0, seconds], [left, left + plotWidth], 8);
  const ordered = [...chart.runs].sort((a, b) => drawOrder(a.name) - drawOrder(b.name));
  const legendRuns = [...chart.runs];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(chart.title)}</title>`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text class="title" x="24" y="34">${escapeXml(chart.title)}</text>`,
    ...chart.subtitle.map(
      (line, i) => `<text class="subtitle" x="24" y="${56 + i * 17}">${escapeXml(line)}</text>`,
    ),
    linkStrip(chart.link, time, boxes.link),
    cutStrip(ordered, chart.layerCount, time, boxes.cut),
    latencyStrip(ordered, time, boxes.latency),
    lossStrip(ordered, time, boxes.loss),
    bottomAxis(boxes.loss, time, 's'),
    legend(legendRuns, left + plotWidth + 24, head + 8),
    '</svg>\n',
  ].join('\n');
}

/** What matters most is drawn last, on top. */
function drawOrder(name: PolicyName): number {
  return name === 'default' ? 2 : name === 'clairvoyant' ? 1 : 0;
}

function legend(runs: readonly PolicyRun[], x: number, y: number): string {
  return runs
    .map(({ name }, i) => {
      const at = y + i * 20;
      return (
        `<path stroke="${colours[name]}" style="stroke-width:3" d="M${x} ${at - 4}h20"/>` +
        `<text class="legend" x="${x + 27}" y="${at}">${escapeXml(policyTitles[name])}</text>`
      );
    })
    .join('');
}

function frame(box: Box, name: string): string {
  return (
    `<rect class="frame" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}"/>` +
    `<text class="name" x="${box.x}" y="${box.y - 7}">${escapeXml(name)}</text>`
  );
}

function path(points: readonly (readonly [number, number | null])[], box: Box, attributes: string): string {
  return `<path ${attributes} d="${stepPath(points, box.x + box.width)}"/>`;
}

function linkStrip(link: readonly LinkSecond[], time: Scale, box: Box): string {
  const rates = link.map((second) => second.uplinkBitsPerSecond);
  const positive = rates.filter((rate) => rate !== null && rate > 0).map(Number);
  const scale = logScale(positive, [box.y + box.height, box.y], (value) => tidy(value / 1e6));
  const points = rates.map((rate, i) => [time.at(i), rate === null ? null : scale.at(rate)] as const);
  return (
    leftAxis(box, scale) +
    frame(box, 'Uplink, Mbit/s (at the foot: none)') +
    path(points, box, 'class="link"')
  );
}

/** Only the default policy and the clairvoyant: more lines of cuts would hide one another. */
function cutStrip(runs: readonly PolicyRun[], layerCount: number, time: Scale, box: Box): string {
  const scale = linearScale([0, layerCount], [box.y + box.height, box.y], 4);
  const lines = runs
    .filter(({ name }) => name === 'default' || name === 'clairvoyant')
    .map(({ name, steps }) => {
      const points = steps.map(({ placement }, i) => {
        const layers = placement.reduce((sum, tier) => sum + (tier === 0 ? 1 : 0), 0);
        return [time.at(i), scale.at(layers)] as const;
      });
      return path(points, box, strokeOf(name));
    });
  return leftAxis(box, scale) + frame(box, `Layers on the end device, of ${layerCount}`) + lines.join('');
}

function latencyStrip(runs: readonly PolicyRun[], time: Scale, box: Box): string {
  const shown = runs.filter(({ name }) => ['default', 'recut', 'device-only', 'best-static'].includes(name));
  const values = shown.flatMap(({ steps }) => steps.map((step) => step.latencySeconds));
  const scale = logScale(values, [box.y + box.height, box.y], (value) => tidy(value * 1e3));
  const lines = shown.map(({ name, steps }) =>
    path(
      steps.map((step, i) => [time.at(i), scale.at(step.latencySeconds)] as const),
      box,
      strokeOf(name),
    ),
  );
  return leftAxis(box, scale) + frame(box, 'Latency of a request, ms') + lines.join('');
}

function lossStrip(runs: readonly PolicyRun[], time: Scale, box: Box): string {
  const base = runs.find(({ name }) => name === 'clairvoyant');
  const losses = runs.map(({ name, steps }) => {
    let sum = 0;
    const points = steps.map((step, i) => {
      sum += step.latencySeconds - (base?.steps[i]?.latencySeconds ?? 0);
      return sum;
    });
    return { name, points };
  });
  // Edge-only over a dead link would press all others to the foot.
  const ends = losses.map(({ points }) => points.at(-1) ?? 0).sort((a, b) => a - b);
  const own = losses.find(({ name }) => name === 'default')?.points.at(-1) ?? 0;
  const top = Math.max(4 * own, ends[Math.floor(ends.length / 2)] ?? 0, 0.1);
  const lowest = Math.min(0, ...losses.flatMap(({ points }) => points));
  const scale = linearScale([lowest, top], [box.y + box.height, box.y], 5);
  const lines = losses.map(({ name, points }) =>
    path(
      points.map((value, i) => [time.at(i), value > top ? null : scale.at(value)] as const),
      box,
      strokeOf(name),
    ),
  );
  const title = base ? 'Lost to the clairvoyant so far, s' : 'Latency of all requests so far, s';
  return leftAxis(box, scale) + frame(box, title) + lines.join('');
}

function strokeOf(name: PolicyName): string {
  const dash = name === 'clairvoyant' ? ' stroke-dasharray="4 3"' : '';
  const broad = name === 'default' ? ' style="stroke-width:2.2"' : '';
  return `stroke="${colours[name]}"${dash}${broad}`;
}

/** 1-2-5 steps without the noise of binary fractions. */
function tidy(value: number): string {
  return round(value) === '0'
    ? String(Number(value.toPrecision(2)))
    : Number(value.toPrecision(3)).toLocaleString('en-US');
}
