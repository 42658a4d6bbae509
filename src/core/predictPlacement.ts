/** What any valid placement costs, held or not. */
import type { Context } from './context.js';
import { checkPlacement, crossingTensors, endLayersOf, featuresOfPlacement } from './cut.js';
import type { Placement } from './decision.js';
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
  { graph, tiers, encodings, topology, facts, layout }: Omit<StateGraph, 'held'>,
  placement: Placement,
  encoding = encodings[0]!,
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

/** @throws RangeError where the placement is not valid for the graph */
export function predictPlacement(
  states: Omit<StateGraph, 'held'>,
  problem: Problem,
  context: Context,
  placement: Placement,
  encoding = states.encodings[0]!,
): Alternative {
  return predictPlaced(states, problem, context, placedCut(states, placement, encoding));
}
