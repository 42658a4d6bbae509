/** A placement that a search met: how much it breaks each constraint, and what it costs. */
import { candidateOf, type Candidate } from './candidate.js';
import { featuresOfPlacement } from './cut.js';
import type { Placement } from './decision.js';
import type { Encoding } from './encoding.js';
import type { Constraint, ObjectiveFunction } from './problem.js';
import type { StateGraph } from './stateGraph.js';

export interface Found extends Candidate {
  readonly placement: Placement;
  readonly encoding: Encoding;
  readonly features: Float64Array;
}

export function foundCut(
  { graph, tiers, facts, layout }: Omit<StateGraph, 'held'>,
  placement: Placement,
  encoding: Encoding,
  objective: ObjectiveFunction,
  constraints: readonly Constraint[],
): Found {
  const features = featuresOfPlacement(graph, tiers, facts, layout, placement, encoding);
  const { broken, value } = candidateOf({ objective, constraints }, features, 0);
  return { placement, encoding, features, broken, value };
}
