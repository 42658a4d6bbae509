/**
 * Cut vertices split the graph into blocks. A layer is a cut vertex when every other layer is its
 * ancestor or its descendant. A downset that holds cut vertex k but not cut vertex k + 1 is "everything up to
 * k" plus a downset of the layers between the two; so the downsets of the blocks add up where those
 * of the whole graph would multiply.
 *
 * Found in O(layers + edges): in topological order, layer v is a cut vertex when no edge passes over it, no
 * other source comes after it and no other sink before it.
 */
import type { Topology } from './topology.js';

export interface Block {
  /** Layers of every downset of this block: all layers up to and with the cut vertex before it, as a count (they are 0 … prefix - 1). */
  readonly prefix: number;
  /** Layers that are free in this block: `prefix` … `end` - 1. */
  readonly end: number;
}

/**
 * The blocks of a graph in topological order. With the cut vertices c1 < c2 < … the blocks are [0, c1),
 * [c1 + 1, c2), …, [last + 1, layers); layers from `end` on run above. Each valid cut of the
 * graph is in exactly one block: the one after its last cut vertex.
 */
export function blocksOf(topology: Topology): Block[] {
  const count = topology.predecessors.length;
  const blocks: Block[] = [];
  let prefix = 0;
  for (const cutVertex of cutVertices(topology)) {
    blocks.push({ prefix, end: cutVertex });
    prefix = cutVertex + 1;
  }
  blocks.push({ prefix, end: count });
  return blocks;
}

function cutVertices({ predecessors, successors }: Topology): number[] {
  const count = predecessors.length;
  // Topological order: all ancestors of v are below v, all descendants above; so v is a cut vertex
  // exactly when all below are ancestors and all above are descendants.
  const allBelowAreAncestors = reachAll(count, (v) => v, successors);
  const allAboveAreDescendants = reachAll(count, (v) => count - 1 - v, predecessors);
  const found: number[] = [];
  for (let v = 0; v < count; v++) if (allBelowAreAncestors[v] && allAboveAreDescendants[v]) found.push(v);
  return found;
}

/**
 * For each v (in the direction of `index`): does every layer before v lead to v? Layer u < v leads to v when
 * u's next layer that leads on, leads to v; it fails when u has no way on that stays at or below v. The nearest
 * way on is u's smallest successor; a layer u with smallest successor n leads to v only if n <= v and n leads to v.
 * So all lead to v exactly when no u < v has its smallest successor beyond v (or none at all).
 */
function reachAll(
  count: number,
  index: (v: number) => number,
  onward: readonly (readonly number[])[],
): boolean[] {
  const result = new Array<boolean>(count);
  let farthestNeed = -1;
  for (let step = 0; step < count; step++) {
    const v = index(step);
    result[v] = farthestNeed <= step;
    const next = onward[v]!;
    let nearest = Infinity;
    for (const n of next) nearest = Math.min(nearest, index(n));
    farthestNeed = Math.max(farthestNeed, nearest);
  }
  return result;
}
