/** Tiers of the benchmark: the seconds of a profile on an edge, and those of slower and faster machines. */
import type { LayerGraph } from '../../src/core/layerGraph.js';
import type { PartitionInput } from '../../src/core/stateGraph.js';
import { createRandom } from '../../src/demo/random.js';

/** Of end device, edge and cloud, against the machine of the profile. */
const ratios = [8, 1, 0.4] as const;

/**
 * The end device is 8 times slower than the edge, the cloud 2.5 times faster, each layer by its own factor within
 * 1.5 of that: machines do not differ alike on all layers, and equal ratios would make the search too easy.
 */
export function partitionInput(
  graph: LayerGraph,
  seconds: readonly number[],
  tierCount: number,
  seed: number,
): PartitionInput {
  const random = createRandom(seed);
  const tiers = ratios.slice(0, tierCount).map((ratio) => ({
    seconds: seconds.map((s) => s * ratio * 1.5 ** random.between(-1, 1)),
    source: { kind: 'scaled', machineId: 'benchmark', computeRatio: ratio } as const,
  }));
  return { graph, tiers };
}
