/** The charts of the report as SVG. */
import {
  bottomAxis,
  escapeXml,
  leftAxis,
  linearScale,
  logScale,
  round,
  type Box,
} from '../../src/demo/svgPlot.js';
import { policyTitles } from '../../src/replay/policyTitles.js';
import { frame, legend, palette } from '../search/charts.js';
import { isBroken, switchCosts, type Run } from './measure.js';
import { causalNames, meanRegret } from './summary.js';
import { costLabel } from './switchCostLabel.js';

const colors = [palette[5], palette[3], palette[0], palette[1], palette[2], palette[7], palette[6]] as const;

/** Mean regret of each policy that sees the past alone, one row a switch cost, on a logarithmic axis. */
export function regretChart(runs: readonly Run[]): string {
  const box: Box = { x: 110, y: 74, width: 720, height: switchCosts.length * 44 };
  const points = switchCosts.map((cost) => causalNames.map((name) => 100 * meanRegret(runs, name, cost)));
  const scale = logScale(points.flat(), [box.x, box.x + box.width], (value) => `${value} %`);
  const body = switchCosts
    .map((cost, row) => {
      const y = box.y + row * 44 + 22;
      const dots = causalNames.map((_, i) => {
        // Policies that do the same share a place: a little apart they can all be seen.
        const at = y + (i - (causalNames.length - 1) / 2) * 5;
        return `<circle cx="${round(scale.at(points[row]![i]!))}" cy="${round(at)}" r="4.5" fill="${colors[i]}"/>`;
      });
      return (
        `<line class="grid" x1="${box.x}" x2="${box.x + box.width}" y1="${y}" y2="${y}"/>` +
        `<text class="tick" text-anchor="end" x="${box.x - 8}" y="${y + 4}">${costLabel(cost)}</text>${dots.reverse().join('')}`
      );
    })
    .join('');
  const marks = causalNames.map((name, i) => ({ name: policyTitles[name], color: colors[i]! }));
  return frame(
    880,
    box.y + box.height + 40,
    'Regret against the clairvoyant by the cost of a switch, mean',
    legend(marks.slice(0, 4), 30, 42) + legend(marks.slice(4), 30, 60) + body + bottomAxis(box, scale, ''),
  );
}

/** How far each run is from its limit, one column a link; above 0 the promise is broken. */
export function excessChart(
  runs: readonly Run[],
  title: string,
  promise: 'deviceOnly' | 'bestStatic',
): string {
  const links = [...new Set(runs.map(({ link }) => link))];
  const box: Box = { x: 60, y: 60, width: 60 * links.length, height: 240 };
  const shown = (excess: number): number => 100 * Math.max(-floor, Math.min(floor, excess));
  const ys = linearScale([-100 * floor, 100 * floor], [box.y + box.height, box.y], 8);
  const zero = round(ys.at(0));
  const dots = runs.map(({ link, switchSeconds, excess }) => {
    const cost = switchCosts.findIndex((other) => other === switchSeconds);
    const x = box.x + 60 * links.indexOf(link) + 12 + 12 * cost;
    const value = excess[promise];
    const fill = isBroken(value) ? palette[5] : palette[1];
    return `<circle cx="${x}" cy="${round(ys.at(shown(value)))}" r="3.5" fill="${fill}" fill-opacity="0.7"/>`;
  });
  const names = links.map((link, i) => {
    const [x, y] = [box.x + 60 * i + 34, box.y + box.height + 14];
    return `<text class="tick" text-anchor="end" transform="rotate(-35 ${x} ${y})" x="${x}" y="${y}">${escapeXml(link)}</text>`;
  });
  return frame(
    box.x + box.width + 30,
    box.y + box.height + 130,
    title,
    leftAxis(box, ys) +
      `<line class="axis" x1="${box.x}" x2="${box.x + box.width}" y1="${zero}" y2="${zero}"/>${dots.join('')}${names.join('')}`,
  );
}

/** What is further from its limit is drawn at the edge; a share. */
const floor = 0.4;
