/** The parameters of the default policy. What a replay shows of them: docs/replay.md. */

export interface PolicyParameters {
  /** How long costs are remembered, seconds, and in how many sums at most. */
  readonly windowSeconds: number;
  readonly windowBuckets: number;
  /** Cuts that are compared; of more, the dearest on the whole is forgotten. */
  readonly maxCandidates: number;
  /** Requests per second that a gain is counted for. */
  readonly requestsPerSecond: number;
  /** How long an unanswered request waits before the end device does it alone, seconds. */
  readonly unansweredSeconds: number;
  /** Share of a passing difference that is left in the next sample, before any was observed; 0 to 1. */
  readonly persistence: number;
  /** How firmly that is believed: samples that differ by a fifth of device-only's cost. */
  readonly persistenceSamples: number;
  /** A lasting difference is counted on for `horizonGrowth` seconds per second seen, at most `horizonSeconds`. */
  readonly horizonSeconds: number;
  readonly horizonGrowth: number;
  /** Seconds without any difference that observed means are diluted with. */
  readonly evidenceSeconds: number;
  /** Switches that a passing gain must pay for: going, coming back, and a margin. */
  readonly passingSwitches: number;
  /** Switches that must be left in the budget before a passing gain is tried. */
  readonly budgetSwitches: number;
  /** The same before a lasting gain is gone after, over device-only alone. */
  readonly lastingBudgetSwitches: number;
  /** Requests at the present cost that the budget may be overdrawn by. */
  readonly budgetRequests: number;
  /** Share of a switch, less a request, that staying must have cost before a lasting gain is gone after at all. */
  readonly lastingRegretSwitches: number;
  /** Switches that staying must have cost before a lasting gain is gone after once the budget is spent. */
  readonly spentRegretSwitches: number;
  /** Switches that staying must have cost before it is left for that alone. */
  readonly regretSwitches: number;
  /** The first cut is device-only unless the best is cheaper by this share. */
  readonly firstGain: number;
  /** A cut that broke a requirement is not gone back to for this long, seconds. */
  readonly calmSeconds: number;
  /** By how much all may cost more than device-only and than the best cut that was held throughout; shares. */
  readonly deviceOnlyShare: number;
  readonly bestStaticShare: number;
}

export const defaultParameters: PolicyParameters = {
  windowSeconds: 600,
  windowBuckets: 32,
  maxCandidates: 8,
  requestsPerSecond: 1,
  unansweredSeconds: 1,
  persistence: 0.8,
  persistenceSamples: 5,
  horizonSeconds: 120,
  horizonGrowth: 10,
  evidenceSeconds: 5,
  passingSwitches: 2,
  budgetSwitches: 3,
  lastingBudgetSwitches: 0,
  budgetRequests: 3,
  lastingRegretSwitches: 0.35,
  spentRegretSwitches: 2,
  regretSwitches: 8,
  firstGain: 0.2,
  calmSeconds: 10,
  deviceOnlyShare: 0.02,
  bestStaticShare: 0.05,
};

/** @throws RangeError naming the first parameter that is out of its range */
export function checkParameters(parameters: PolicyParameters): void {
  const inRange = (key: keyof PolicyParameters, low: number, high: number, whole = false): void => {
    const value = parameters[key];
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new RangeError(`${key}: ${value} is not a ${whole ? 'whole ' : ''}number from ${low} to ${high}`);
    }
  };
  inRange('windowSeconds', 1, 1e6);
  inRange('windowBuckets', 4, 65_536, true);
  inRange('maxCandidates', 3, 256, true);
  inRange('requestsPerSecond', 1e-6, 1e6);
  inRange('unansweredSeconds', 1e-3, 1e6);
  inRange('persistence', 0, 0.99);
  inRange('persistenceSamples', 0, 1e6);
  inRange('horizonSeconds', 1, 1e6);
  inRange('horizonGrowth', 0, 1e6);
  inRange('evidenceSeconds', 0, 1e6);
  inRange('passingSwitches', 1, 1e6);
  inRange('budgetSwitches', 0, 1e6);
  inRange('lastingBudgetSwitches', -1e6, 1e6);
  inRange('budgetRequests', 0, 1e6);
  inRange('lastingRegretSwitches', 0, 1e6);
  inRange('spentRegretSwitches', 0, 1e6);
  inRange('regretSwitches', 0, 1e6);
  inRange('firstGain', 0, 1);
  inRange('calmSeconds', 0, 1e6);
  inRange('deviceOnlyShare', 0, 1);
  inRange('bestStaticShare', 0, 1);
}
