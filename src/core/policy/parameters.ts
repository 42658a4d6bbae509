/** The parameters of the default policy. What a replay shows of them: docs/replay.md. */

export interface PolicyParameters {
  /** Time in which past costs fade to 1/e, seconds, and in how many spans contexts of it are kept at most. */
  readonly windowSeconds: number;
  readonly windowSpans: number;
  /** Cuts that are compared; of more, the dearest on the whole is forgotten. */
  readonly maxCandidates: number;
  /** Requests per second that a gain is counted for. */
  readonly requestsPerSecond: number;
  /** How long an unanswered request waits before the end device does it alone, seconds. */
  readonly unansweredSeconds: number;
  /** Share of a passing difference that is left in the next sample, before any was observed; 0 to 0.99. */
  readonly persistence: number;
  /** How firmly that is believed: samples that differ by a fifth of device-only's cost. */
  readonly persistenceSamples: number;
  /** Where a switch costs something, the first cut is device-only unless the best is cheaper by this share. */
  readonly firstGain: number;
  /** Device-only is not left for less than this share of its cost. */
  readonly nearEqualShare: number;
  /** A cut that broke a requirement is not gone back to for this long, seconds. */
  readonly calmSeconds: number;
  /** By how much all may cost more than device-only before the winnings elsewhere must make up for it; a share. */
  readonly deviceOnlyShare: number;
}

export const defaultParameters: PolicyParameters = {
  windowSeconds: 1200,
  windowSpans: 32,
  maxCandidates: 8,
  requestsPerSecond: 1,
  unansweredSeconds: 1,
  persistence: 0.8,
  persistenceSamples: 5,
  firstGain: 0.1,
  nearEqualShare: 0.01,
  calmSeconds: 10,
  deviceOnlyShare: 0.02,
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
  inRange('windowSpans', 4, 65_536, true);
  inRange('maxCandidates', 3, 256, true);
  inRange('requestsPerSecond', 1e-6, 1e6);
  inRange('unansweredSeconds', 1e-3, 1e6);
  inRange('persistence', 0, 0.99);
  inRange('persistenceSamples', 0, 1e6);
  inRange('firstGain', 0, 1);
  inRange('nearEqualShare', 0, 1);
  inRange('calmSeconds', 0, 1e6);
  inRange('deviceOnlyShare', 0, 1e6);
}
