/** Per layer and tensor what a walk over placements needs, read off the graph once. */
import type { LayerGraph } from './layerGraph.js';

export interface LayerFacts {
  /** Per layer the tensors that it reads. */
  readonly reads: readonly (readonly number[])[];
  /** Per layer the bytes of the model's outputs that it writes. */
  readonly outputBytes: readonly number[];
  /**
   * Per tensor its depth: the fewest layers on a way from an input of the model to it. 0 for an input; what
   * leaves the device after more layers gives away less (privacy depth).
   */
  readonly depth: readonly number[];
  /** Largest depth of a tensor. */
  readonly maxDepth: number;
}

export function layerFacts(graph: LayerGraph): LayerFacts {
  const reads = graph.layers.map(() => [] as number[]);
  const writes = graph.layers.map(() => [] as number[]);
  const outputBytes = graph.layers.map(() => 0);
  graph.tensors.forEach(({ producer, consumers, isOutput, bytes }, t) => {
    for (const consumer of consumers) reads[consumer]!.push(t);
    if (producer === null) return;
    writes[producer]!.push(t);
    if (isOutput) outputBytes[producer]! += bytes;
  });
  const depth = graph.tensors.map(() => 0);
  graph.layers.forEach((_, v) => {
    // A layer that reads nothing of the model's inputs gives nothing away: it does not lower a depth.
    const least = reads[v]!.reduce((low, t) => Math.min(low, depth[t]!), Infinity);
    for (const t of writes[v]!) depth[t] = least === Infinity ? graph.layers.length : least + 1;
  });
  return { reads, outputBytes, depth, maxDepth: depth.reduce((high, d) => Math.max(high, d), 0) };
}
