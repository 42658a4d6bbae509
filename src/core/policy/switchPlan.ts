/**
 * What a switch is worth: the gains that are expected after it, less what it costs.
 *
 * Problem. Two cuts differ by some gain per sample now, and by another in the mean of the past. How much is won by
 * going over? Model: the difference returns to its mean as a first-order autoregressive process does, so that i samples
 * ahead a gain of mean + persistence^i * (now - mean) is expected. The future is taken to be as long as the past that the
 * mean stands for. Then a lasting gain, one that the mean speaks for, pays as soon as the other cut would have
 * been cheaper by a switch on the whole: the lazy form of "follow the leader" (Kalai and Vempala, J. Comput. Syst. Sci. 71,
 * 2005), and the rent-or-buy rule (Karlin et al., Algorithmica 3, 1988) for a choice among more than two. A passing gain, one that
 * the mean is against, has to pay for going and for coming back before it has faded. Whoever would lose in the very next
 * sample waits: the mean will still be there when the spell is over. (The forecast is an own derivation. Rejected: a
 * margin and a dwell time, the same in both directions, which on recorded links lost to never offloading at all; budgets and weights
 * for each of the promises, which on links that they were not chosen on were no better than this.)
 */

export interface Difference {
  /** Expected gain per sample in the long run, and in the sample last seen; cost units, either sign. */
  readonly meanGain: number;
  readonly presentGain: number;
}

export interface Outlook {
  /** Share of a deviation from the mean that is left after one sample, 0 to below 1. */
  readonly persistence: number;
  /** Samples that the mean is counted on for, at least 1. */
  readonly horizonSamples: number;
  /** Cost of one switch. */
  readonly switchCost: number;
}

export interface Plan {
  /** What is won on the whole, the switches paid; above 0 where going is worth it. */
  readonly value: number;
  readonly kind: 'lasting' | 'passing';
}

/** What is expected of the next sample. */
export function nextGain({ meanGain, presentGain }: Difference, persistence: number): number {
  return meanGain + persistence * (presentGain - meanGain);
}

/** The better of the two plans, or null where going over does not pay. Constant time. */
export function switchPlan(difference: Difference, outlook: Outlook): Plan | null {
  const { meanGain, presentGain } = difference;
  const { persistence, horizonSamples, switchCost } = outlook;
  if (nextGain(difference, persistence) <= 0) return null;
  const passing = presentGain - meanGain;
  const kind = meanGain >= 0 ? 'lasting' : 'passing';
  const samples =
    kind === 'lasting'
      ? horizonSamples
      : Math.min(horizonSamples, samplesAbove(-meanGain / passing, persistence));
  const price = kind === 'lasting' ? switchCost : 2 * switchCost;
  const value = meanGain * samples + passing * sumOfPowers(persistence, samples) - price;
  return value > 0 ? { value, kind } : null;
}

/** How many powers of `base` from the first on stay above `share`; at least 1. */
function samplesAbove(share: number, base: number): number {
  return Math.max(1, Math.floor(Math.log(share) / Math.log(base)));
}

/** base + base^2 + … + base^count */
function sumOfPowers(base: number, count: number): number {
  return (base * (1 - base ** count)) / (1 - base);
}
