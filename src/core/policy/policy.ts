/**
 * When a better cut is worth a switch: the face of the switching policies.
 *
 * A search says which cut is the best now; a policy says whether to go there. It sees one observation after
 * another and is told by its caller which cut is in force, so that a switch that a device refused, or one that an
 * operator forced, cannot put the two out of step. Policies keep what they remember inside, within stated caps, and
 * have no clock: time comes in with each observation.
 */
import type { Context } from '../context.js';
import type { Placement } from '../decision.js';
import type { Alternative } from '../partitioner.js';

export interface Observation {
  /** Seconds on a clock that never goes back. What is observed describes the time since the observation before. */
  readonly atSeconds: number;
  readonly context: Context;
  /** The best cut in `context`, as a search found it. */
  readonly best: Alternative;
  /** The cut in force; null while nothing is deployed yet, when any cut is as good as free. */
  readonly inForce: Placement | null;
  /** What a switch costs now, as the devices report it: seconds that it delays requests by, all together. */
  readonly switchSeconds: number;
}

export type VerdictReason =
  /** Nothing was deployed before. */
  | 'first'
  /** The cut in force stays: nothing is worth a switch. */
  | 'stay'
  /** The cut in force stays: the best one is hardly better. */
  | 'near-equal'
  /** The cut in force breaks a requirement that another one keeps. */
  | 'requirement'
  /** Requests over the link are not answered in time, and leaving it costs less than one more of them. */
  | 'link-gone'
  /** Another cut was better on the whole for long enough to pay for the switch before long. */
  | 'lasting-gain'
  /** Another cut is better for now, by enough to pay for going and coming back. */
  | 'passing-gain'
  /** The policy follows its recommendation wherever it goes, or holds one cut whatever happens. */
  | 'rule';

export interface Verdict {
  /** The cut that should be in force from now on; the very object of the observation where it stays. */
  readonly placement: Placement;
  readonly switches: boolean;
  readonly reason: VerdictReason;
}

export interface Policy {
  observe(observation: Observation): Verdict;
}

/** What a cut costs in a context (`Partitioner.predict`). */
export type Predict = (context: Context, placement: Placement) => Alternative;

export function samePlacement(a: Placement, b: Placement): boolean {
  return a === b || (a.length === b.length && a.every((tier, layer) => tier === b[layer]));
}
