/** How much is measured in a full run and in a quick one. */
import type { Effort, GrowthJob } from './processMessages.js';
import type { SyntheticShape } from './synthetic.js';

/** As the service holds them by default (`states.maxStates`). */
const maxStates = { two: 200_000, three: 200_000 };

export const fullEffort: Effort = {
  contexts: 10_000,
  traceSamples: Infinity,
  repeats: 3,
  warmUpSeconds: 0.1,
  raceSeconds: 0.5,
  oracleSeconds: 10,
  cutOracleSeconds: 40,
  neighbourSeconds: 1,
  maxStates,
};

export const quickEffort: Effort = {
  contexts: 1000,
  traceSamples: 60,
  repeats: 2,
  warmUpSeconds: 0.03,
  raceSeconds: 0.08,
  oracleSeconds: 0.3,
  cutOracleSeconds: 0.3,
  neighbourSeconds: 0.1,
  maxStates,
};

/** Tiers with which a model is measured; few models stand for three in a quick run. */
export function tiersOf(model: string, quick: boolean): readonly number[] {
  return !quick || model === 'squeezenet-1.1' || model === 'mobilenet-v2' ? [2, 3] : [2];
}

const growthEffort = { ...fullEffort, contexts: 5000, raceSeconds: 0.6 };
const quickGrowthEffort = { ...quickEffort, contexts: 1000 };

interface Series {
  readonly series: string;
  readonly tiers: number;
  readonly shapes: readonly SyntheticShape[];
  readonly quick: readonly SyntheticShape[];
}

const chain = (layers: number): SyntheticShape => ({ blocks: 1, width: 1, length: layers - 2 });
const series: readonly Series[] = [
  {
    series: 'layers (a chain)',
    tiers: 2,
    shapes: [chain(10), chain(100), chain(1000), chain(10_000)],
    quick: [chain(100), chain(1000)],
  },
  {
    series: 'layers (blocks of 3 branches of 5)',
    tiers: 2,
    shapes: [1, 10, 100].map((blocks) => ({ blocks, width: 3, length: 5 })),
    quick: [{ blocks: 10, width: 3, length: 5 }],
  },
  {
    series: 'width (one block, branches of 9)',
    tiers: 2,
    shapes: [1, 2, 3, 4, 5, 6].map((width) => ({ blocks: 1, width, length: 9 })),
    quick: [3, 4].map((width) => ({ blocks: 1, width, length: 9 })),
  },
  {
    series: 'tiers (a chain on three)',
    tiers: 3,
    shapes: [chain(10), chain(100), chain(400)],
    quick: [chain(100)],
  },
];

/** Synthetic graphs, up to a million valid cuts. */
export function growthSeries(quick: boolean): GrowthJob[] {
  return series.flatMap(({ series: name, tiers, shapes, quick: few }) =>
    (quick ? few : shapes).map((shape) => ({
      kind: 'growth' as const,
      name: `${shape.blocks}x${shape.width}x${shape.length} on ${tiers}`,
      series: name,
      shape,
      tiers,
      effort: quick ? quickGrowthEffort : growthEffort,
    })),
  );
}
