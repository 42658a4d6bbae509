/** What any valid placement costs, held or not. */
import { candidateOf, compareCandidates, type Candidate } from './candidate.js';
import type { Context } from './context.js';
import { checkPlacement, crossingTensors, endLayersOf, featuresOfPlacement } from './cut.js';
import type { Placement } from './decision.js';
import { encodingNamed, type Encoding } from './encoding.js';
import type { Alternative } from './partitioner.js';
import { objectiveOfState, predictionOf, violationsOf } from './prediction.js';
import type { Problem } from './problem.js';
import type { StateGraph } from './stateGraph.js';

/** What a placement is in every context: the cut in words, and its features. */
export interface PlacedCut {
  readonly cut: Pick<Alternative, 'placement' | 'endLayers' | 'cutTensors' | 'encoding'>;
  readonly features: Float64Array;
}

/** @throws RangeError where the placement is not valid for the graph */
export function placedCut(
  { graph, tiers, topology, facts, layout }: Omit<StateGraph, 'held'>,
  placement: Placement,
  encoding: Encoding,
): PlacedCut {
  checkPlacement(placement, topology, layout.tierCount);
  return {
    cut: {
      placement,
      endLayers: endLayersOf(placement),
      cutTensors: crossingTensors(graph, placement, 0),
      encoding: encoding.name,
    },
    features: featuresOfPlacement(graph, tiers, facts, layout, placement, encoding),
  };
}

export function predictPlaced(
  { facts, layout }: Pick<StateGraph, 'facts' | 'layout'>,
  problem: Problem,
  context: Context,
  { cut, features }: PlacedCut,
): Alternative {
  return {
    ...cut,
    objectiveValue: objectiveOfState(features, layout, problem),
    prediction: predictionOf(features, layout, facts.maxDepth, context, problem),
    violations: violationsOf(features, layout, facts.maxDepth, problem),
  };
}

/**
 * What a placement costs, with the encoding named or, where none is, with that which is best in this context.
 * @throws RangeError where the placement is not valid for the graph, or there is no such encoding
 */
export function predictPlacement(
  states: Omit<StateGraph, 'held'>,
  problem: Problem,
  context: Context,
  placement: Placement,
  encoding?: string,
): Alternative {
  const { encodings } = states;
  const possible = encoding === undefined ? encodings : [encodingNamed(encodings, encoding)];
  const cuts = possible.map((one) => placedCut(states, placement, one));
  return predictPlaced(states, problem, context, preferredOf(problem, cuts));
}

/** Of one placement in several encodings, the best. */
export function preferredOf(problem: Problem, cuts: readonly PlacedCut[]): PlacedCut {
  if (cuts.length === 1) return cuts[0]!;
  const tried = ({ features }: PlacedCut): Candidate => candidateOf(problem, features, 0);
  return cuts.reduce((best, cut) => (compareCandidates(tried(cut), tried(best)) < 0 ? cut : best));
}
