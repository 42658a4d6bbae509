/** The charts of the report as SVG. */
import {
  bottomAxis,
  escapeXml,
  leftAxis,
  linearScale,
  logScale,
  round,
  type Box,
  type Scale,
} from '../../src/demo/svgPlot.js';

export interface Mark {
  readonly name: string;
  readonly color: string;
}

/** Colours that differ for colour-blind readers too (Okabe and Ito). */
export const palette = [
  '#0072b2',
  '#56b4e9',
  '#009e73',
  '#e69f00',
  '#cc79a7',
  '#d55e00',
  '#000000',
  '#999999',
] as const;

const style =
  '<style>text{font:12px system-ui,sans-serif;fill:#222}.tick{font-size:11px;fill:#555}.title{font-size:14px;font-weight:600}' +
  '.grid{stroke:#e4e4e4}.axis{stroke:#888}.line{fill:none;stroke-width:2}</style>';

export function frame(width: number, height: number, title: string, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">` +
    `<title>${escapeXml(title)}</title>${style}<rect width="100%" height="100%" fill="#fff"/>` +
    `<text class="title" x="14" y="22">${escapeXml(title)}</text>${body}</svg>\n`
  );
}

export function legend(marks: readonly Mark[], x: number, y: number): string {
  let at = x;
  return marks
    .map(({ name, color }) => {
      const entry =
        `<circle cx="${at + 5}" cy="${y - 4}" r="4.5" fill="${color}"/>` +
        `<text class="tick" x="${at + 14}" y="${y}">${escapeXml(name)}</text>`;
      at += 26 + name.length * 6.4;
      return entry;
    })
    .join('');
}

const timeLabel = (microseconds: number): string =>
  microseconds >= 1000
    ? `${microseconds / 1000} ms`
    : microseconds >= 1
      ? `${microseconds} µs`
      : `${Number((microseconds * 1000).toPrecision(3))} ns`;

/** One row per name, one dot per contender, time on a logarithmic axis. */
export function dotChart(
  title: string,
  marks: readonly Mark[],
  rows: readonly { readonly name: string; readonly us: readonly (number | null)[] }[],
): string {
  const box: Box = { x: 215, y: 56, width: 640, height: rows.length * 19 };
  const values = rows.flatMap((row) => row.us.filter((us): us is number => us !== null && us > 0));
  const scale = logScale(values, [box.x, box.x + box.width], timeLabel);
  // Labels of a horizontal axis need more room than the scale allows for.
  const decades: Scale = {
    at: scale.at,
    ticks: scale.ticks.filter(({ value }) => /^1(0*|e.*)?$|^0?\.0*1$/.test(String(value))),
  };
  const body = rows
    .map(({ name, us }, r) => {
      const y = box.y + r * 19 + 10;
      const dots = us.map((value, m) =>
        value === null
          ? ''
          : `<circle cx="${round(scale.at(value))}" cy="${y}" r="4.5" fill="${marks[m]!.color}" fill-opacity="0.85"/>`,
      );
      return (
        `<line class="grid" x1="${box.x}" x2="${box.x + box.width}" y1="${y}" y2="${y}"/>` +
        `<text class="tick" text-anchor="end" x="${box.x - 6}" y="${y + 4}">${escapeXml(name)}</text>${dots.reverse().join('')}`
      );
    })
    .join('');
  return frame(
    880,
    box.y + box.height + 34,
    title,
    legend(marks, box.x, 42) + body + bottomAxis(box, decades, ''),
  );
}

export interface Line extends Mark {
  /** Runs of points that belong together: each is joined by a line. */
  readonly runs: readonly (readonly (readonly [number, number])[])[];
}

/** Two logarithmic axes. */
export function lineChart(
  title: string,
  xName: string,
  lines: readonly Line[],
  label: (value: number) => string,
): string {
  const box: Box = { x: 80, y: 56, width: 560, height: 300 };
  const all = lines.flatMap((line) => line.runs.flat());
  const right: readonly [number, number] = [box.x, box.x + box.width];
  const xs = logScale(
    all.map(([x]) => x),
    right,
    countLabel,
  );
  const ys = logScale(
    all.map(([, y]) => y),
    [box.y + box.height, box.y],
    label,
  );
  const sparse: Scale = {
    at: xs.at,
    ticks: xs.ticks.filter(({ value }) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)),
  };
  const body = lines
    .flatMap(({ runs, color }) =>
      runs.map((points) => {
        const at = points.map(([x, y]) => `${round(xs.at(x))} ${round(ys.at(y))}`);
        const dots = points.map(
          ([x, y]) => `<circle cx="${round(xs.at(x))}" cy="${round(ys.at(y))}" r="3.5" fill="${color}"/>`,
        );
        return `<path class="line" stroke="${color}" d="M${at.join('L')}"/>${dots.join('')}`;
      }),
    )
    .join('');
  return frame(
    680,
    410,
    title,
    legend(lines, box.x, 42) + leftAxis(box, ys) + body + bottomAxis(box, sparse, xName),
  );
}

const countLabel = (count: number): string =>
  count >= 1e6
    ? `${count / 1e6} M`
    : count >= 1e3
      ? `${count / 1e3} k`
      : String(Number(count.toPrecision(3)));
export { timeLabel };

/** Shares of 0 to 1 per group, side by side. */
export function barChart(
  title: string,
  marks: readonly Mark[],
  groups: readonly { readonly name: string; readonly shares: readonly number[] }[],
): string {
  const box: Box = { x: 60, y: 56, width: 600, height: 240 };
  const ys = linearScale([0, 100], [box.y + box.height, box.y], 5);
  const step = box.width / groups.length;
  const thick = (step * 0.8) / marks.length;
  const body = groups
    .map(({ name, shares }, g) => {
      const bars = shares.map((share, m) => {
        const x = box.x + g * step + step * 0.1 + m * thick;
        const y = ys.at(100 * share);
        return `<rect x="${round(x)}" y="${round(y)}" width="${round(thick - 1)}" height="${round(box.y + box.height - y)}" fill="${marks[m]!.color}"/>`;
      });
      const middle = round(box.x + (g + 0.5) * step);
      return `${bars.join('')}<text class="tick" text-anchor="middle" x="${middle}" y="${box.y + box.height + 16}">${escapeXml(name)}</text>`;
    })
    .join('');
  return frame(690, 330, title, legend(marks, box.x, 42) + leftAxis(box, ys) + body);
}
