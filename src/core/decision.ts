/** The answer of a search: a cut, what it costs, what was proven, and what was not known. */

/** Tier of each layer of a graph, in the order of its layers. */
export type Placement = readonly number[];

/** The cost of one state in one context, split by stage; seconds, joules, bytes. */
export interface Prediction {
  readonly latencySeconds: number;
  /** Per tier: slowdown * nominal seconds. */
  readonly tierSeconds: readonly number[];
  /** Per hop, 0 where the hop is not used. */
  readonly uplinkSeconds: readonly number[];
  readonly downlinkSeconds: readonly number[];
  readonly rttSeconds: readonly number[];
  readonly queueSeconds: readonly number[];
  /** The slowest stage of a pipeline of tiers and links, seconds: a result comes out this often. */
  readonly bottleneckSeconds: number;
  /** Energy of the end device per inference; null where its power figures are not stated. */
  readonly energyJoules: number | null;
  readonly bytesUp: readonly number[];
  readonly bytesDown: readonly number[];
  readonly weightBytes: readonly number[];
  /** Weights plus the largest working set, per tier. */
  readonly memoryBytes: readonly number[];
  /** Fewest layers that a tensor leaving the end device passed through; null where none leaves. */
  readonly privacyDepth: number | null;
  readonly accuracyLoss: number;
}

/** Constraints in the order in which they are given up when not all can be met: the first is kept longest. */
export type ConstraintName =
  | `hops[${number}].usable`
  | 'privacyDepth'
  | `tiers[${number}].weightBytes`
  | `tiers[${number}].memoryBytes`
  | 'accuracyLoss'
  | 'bytesSent'
  | 'energyJoulesPerInference'
  | 'latencySeconds';

/**
 * A bound that the chosen cut breaks: a bound before it had to be kept, or no cut meets it. For `privacyDepth` the value is
 * too small, else too large.
 */
export interface Violation {
  readonly constraint: ConstraintName;
  readonly limit: number;
  readonly value: number;
}

export type Optimality =
  | { readonly kind: 'exact' }
  /** The optimum is at least objectiveValue / (1 + gap); null where nothing could be proven. */
  | { readonly kind: 'bounded'; readonly gap: number | null };

export interface Decision {
  readonly algorithm: 'gads' | 'min-cut' | 'exhaustive';
  /** Tier of each layer; tier 0 is the end device. */
  readonly placement: Placement;
  /** Indices of the layers on the end device, ascending. */
  readonly endLayers: readonly number[];
  /** Indices into `LayerGraph.tensors` of the tensors that leave the end device. */
  readonly cutTensors: readonly number[];
  /** Name of the wire encoding of what crosses. */
  readonly encoding: string;
  /** What was minimised: seconds, joules, or the weighted sum that was asked for. */
  readonly objectiveValue: number;
  readonly prediction: Prediction;
  readonly violations: readonly Violation[];
  readonly optimality: Optimality;
  /** States (and tree nodes) that the search looked at; 0 where no search had to run. */
  readonly statesVisited: number;
  /** True where the certificate of an earlier decision proved this one (certificate.ts). */
  readonly certified: boolean;
  /** Values that were not measured and what stands in for them, e.g. `hops[0].rttSeconds = 0`. */
  readonly assumed: readonly string[];
  /** Constraints that were asked for but could not be judged because a value is missing. */
  readonly notJudged: readonly string[];
}
