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

/** Latency of each rival's cut over the optimum, mean over contexts in which the rival knows a cut that can be used. */
export function ratiosOf(
  { all }: LatencyRivals,
  problems: readonly Problem[],
  optimum: (context: number) => number,
  near: (a: number, b: number) => boolean,
): { ratios: Record<string, number | null>; mismatches: Record<string, number> } {
  const ratios: Record<string, number | null> = {};
  const mismatches: Record<string, number> = {};
  const stride = spreadStride(problems.length);
  for (const [name, rival] of Object.entries(all)) {
    let sum = 0;
    let count = 0;
    let wrong = 0;
    for (let n = 0, i = 0; n < Math.min(compared, problems.length); n++, i = (i + stride) % problems.length) {
      const { objective, hopUsable } = problems[i]!;
      const value = rival.search(sumWeights(objective, hopUsable[0]!));
      const least = optimum(i);
      if (!near(value, least)) wrong++;
      if (value === Infinity) continue;
      sum += least === value ? 1 : value / least;
      count++;
    }
    ratios[name] = count === 0 ? null : sum / count;
    if (exact.includes(name)) mismatches[name] = wrong;
  }
  return { ratios, mismatches };
}
