/**
 * What a switch is worth: the gains that are expected after it, less what it costs.
 *
 * Problem. Two cuts differ by some gain per sample now, and by another in the mean of the recent past. How much is
 * won by going over? Model: the difference returns to its mean as a first-order autoregressive process does, so that
 * i samples ahead a gain of mean + persistence^i * (now - mean) is expected. Two plans are valued: to go for good,
 * which costs one switch and gains until the horizon, and, where the mean is against it, to go only while the
 * passing gain lasts, which costs several switches. Whoever would lose in the very next sample waits: the mean will
 * still be there when the spell is over. (Own derivation. Rejected: a margin and a dwell time, the same in both
 * directions, which on recorded links lost to never offloading at all.)
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
  /** Switches that a passing gain has to pay for; Infinity where none may be tried. */
  readonly passingSwitches: number;
}

export interface Plan {
  /** What is won on the whole, the switches paid; above 0 where going is worth it. */
  readonly value: number;
  readonly kind: 'lasting' | 'passing';
}

/** The better of the two plans, or null where going over does not pay. Constant time. */
export function switchPlan({ meanGain, presentGain }: Difference, outlook: Outlook): Plan | null {
  const { persistence, horizonSamples, switchCost, passingSwitches } = outlook;
  const passing = presentGain - meanGain;
  if (meanGain + persistence * passing <= 0) return null;
  const kind = meanGain >= 0 ? 'lasting' : 'passing';
  const samples =
    kind === 'lasting'
      ? horizonSamples
      : Math.min(horizonSamples, samplesAbove(-meanGain / passing, persistence));
  const switches = kind === 'lasting' ? 1 : passingSwitches;
  // Without a price, no number of switches costs anything.
  const price = switchCost === 0 ? 0 : switches * switchCost;
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
