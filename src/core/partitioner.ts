/** The face of the core: one model on one chain of tiers, ready to decide. */
import type { Context } from './context.js';
import type { Decision, Prediction, Violation } from './decision.js';

/** What another cut would cost in the same context. */
export interface Alternative {
  readonly endLayers: readonly number[];
  readonly cutTensors: readonly number[];
  readonly prediction: Prediction;
  readonly violations: readonly Violation[];
}

export interface Partitioner {
  /** States kept in the partition state graph; 0 where the graph is too large to hold and is cut per decision. */
  readonly stateCount: number;
  readonly neighbourCount: number;
  /**
   * The best cut in `context`; `present` (layers on the end device) is where the search starts.
   * Synchronous and quick (microseconds where states are held).
   * @throws RangeError for a context with the wrong number of tiers or hops, or a value out of range
   */
  decide(context: Context, present?: readonly number[] | null): Decision;
  /** What a given cut costs. @throws RangeError where `endLayers` is no valid cut */
  predict(context: Context, endLayers: readonly number[]): Alternative;
  /** The `limit` best cuts in the order of preference of `decide`, the best first. */
  alternatives(context: Context, limit: number): readonly Alternative[];
}
