/** A chain that is small enough to see through: 100 kB go in, 20 kB and 5 kB lie between, 1 kB comes out. */
import type { LayerGraph } from '../../../src/core/layerGraph.js';

export const graph: LayerGraph = {
  name: 'chain',
  layers: ['a', 'b', 'c'].map((name) => ({
    name,
    operators: ['Conv'],
    weightBytes: 1000,
    workingBytes: 1000,
    macs: null,
  })),
  tensors: [100_000, 20_000, 5_000, 1_000].map((bytes, i) => ({
    name: `t${i}`,
    type: 'float32',
    shape: [bytes / 4],
    bytes,
    producer: i === 0 ? null : i - 1,
    consumers: i === 3 ? [] : [i],
    isOutput: i === 3,
  })),
};

/** A tier on which each layer takes `each` seconds. */
export const tierOf = (each: number) => ({
  seconds: [each, each, each],
  source: { kind: 'measured' as const, machineId: 'm' },
});
