/** What any valid placement costs, held or not. */
import type { Context } from './context.js';
import { checkPlacement, crossingTensors, endLayersOf, featuresOfPlacement } from './cut.js';
import type { Placement } from './decision.js';
import type { Alternative } from './partitioner.js';
import { objectiveOfState, predictionOf, violationsOf } from './prediction.js';
import type { Problem } from './problem.js';
import type { StateGraph } from './stateGraph.js';

/** @throws RangeError where the placement is not valid for the graph */
export function predictPlacement(
  { graph, tiers, encodings, topology, facts, layout }: Omit<StateGraph, 'held'>,
  problem: Problem,
  context: Context,
  placement: Placement,
  encoding = encodings[0]!,
): Alternative {
  checkPlacement(placement, topology, layout.tierCount);
  const features = featuresOfPlacement(graph, tiers, facts, layout, placement, encoding);
  return {
    placement,
    endLayers: endLayersOf(placement),
    cutTensors: crossingTensors(graph, placement, 0),
    encoding: encoding.name,
    objectiveValue: objectiveOfState(features, layout, problem),
    prediction: predictionOf(features, layout, facts.maxDepth, context, problem),
    violations: violationsOf(features, layout, facts.maxDepth, problem),
  };
}
