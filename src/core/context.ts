/**
 * The context of a deployment: the measured present and what is asked for. What was not measured is
 * absent (undefined), never 0. `assess` in `problem.ts` says what an absence means for a decision.
 */

export interface TierContext {
  /** Seconds now per second of the profile, > 0. Absent: assumed 1, and the decision says so. */
  readonly slowdown?: number | undefined;
  /** Bound on the bytes of the weights placed on this tier. Absent: no bound. */
  readonly freeStorageBytes?: number | undefined;
  /** Bound on weights plus the largest working set on this tier. Absent: no bound. */
  readonly freeMemoryBytes?: number | undefined;
}

/** The link from tier h to tier h + 1. Either rate absent or below 1: the hop cannot be used. */
export interface HopContext {
  readonly uplinkBitsPerSecond?: number | undefined;
  readonly downlinkBitsPerSecond?: number | undefined;
  /** Absent: assumed 0, and the decision says so. */
  readonly rttSeconds?: number | undefined;
  /** Time a request waits before the upper tier starts it. Absent: assumed 0, and the decision says so. */
  readonly queueSeconds?: number | undefined;
  /** False when the upper tier is known to be unreachable: the hop cannot be used. */
  readonly connected?: boolean | undefined;
}

/** Stated power figures of the end device, watts. */
export interface Power {
  readonly computeWatts: number;
  readonly transmitWatts: number;
  readonly receiveWatts: number;
  readonly idleWatts: number;
}

export interface Battery {
  /** State of charge, 0 to 1. */
  readonly level: number;
  readonly capacityJoules: number;
  readonly charging: boolean;
}

/**
 * What a cut is chosen for: the predicted latency, the end device's energy per inference, the throughput of a
 * pipeline (its slowest stage, so the time between two results), or the least weighted sum of the three,
 * each weight >= 0, at least one above 0.
 */
export type Objective =
  | 'latency'
  | 'energy'
  | 'throughput'
  | {
      readonly perLatencySecond?: number | undefined;
      readonly perEnergyJoule?: number | undefined;
      readonly perBottleneckSecond?: number | undefined;
    };

/** What is asked of a deployment; absent means not asked. All are upper bounds but for `privacyDepth`. */
export interface Requirements {
  /** Absent: latency. */
  readonly objective?: Objective | undefined;
  readonly latencySeconds?: number | undefined;
  readonly energyJoulesPerInference?: number | undefined;
  /** Bytes that the end device sends per inference. */
  readonly bytesSent?: number | undefined;
  /** Accuracy that wire encodings may cost, 0 to 1. */
  readonly accuracyLoss?: number | undefined;
  /** Lower bound: layers that every tensor leaving the end device must have passed through. */
  readonly privacyDepth?: number | undefined;
  /** Weights placed on each tier, beside what its free storage allows. */
  readonly weightBytes?: readonly (number | undefined)[] | undefined;
  /** Weights plus largest working set on each tier, beside what its free memory allows. */
  readonly memoryBytes?: readonly (number | undefined)[] | undefined;
  /**
   * The battery must last this long at `inferencesPerSecond`: energy per inference is then bounded by
   * level * capacity / (seconds * rate) while the device is not charging.
   */
  readonly batteryLifetimeSeconds?: number | undefined;
  readonly inferencesPerSecond?: number | undefined;
  /** What a switch to another cut costs, in place of what devices report of it. No bound: a policy weighs it. */
  readonly switchSeconds?: number | undefined;
}

export interface Context {
  /** Tier 0 is the end device. */
  readonly tiers: readonly TierContext[];
  /** One less than tiers. */
  readonly hops: readonly HopContext[];
  readonly power?: Power | undefined;
  readonly battery?: Battery | undefined;
  readonly requirements: Requirements;
}
