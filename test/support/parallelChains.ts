/** A graph with too many cuts to hold: parallel chains from one input. */
import type { LayerGraph, Tensor } from '../../src/core/layerGraph.js';
import type { PartitionInput } from '../../src/core/stateGraph.js';

/** `width` chains of `length` layers. */
export function parallelChains(width: number, length: number): LayerGraph {
  const layers = Array.from({ length: width * length }, (_, v) => ({
    name: `l${v}`,
    operators: ['Conv'],
    weightBytes: 1000 + ((v * 13) % 7) * 500,
    workingBytes: 10_000,
    macs: null,
  }));
  const tensor = (producer: number | null, consumers: number[], bytes: number): Tensor => ({
    name: `t${producer}`,
    type: 'float32',
    shape: [1],
    bytes,
    producer,
    consumers,
    isOutput: consumers.length === 0,
  });
  const tensors = [
    tensor(
      null,
      Array.from({ length: width }, (_, chain) => chain * length),
      600_000,
    ),
  ];
  for (let v = 0; v < layers.length; v++) {
    const isLast = v % length === length - 1;
    tensors.push(
      tensor(v, isLast ? [] : [v + 1], Math.max(200, 20_000 - (v % length) * 1500 + ((v * 7) % 5) * 900)),
    );
  }
  return { name: `${width} chains of ${length}`, layers, tensors };
}

/** The same on an edge that is six times as fast as the end device. */
export function chainsOnTwoTiers(width: number, length: number): PartitionInput {
  const graph = parallelChains(width, length);
  const source = { kind: 'measured', machineId: 'm' } as const;
  const end = graph.layers.map((_, v) => 0.0005 + ((v * 37) % 11) * 0.0002);
  const edge = end.map((seconds) => seconds / 6);
  return {
    graph,
    tiers: [
      { seconds: end, source },
      { seconds: edge, source },
    ],
  };
}
