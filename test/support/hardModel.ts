/** A model whose states are not held, for tests of what stands around a long search. */
import type { ModelImporter, PartitionerBuilder } from '../../src/control/ports.js';
import { createPartitioner } from '../../src/core/createPartitioner.js';
import { buildStateGraph } from '../../src/core/stateGraph.js';
import { parallelChains } from './parallelChains.js';
import { smallProfile } from './smallModel.js';

const graph = parallelChains(8, 8);

export const hardImporter: ModelImporter = {
  import(file, options) {
    const sha256 = /([0-9a-f]{64})\.onnx$/.exec(file)![1]!;
    const layers = graph.layers.map(({ name }, v) => {
      const seconds = 0.0005 + ((v * 37) % 11) * 0.0002;
      return { name, medianSeconds: seconds, minSeconds: seconds, maxSeconds: seconds };
    });
    return Promise.resolve({ graph, profile: { ...smallProfile(sha256, options), layers } });
  },
  close: () => Promise.resolve(),
};

/** Decides with as little work as there may be. */
export const shortBuilder: PartitionerBuilder = {
  build: (input) => Promise.resolve(createPartitioner(buildStateGraph(input, 1_000), 1)),
  close: () => Promise.resolve(),
};
