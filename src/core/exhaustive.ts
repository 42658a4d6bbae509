/**
 * The oracle: tries every valid cut of the layer graph and costs each from its definition. It shares with GADS
 * only the reading of the context and the order of preference, neither blocks nor features in advance nor pruning
 * nor trees, so that the two agree only if both are right. Exponential in the width of the graph; refuses beyond a cap.
 */
import { compareCandidates, type Candidate } from './candidate.js';
import type { Context } from './context.js';
import { cutTensorsOf, featuresOfCut } from './cut.js';
import type { Decision } from './decision.js';
import { featureLayout, weightedSum } from './features.js';
import { predictionOf, violationsOf } from './prediction.js';
import { assess } from './problem.js';
import type { PartitionInput } from './stateGraph.js';
import { topologyOf, type Topology } from './topology.js';

/**
 * The best cut by exhaustive scan.
 * @throws RangeError where there are more than `maxCuts` valid cuts, or the context is out of range
 */
export function exhaustive(input: PartitionInput, context: Context, maxCuts: number): Decision {
  const topology = topologyOf(input.graph);
  const layout = featureLayout(input.tiers.length);
  const problem = assess(context, layout);
  let best: (Candidate & { features: Float64Array; endLayers: number[] }) | null = null;
  let visited = 0;
  for (const endLayers of allCuts(topology)) {
    if (++visited > maxCuts) {
      throw new RangeError(
        `${input.graph.name} has more than ${maxCuts} valid cuts: too many to try one by one`,
      );
    }
    const features = featuresOfCut(input, topology, endLayers);
    const candidate = {
      state: visited,
      excess: problem.constraints.map((c) => Math.max(0, weightedSum(c.weights, features, 0) - c.limit)),
      value: weightedSum(problem.objective, features, 0),
      features,
      endLayers,
    };
    if (best === null || compareCandidates(candidate, best) < 0) best = candidate;
  }
  const { features, endLayers } = best!;
  return {
    algorithm: 'exhaustive',
    endLayers,
    cutTensors: cutTensorsOf(input.graph, endLayers),
    prediction: predictionOf(features, layout, context, problem),
    violations: violationsOf(features, layout, problem),
    optimality: { kind: 'exact' },
    statesVisited: visited,
    assumed: problem.assumed,
    notJudged: problem.notJudged,
  };
}

/** Every set of layers closed under predecessors, each once. */
function* allCuts({ predecessors }: Topology): Generator<number[]> {
  const count = predecessors.length;
  const onEnd = new Array<boolean>(count).fill(false);
  function* from(v: number): Generator<number[]> {
    if (v === count) {
      yield onEnd.flatMap((on, layer) => (on ? [layer] : []));
      return;
    }
    yield* from(v + 1);
    if (predecessors[v]!.every((p) => onEnd[p])) {
      onEnd[v] = true;
      yield* from(v + 1);
      onEnd[v] = false;
    }
  }
  yield* from(0);
}
