/**
 * Nodes of a network whose side is not free: the source feeds them, or the sink drains them, without end, or an edge
 * that must not be cut ties them to such a node. They are taken out before the flow is computed: what leads from one
 * to a free node feeds or drains that one. So nothing infinite, and no large number in its place, takes part in a sum.
 */

/** The residual network and what still has to be sent, as in `FlowNetwork`; changed in place. */
export interface Residue {
  readonly arcStart: Int32Array;
  readonly arcHead: Int32Array;
  readonly arcReverse: Int32Array;
  readonly residual: Float64Array;
  readonly supply: Float64Array;
  readonly demand: Float64Array;
}

const free = 0;
const pinnedToSource = 1;
export const pinnedToSink = 2;

/**
 * Fixes what is pinned, in `sides`, and takes it out.
 * @param stack scratch, one place per node
 * @returns the flow that this settles; Infinity where a node would have to lie on both sides
 */
export function settlePinned(residue: Residue, sides: Uint8Array, stack: Int32Array): number {
  const { supply, demand } = residue;
  sides.fill(free);
  if (!spread(residue, supply, pinnedToSource, sides, stack)) return Infinity;
  if (!spread(residue, demand, pinnedToSink, sides, stack)) return Infinity;
  let flow = 0;
  for (let v = 0; v < sides.length; v++) if (sides[v] !== free) flow += detach(residue, sides, v);
  for (let v = 0; v < sides.length; v++) {
    const through = Math.min(supply[v]!, demand[v]!);
    flow += through;
    supply[v]! -= through;
    demand[v]! -= through;
  }
  return flow;
}

/** Pins the nodes whose `amounts` are infinite and all that are tied to them. @returns false where one is on the other side */
function spread(
  { arcStart, arcHead, arcReverse, residual }: Residue,
  amounts: Float64Array,
  side: number,
  sides: Uint8Array,
  stack: Int32Array,
): boolean {
  let height = 0;
  const pin = (v: number): boolean => {
    if (sides[v] === free) {
      sides[v] = side;
      stack[height++] = v;
    }
    return sides[v] === side;
  };
  for (let v = 0; v < sides.length; v++) if (amounts[v] === Infinity && !pin(v)) return false;
  while (height > 0) {
    const v = stack[--height]!;
    for (let arc = arcStart[v]!; arc < arcStart[v + 1]!; arc++) {
      const tie = side === pinnedToSource ? arc : arcReverse[arc]!;
      if (residual[tie] === Infinity && !pin(arcHead[arc]!)) return false;
    }
  }
  return true;
}

/** Hands what leads to or from a pinned node to its free neighbours. @returns what is cut at once */
function detach(
  { arcStart, arcHead, arcReverse, residual, supply, demand }: Residue,
  sides: Uint8Array,
  v: number,
): number {
  const isSource = sides[v] === pinnedToSource;
  let flow = isSource ? demand[v]! : supply[v]!;
  for (let arc = arcStart[v]!; arc < arcStart[v + 1]!; arc++) {
    const u = arcHead[arc]!;
    const reverse = arcReverse[arc]!;
    const amount = residual[isSource ? arc : reverse]!;
    residual[arc] = 0;
    residual[reverse] = 0;
    if (sides[u] === sides[v]) continue;
    if (sides[u] !== free) flow += amount;
    else if (isSource) supply[u]! += amount;
    else demand[u]! += amount;
  }
  supply[v] = 0;
  demand[v] = 0;
  return flow;
}
