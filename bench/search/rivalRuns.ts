/** The rivals, asked for the least latency without bounds: the problem that all of them were made for. */
import type { Problem } from '../../src/core/problem.js';
import { Dads, dadsRebuilt } from '../../src/core/rivals/dads.js';
import { DeviceOnly, EdgeOnly } from '../../src/core/rivals/fixedCuts.js';
import { Neurosurgeon } from '../../src/core/rivals/neurosurgeon.js';
import { Qdmp, qdmpRebuilt } from '../../src/core/rivals/qdmp.js';
import { sumWeights, type Rival } from '../../src/core/rivals/rival.js';
import type { PartitionInput } from '../../src/core/stateGraph.js';
import type { Search } from './race.js';
import { spreadStride } from './stopwatch.js';

const racing = ['neurosurgeon', 'dads', 'dadsRebuilt', 'qdmp', 'qdmpRebuilt'] as const;
const exact: readonly string[] = ['dads', 'dadsRebuilt', 'qdmp', 'qdmpRebuilt'];
/** Contexts in which each rival's cut is compared with the optimum. */
const compared = 1000;

export interface LatencyRivals {
  readonly all: Readonly<Record<string, Rival>>;
  readonly searches: (problems: readonly Problem[]) => {
    readonly searches: Record<(typeof racing)[number], Search>;
    /** Reads the weights of a context. */
    readonly touch: Search;
  };
}

export function latencyRivals({ graph, tiers }: PartitionInput): LatencyRivals {
  const input = { graph, tiers };
  const raced = {
    neurosurgeon: new Neurosurgeon(input),
    dads: new Dads(input),
    dadsRebuilt: dadsRebuilt(input),
    qdmp: new Qdmp(input),
    qdmpRebuilt: qdmpRebuilt(input),
  };
  const all: Record<string, Rival> = {
    ...raced,
    qdmpNearest: new Qdmp(input, { stageOne: 'nearest' }),
    deviceOnly: new DeviceOnly(input),
    edgeOnly: new EdgeOnly(input),
  };
  const searches: LatencyRivals['searches'] = (problems) => {
    // Weights are read off before: a rival is timed for its search alone, as GADS is.
    const weights = problems.map(({ objective, hopUsable }) => sumWeights(objective, hopUsable[0]!));
    const entries = racing.map((name) => [name, (i: number) => raced[name].search(weights[i]!)] as const);
    const touch = (i: number): number => {
      const { end, edge, hop, up, down, usable } = weights[i]!;
      return end + edge + hop + up + down + Number(usable);
    };
    return { searches: Object.fromEntries(entries) as Record<(typeof racing)[number], Search>, touch };
  };
  return { all, searches };
}

/**
 * Latency of each rival's cut over the optimum, mean over contexts in which the rival knows a cut that can be used. Asks
 * in evenly spread contexts, until `seconds` are over.
 */
export function ratiosOf(
  { all }: LatencyRivals,
  problems: readonly Problem[],
  optimum: (context: number) => number,
  near: (a: number, b: number) => boolean,
  seconds: number,
): { ratios: Record<string, number | null>; mismatches: Record<string, number> } {
  const sums = Object.entries(all).map(([name, rival]) => ({ name, rival, sum: 0, count: 0, wrong: 0 }));
  const stride = spreadStride(problems.length);
  const most = Math.min(compared, problems.length);
  const limit = performance.now() + seconds * 1e3;
  for (
    let n = 0, i = 0;
    n < most && (n === 0 || performance.now() < limit);
    n++, i = (i + stride) % problems.length
  ) {
    const { objective, hopUsable } = problems[i]!;
    const least = optimum(i);
    for (const each of sums) {
      const value = each.rival.search(sumWeights(objective, hopUsable[0]!));
      if (!near(value, least)) each.wrong++;
      if (value === Infinity) continue;
      each.sum += least === value ? 1 : value / least;
      each.count++;
    }
  }
  return {
    ratios: Object.fromEntries(sums.map(({ name, sum, count }) => [name, count === 0 ? null : sum / count])),
    mismatches: Object.fromEntries(
      sums.filter(({ name }) => exact.includes(name)).map(({ name, wrong }) => [name, wrong]),
    ),
  };
}
