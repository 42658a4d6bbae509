/** The face of the core: one model on one chain of tiers, ready to decide. */
import type { Context } from './context.js';
import type { ConstraintName, Decision, Placement } from './decision.js';
import type { Range } from './ranges.js';
import type { Steps } from './steps.js';

/** What another cut would cost in the same context. */
export type Alternative = Pick<
  Decision,
  'placement' | 'endLayers' | 'cutTensors' | 'encoding' | 'objectiveValue' | 'prediction' | 'violations'
>;

/** A cut by its placement and, where there are several, the name of its wire encoding. */
export interface PlacedAs {
  readonly placement: Placement;
  readonly encoding?: string | undefined;
}

export interface Partitioner {
  /** States kept in the partition state graph; 0 where the graph is too large to hold and is cut per decision. */
  readonly stateCount: number;
  /**
   * The best cut in `context`. Synchronous and quick (microseconds where states are held).
   * @param present where the search starts: the decision in force, or what is known of it
   * @param found called when the best state is known, before it is put into words and a certificate is made: the
   * end of what a search takes
   * @throws RangeError for a context with the wrong number of tiers or hops, or a value out of range
   */
  decide(context: Context, present?: PlacedAs | null, found?: () => void): Decision;
  /**
   * The bounds that `placement` breaks where `decide` would answer with it: what most telemetry comes down to. Nothing
   * else is put into words, so it costs a part of a decision. Null where it is another cut, or it would cost as much.
   * `context` may be written over afterwards: nothing is remembered of it.
   * @param ratios one per tier: slowdowns are taken times these
   * @throws RangeError as `decide`
   */
  confirmed(
    context: Context,
    placement: Placement,
    ratios?: readonly number[],
  ): readonly ConstraintName[] | null;
  /**
   * What a given cut costs.
   * @param encoding name of the wire encoding; absent: that with which this placement is best in `context`
   * @throws RangeError where `placement` is not valid, or there is no such encoding
   */
  predict(context: Context, placement: Placement, encoding?: string): Alternative;
  /**
   * Per measured value and bound, from where to where `decision`, made in `context`, stays the best while all others
   * stay. Empty where states are not held. Takes some microseconds per value and thousand states.
   * @throws RangeError at its first step, where the decision's placement or encoding is not one of this graph
   */
  ranges(context: Context, decision: Decision): Steps<readonly Range[]>;
  /** The `limit` best cuts in the order of preference of `decide`, the best first. */
  alternatives(context: Context, limit: number): Steps<readonly Alternative[]>;
  /**
   * The decision with all the work that is worth it: where `decide` has to keep short and its answer is `bounded`, a cut that
   * is better, or a smaller gap, may come of it. Else what `decide` answers.
   * @throws RangeError as `decide`, at its first step
   */
  thorough(context: Context, present?: PlacedAs | null): Steps<Decision>;
}
