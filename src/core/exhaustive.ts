/**
 * The oracle: tries every valid placement of the layers and costs each from its definition. It shares with GADS
 * only the reading of the context and the order of preference, neither blocks nor features in advance nor pruning
 * nor trees, so that the two agree only if both are right. Exponential in the width of the graph; refuses beyond a cap.
 */
import { candidateOf, compareCandidates, type Candidate } from './candidate.js';
import type { Context } from './context.js';
import { crossingTensors, endLayersOf, featuresOfPlacement } from './cut.js';
import type { Decision } from './decision.js';
import { checkEncodings, rawEncoding } from './encoding.js';
import { featureLayout } from './features.js';
import { layerFacts } from './layerFacts.js';
import { objectiveOfState, predictionOf, violationsOf } from './prediction.js';
import { assess } from './problem.js';
import type { PartitionInput } from './stateGraph.js';
import { topologyOf, type Topology } from './topology.js';

interface Tried extends Candidate {
  readonly features: Float64Array;
  readonly placement: number[];
  readonly encoding: string;
}

/**
 * The best cut by exhaustive scan.
 * @throws RangeError where there are more than `maxCuts` valid cuts, or the context is out of range
 */
export function exhaustive(input: PartitionInput, context: Context, maxCuts: number): Decision {
  const { graph, tiers, encodings = [rawEncoding(graph)] } = input;
  checkEncodings(encodings, graph);
  const topology = topologyOf(graph);
  const facts = layerFacts(graph);
  const layout = featureLayout(tiers.length);
  const problem = assess(context, layout, facts.maxDepth);
  let best: Tried | null = null;
  let visited = 0;
  for (const placement of placements(topology, tiers.length)) {
    for (const encoding of encodings) {
      if (++visited > maxCuts) {
        throw new RangeError(`${graph.name} has more than ${maxCuts} valid cuts: too many to try one by one`);
      }
      const features = featuresOfPlacement(graph, tiers, facts, layout, placement, encoding);
      const candidate = candidateOf(problem, features, 0);
      const tried = { ...candidate, features, placement, encoding: encoding.name };
      if (best === null || compareCandidates(tried, best) < 0) best = tried;
    }
  }
  const { features, placement, encoding } = best!;
  return {
    algorithm: 'exhaustive',
    placement,
    endLayers: endLayersOf(placement),
    cutTensors: crossingTensors(graph, placement, 0),
    encoding,
    objectiveValue: objectiveOfState(features, layout, problem),
    prediction: predictionOf(features, layout, facts.maxDepth, context, problem),
    violations: violationsOf(features, layout, facts.maxDepth, problem),
    optimality: { kind: 'exact' },
    statesVisited: visited,
    certified: false,
    assumed: problem.assumed,
    notJudged: problem.notJudged,
  };
}

/** Every placement in which no layer runs below one that it reads from, each once. */
export function* placements({ predecessors }: Topology, tierCount: number): Generator<number[]> {
  const tierOf = predecessors.map(() => 0);
  function* from(v: number): Generator<number[]> {
    if (v === tierOf.length) {
      yield [...tierOf];
      return;
    }
    const lowest = predecessors[v]!.reduce((high, p) => Math.max(high, tierOf[p]!), 0);
    for (let tier = lowest; tier < tierCount; tier++) {
      tierOf[v] = tier;
      yield* from(v + 1);
    }
  }
  yield* from(0);
}
