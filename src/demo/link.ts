/** A link over time, from a model or from a recorded trace. */

/** What an end device measures of its link; a value that was not measured is absent. */
export interface LinkSample {
  readonly uplinkBitsPerSecond?: number;
  readonly downlinkBitsPerSecond?: number;
  readonly rttSeconds?: number;
}

export interface Link {
  /** Moves on by `seconds` (> 0) and measures. */
  advance(seconds: number): LinkSample;
}
