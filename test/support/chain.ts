/** Chains of layers, each of which reads what the one before it writes. */
import type { Layer, LayerGraph } from '../../src/core/layerGraph.js';
import type { PartitionInput } from '../../src/core/stateGraph.js';

/**
 * @param bytes of the input, of each tensor between two layers, and of the output
 * @param sizes of layer `v`; without it they take no room
 */
export function chain(
  bytes: readonly number[],
  sizes: (v: number) => Pick<Layer, 'weightBytes' | 'workingBytes'> = () => ({
    weightBytes: 0,
    workingBytes: 0,
  }),
): LayerGraph {
  const last = bytes.length - 1;
  return {
    name: 'chain',
    layers: Array.from({ length: last }, (_, v) => ({
      name: `layer${v}`,
      operators: ['Conv'],
      ...sizes(v),
      macs: null,
    })),
    tensors: bytes.map((size, t) => ({
      name: `t${t}`,
      type: 'float32',
      shape: [1],
      bytes: size,
      producer: t === 0 ? null : t - 1,
      consumers: t < last ? [t] : [],
      isOutput: t === last,
    })),
  };
}

/** A tier with the seconds of each layer. */
export function tierOf(seconds: readonly number[]): PartitionInput['tiers'][number] {
  return { seconds, source: { kind: 'measured', machineId: 'm' } };
}
