/** What the prefixes of the topological order cost: the cuts that keep to that one order. */
import type { PartitionInput } from '../stateGraph.js';

/** Values per prefix. */
export const prefixWidth = 4;

/**
 * One row per prefix of 0 … layers layers: nominal seconds on the end device and above, bytes up, bytes down.
 * O(layers + readers of tensors); sums are only ever of values >= 0, so that no rounding residue is left in seconds,
 * and bytes are whole numbers, which floats add exactly.
 */
export function prefixCosts({ graph, tiers }: PartitionInput): Float64Array {
  const count = graph.layers.length;
  const rows = new Float64Array((count + 1) * prefixWidth);
  for (let v = 0; v < count; v++) {
    rows[(v + 1) * prefixWidth] = rows[v * prefixWidth]! + tiers[0]!.seconds[v]!;
  }
  const returned = new Float64Array(count);
  // Bytes up are kept as steps first: a tensor crosses for every prefix that has its producer and not its last reader.
  for (const { producer, consumers, bytes, isOutput } of graph.tensors) {
    if (isOutput && producer !== null) returned[producer]! += bytes;
    const from = producer === null ? 0 : producer + 1;
    let until = 0;
    for (const c of consumers) if (c + 1 > until) until = c + 1;
    if (until <= from) continue;
    rows[from * prefixWidth + 2]! += bytes;
    rows[until * prefixWidth + 2]! -= bytes;
  }
  for (let v = 1; v <= count; v++) rows[v * prefixWidth + 2]! += rows[(v - 1) * prefixWidth + 2]!;
  for (let v = count - 1; v >= 0; v--) {
    rows[v * prefixWidth + 1] = rows[(v + 1) * prefixWidth + 1]! + tiers[1]!.seconds[v]!;
    rows[v * prefixWidth + 3] = rows[(v + 1) * prefixWidth + 3]! + returned[v]!;
  }
  return rows;
}
