/** Who must run before whom: the precedence of layers, read off the tensors, and a check of the graph. */
import { largestAmount } from './contextRanges.js';
import type { LayerGraph } from './layerGraph.js';

export interface Topology {
  /** Per layer the layers whose tensors it reads, ascending, without repetition. */
  readonly predecessors: readonly (readonly number[])[];
  /** Per layer the layers that read its tensors, ascending, without repetition. */
  readonly successors: readonly (readonly number[])[];
}

/**
 * Reads the precedence of the layers off a graph.
 * @throws RangeError naming the tensor or layer where the graph breaks a rule of `LayerGraph`
 */
export function topologyOf(graph: LayerGraph): Topology {
  const count = graph.layers.length;
  if (count === 0) throw new RangeError(`${graph.name}: a graph needs at least one layer`);
  const predecessors = Array.from({ length: count }, () => new Set<number>());
  const successors = Array.from({ length: count }, () => new Set<number>());
  graph.layers.forEach((layer, i) => {
    requireAmount(layer.weightBytes, `layers[${i}].weightBytes`);
    requireAmount(layer.workingBytes, `layers[${i}].workingBytes`);
  });
  graph.tensors.forEach((tensor, i) => {
    requireAmount(tensor.bytes, `tensors[${i}].bytes`);
    const { producer } = tensor;
    if (producer !== null && !(Number.isInteger(producer) && producer >= 0 && producer < count)) {
      throw new RangeError(`tensors[${i}].producer: ${producer} is no layer`);
    }
    let before = -1;
    for (const consumer of tensor.consumers) {
      if (!(Number.isInteger(consumer) && consumer >= 0 && consumer < count)) {
        throw new RangeError(`tensors[${i}].consumers: ${consumer} is no layer`);
      }
      if (consumer <= before) {
        throw new RangeError(
          `tensors[${i}].consumers: ${consumer} stands after ${before}; each once, ascending`,
        );
      }
      before = consumer;
      if (producer === null) continue;
      if (consumer <= producer) {
        throw new RangeError(
          `tensors[${i}].consumers: layer ${consumer} reads what layer ${producer} writes but does not come after it`,
        );
      }
      predecessors[consumer]!.add(producer);
      successors[producer]!.add(consumer);
    }
  });
  const ascending = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
  return { predecessors: predecessors.map(ascending), successors: successors.map(ascending) };
}

function requireAmount(value: number, field: string): void {
  if (!(value >= 0 && value <= largestAmount)) {
    throw new RangeError(`${field}: ${value} is not a number from 0 to ${largestAmount}`);
  }
}
