/** The charts of the load report as SVG. */
import { bottomAxis, escapeXml, leftAxis, linearScale, round, type Box } from '../../src/demo/svgPlot.js';
import { frame, palette } from '../search/charts.js';
import type { LoadReport } from './results.js';

export interface Chart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly color?: string;
}

const [blue, sky, green, orange] = palette;

export function loadCharts(report: LoadReport): Chart[] {
  const { ceiling, maximum, half, overload, profile } = report;
  const chart = (name: string, title: string, svg: string): Chart => ({ name, title, svg });
  const rates = 'Telemetry frames per second';
  const latency = 'Milliseconds from telemetry to cut';
  const memory = 'Resident memory under twice the maximum, MiB by second';
  const shares = 'Share of the busy time by module, %';
  return [
    chart(
      'rates',
      rates,
      bars(rates, [
        { name: 'bare server: the ceiling', value: ceiling.framesPerSecond, color: sky },
        { name: 'controller: maximum', value: maximum.framesPerSecond, color: blue },
        { name: 'offered in overload', value: overload.offeredPerSecond, color: orange },
        { name: 'served in overload', value: overload.servedPerSecond, color: blue },
      ]),
    ),
    chart(
      'latency',
      latency,
      bars(latency, [
        { name: 'half load, p50', value: half.telemetryToCutMs?.p50 ?? 0, color: green },
        { name: 'half load, p99', value: half.telemetryToCutMs?.p99 ?? 0, color: blue },
        { name: 'half load, probes p99', value: half.probeMs?.p99 ?? 0, color: blue },
        { name: 'overload, probes p50', value: overload.p50Ms ?? 0, color: green },
        { name: 'overload, probes p99', value: overload.p99Ms ?? 0, color: orange },
      ]),
    ),
    chart('memory', memory, overTime(memory, overload)),
    chart(
      'profile',
      shares,
      bars(
        shares,
        profile.modules.slice(0, 18).map(({ module, share }) => ({ name: module, value: 100 * share })),
      ),
    ),
  ];
}

const short = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);

function bars(title: string, entries: readonly Bar[]): string {
  const rowHeight = 24;
  const box: Box = { x: 250, y: 40, width: 440, height: entries.length * rowHeight };
  const largest = Math.max(1e-9, ...entries.map(({ value }) => value));
  const body = entries
    .map(({ name, value, color = blue }, i) => {
      const y = box.y + i * rowHeight;
      const width = (box.width * value) / largest;
      return (
        `<text class="tick" text-anchor="end" x="${box.x - 8}" y="${y + 16}">${escapeXml(name)}</text>` +
        `<rect x="${box.x}" y="${y + 4}" width="${round(width)}" height="${rowHeight - 8}" fill="${color}"/>` +
        `<text class="tick" x="${round(box.x + width + 6)}" y="${y + 16}">${short(value)}</text>`
      );
    })
    .join('');
  return frame(770, box.y + box.height + 16, title, body);
}

function overTime(title: string, { rssBytes, seconds }: LoadReport['overload']): string {
  const box: Box = { x: 60, y: 40, width: 600, height: 200 };
  const values = rssBytes.map((bytes) => bytes / 2 ** 20);
  const xs = linearScale([0, Math.max(1, seconds)], [box.x, box.x + box.width], 6);
  const ys = linearScale([0, 1.1 * Math.max(...values)], [box.y + box.height, box.y], 5);
  const step = seconds / Math.max(1, values.length - 1);
  const points = values.map((value, i) => `${round(xs.at(i * step))} ${round(ys.at(value))}`);
  const line = `<path class="line" stroke="${blue}" d="M${points.join('L')}"/>`;
  return frame(690, 290, title, leftAxis(box, ys) + bottomAxis(box, xs, 's') + line);
}
