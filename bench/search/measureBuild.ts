/** Builds a partition state graph once, in a fresh process, and says what that took. */
import {
  buildStateGraph,
  type HeldStates,
  type PartitionInput,
  type StateGraph,
} from '../../src/core/stateGraph.js';
import type { BuildResult } from './results.js';

export function measureBuild(
  input: PartitionInput,
  maxStates: number,
): { states: StateGraph; build: BuildResult } {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('measuring memory needs --expose-gc');
  gc();
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const states = buildStateGraph(input, maxStates);
  const ms = performance.now() - start;
  // The peak of the process; where that was before the build, this says too much, never too little.
  const peak = process.resourceUsage().maxRSS * 1024;
  const heldBytes = states.held === null ? 0 : bytesOf(states.held);
  return { states, build: { ms, peakBytes: Math.max(0, peak - before), heldBytes } };
}

function bytesOf({ features, masks, slots, tree, stateRows, nodeRows, support, nested }: HeldStates): number {
  const parts: ArrayBufferView[] = [features, masks, slots, tree.corners];
  for (const { priced, bounded } of [stateRows, nodeRows]) parts.push(priced, bounded);
  if (support !== null) parts.push(support.rows, support.states);
  if (nested !== null) {
    const { lower, upper, start, uppers, states, lowerOf, upperOf, lowerLeaf, upperLeaf, heavyLayers } =
      nested;
    for (const { nodes, inAll, inAny } of [lower, upper]) parts.push(nodes, inAll, inAny);
    parts.push(start, uppers, states, lowerOf, upperOf, lowerLeaf, upperLeaf, heavyLayers);
  }
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
