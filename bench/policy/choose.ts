/** Chooses the parameters of the default policy: one after the other along a grid, until a round changes nothing. */
import { defaultParameters, type PolicyParameters } from '../../src/core/policy/parameters.js';
import { lossOf, measure, switchCosts, type Pair } from './measure.js';

type Key = keyof PolicyParameters;

const grid: Readonly<Partial<Record<Key, readonly number[]>>> = {
  windowSeconds: [300, 600, 1200, 2400],
  persistence: [0.7, 0.75, 0.8, 0.85, 0.9],
  persistenceSamples: [1, 5, 20],
  firstGain: [0, 0.1, 0.2, 0.3],
  nearEqualShare: [0, 0.01, 0.02],
};

interface Choice {
  readonly parameters: PolicyParameters;
  readonly loss: number;
  /** Settings that were tried. */
  readonly tried: number;
}

/** From what is in force on; a setting has to be better by a share, or it is what these links happen to like. */
export function choose(pairs: readonly Pair[], progress: (line: string) => void): Choice {
  const lossWith = (parameters: PolicyParameters): number =>
    lossOf(pairs.flatMap((pair) => switchCosts.map((cost) => measure(pair, cost, parameters, ['default']))));
  let parameters = defaultParameters;
  let loss = lossWith(parameters);
  let tried = 1;
  for (let changed = true, round = 1; changed && round <= maxRounds; round++) {
    changed = false;
    for (const [key, values] of Object.entries(grid)) {
      for (const value of values.filter((other) => other !== parameters[key as Key])) {
        const candidate = { ...parameters, [key]: value };
        const candidateLoss = lossWith(candidate);
        tried += 1;
        if (candidateLoss > (1 - leastGain) * loss) continue;
        parameters = candidate;
        loss = candidateLoss;
        changed = true;
      }
    }
    progress(`round ${round}, ${tried} settings tried: loss ${loss.toFixed(2)}`);
  }
  return { parameters, loss, tried };
}

const maxRounds = 3;
/** What lowers the loss by less is what these links happen to like. */
const leastGain = 0.02;
