/** Chooses the parameters of the default policy: one after the other along a grid, until a round changes nothing. */
import { defaultParameters, type PolicyParameters } from '../../src/core/policy/parameters.js';
import { lossOf, measure, switchCosts, type Pair } from './measure.js';

type Key = keyof PolicyParameters;

const grid: Readonly<Partial<Record<Key, readonly number[]>>> = {
  passingSwitches: [1.5, 2, 2.5, 3],
  budgetSwitches: [2, 3, 4],
  lastingBudgetSwitches: [-0.5, 0, 0.5, 1],
  budgetRequests: [0, 0.5, 1, 3],
  lastingRegretSwitches: [0, 0.1, 0.25, 0.5, 0.75, 1],
  spentRegretSwitches: [1, 2, 4],
  firstGain: [0, 0.1, 0.2, 0.3],
  horizonSeconds: [60, 120, 240],
  horizonGrowth: [3, 5, 10, 20],
  evidenceSeconds: [2, 5, 10],
  persistence: [0.7, 0.75, 0.8, 0.85],
  persistenceSamples: [1, 5, 20],
  regretSwitches: [4, 8, 16],
  windowSeconds: [300, 600, 1200],
};

interface Choice {
  readonly parameters: PolicyParameters;
  readonly loss: number;
  /** Settings that were tried. */
  readonly tried: number;
}

export function choose(pairs: readonly Pair[], progress: (line: string) => void): Choice {
  let tried = 0;
  const known = new Map<string, number>();
  const loss = (parameters: PolicyParameters): number => {
    const key = JSON.stringify(parameters);
    const before = known.get(key);
    if (before !== undefined) return before;
    tried += 1;
    const runs = pairs.flatMap((pair) =>
      switchCosts.map((cost) => measure(pair, cost, parameters, ['default'])),
    );
    const value = lossOf(runs);
    known.set(key, value);
    return value;
  };
  const descend = (start: PolicyParameters): { parameters: PolicyParameters; loss: number } => {
    let best = start;
    let least = loss(best);
    for (let changed = true, round = 0; changed && round < maxRounds; round++) {
      changed = false;
      for (const [key, values] of Object.entries(grid)) {
        for (const value of values) {
          const candidate = { ...best, [key]: value };
          const candidateLoss = loss(candidate);
          if (candidateLoss >= least - 1e-9) continue;
          best = candidate;
          least = candidateLoss;
          changed = true;
        }
      }
      progress(`round ${round + 1}, ${tried} settings tried: loss ${least.toFixed(2)}`);
    }
    return { parameters: best, loss: least };
  };
  const found = starts.map(descend).reduce((a, b) => (b.loss < a.loss ? b : a));
  return { ...found, tried };
}

const maxRounds = 3;
/** A descent finds the nearest hollow: from what is in force, and from a more careful start. */
const starts: readonly PolicyParameters[] = [
  defaultParameters,
  { ...defaultParameters, horizonSeconds: 240, horizonGrowth: 5, firstGain: 0.3, lastingRegretSwitches: 0.5 },
];
