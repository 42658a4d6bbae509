/** Which figures of a run become which chart. */
import { barChart, dotChart, lineChart, palette, timeLabel, type Line, type Mark } from './charts.js';
import type { Contender, GrowthResult, NeighbourEffect, SearchReport } from './results.js';

const shown: readonly (readonly [Contender, string])[] = [
  ['gadsWarm', 'GADS warm'],
  ['gadsCold', 'GADS cold'],
  ['neurosurgeon', 'Neurosurgeon'],
  ['qdmp', 'QDMP'],
  ['scan', 'scan'],
  ['dads', 'DADS updated'],
  ['dadsRebuilt', 'DADS rebuilt'],
];

/** File name (after the name of the report) and content of each chart. */
export function chartsOf(report: SearchReport): Record<string, string> {
  const rivals = report.models.filter((model) => model.tiers === 2);
  const marks = shown.map(([, name], i): Mark => ({ name, color: palette[i]! }));
  const rows = rivals.map((model) => ({
    name: model.name,
    us: shown.map(([key]) => model.search[key]?.p50Us ?? null),
  }));
  const held = report.growth.filter((result) => result.states > 0);
  return {
    times: dotChart('Median time of a search for the least latency, two tiers', marks, rows),
    'growth-search': growthChart('Search time and states held', held),
    'growth-build': buildChart(held),
    hops: hopsChart(report),
  };
}

/** Per series of graphs the points by states. */
function runs(
  results: readonly GrowthResult[],
  y: (result: GrowthResult) => number | undefined,
): (readonly [number, number])[][] {
  const series = [...new Set(results.map((result) => result.series))];
  return series.map((name) =>
    results
      .filter((result) => result.series === name)
      .flatMap((result) => {
        const value = y(result);
        return value === undefined ? [] : [[result.states, value] as const];
      })
      .sort((a, b) => a[0] - b[0]),
  );
}

function growthChart(title: string, held: readonly GrowthResult[]): string {
  const lines: Line[] = [
    { name: 'GADS warm p50', color: palette[0], runs: runs(held, (r) => r.gadsWarm?.p50Us) },
    { name: 'warm p99', color: palette[1], runs: runs(held, (r) => r.gadsWarm?.p99Us) },
    { name: 'cold p50', color: palette[2], runs: runs(held, (r) => r.gadsCold?.p50Us) },
    { name: 'scan p50', color: palette[3], runs: runs(held, (r) => r.scan?.p50Us) },
  ];
  return lineChart(title, 'states', lines, timeLabel);
}

function buildChart(held: readonly GrowthResult[]): string {
  const lines: Line[] = [
    { name: 'time, ms', color: palette[0], runs: runs(held, (r) => r.build.ms) },
    { name: 'peak memory, MB', color: palette[5], runs: runs(held, (r) => r.build.peakBytes / 1e6) },
    { name: 'held memory, MB', color: palette[3], runs: runs(held, (r) => r.build.heldBytes / 1e6) },
  ];
  return lineChart('Building the partition state graph', 'states', lines, String);
}

const groups: readonly (readonly [string, number, number])[] = [
  ['1 hop', 1, 1],
  ['2', 2, 2],
  ['3–4', 3, 4],
  ['5–8', 5, 8],
  ['9–24', 9, 24],
];

/** Shares of all moves by distance, and last of those beyond. */
export function hopShares(effects: readonly NeighbourEffect[]): {
  names: string[];
  shares: number[];
  moves: number;
} {
  const moves = effects.reduce((sum, effect) => sum + effect.moves, 0);
  const within = groups.map(([, low, high]) =>
    effects.reduce((sum, effect) => sum + effect.hops.slice(low, high + 1).reduce((a, b) => a + b, 0), 0),
  );
  const beyond = effects.reduce((sum, effect) => sum + effect.beyond, 0);
  return {
    names: [...groups.map(([name]) => name), 'more'],
    shares: [...within, beyond].map((count) => (moves === 0 ? 0 : count / moves)),
    moves,
  };
}

function hopsChart({ models }: SearchReport): string {
  const effects = models.flatMap((model) => (model.neighbourEffect === null ? [] : [model.neighbourEffect]));
  const walks = hopShares(effects.map((effect) => effect.walks));
  const traces = hopShares(effects.flatMap((effect) => (effect.traces === null ? [] : [effect.traces])));
  const marks = [
    { name: `random walks (${walks.moves} moves)`, color: palette[0] },
    { name: `traces at 1 Hz (${traces.moves} moves)`, color: palette[3] },
  ];
  const bars = walks.names.map((name, i) => ({ name, shares: [walks.shares[i]!, traces.shares[i]!] }));
  return barChart('Distance between consecutive optima, % of the moves', marks, bars);
}
