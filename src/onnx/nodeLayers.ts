/** Which layers a node of the runtime's graph works for, and in which proportion. */
import type { Grouping } from './fusedGroups.js';
import { groupEdges } from './fusedGroups.js';
import type { OperatorGraph } from './operatorGraph.js';
import { originalTensor, type RuntimeGraph, type RuntimeNode } from './runtimeGraph.js';
import { topologicalOrder } from './topologicalOrder.js';

/** Layer and its share of the node's work; the shares of a node sum to 1. Empty where nothing leads to a layer. */
export type LayerShares = readonly { readonly layer: number; readonly share: number }[];

export interface LayerAssignment {
  /** Groups as the runtime fused them at the level that defines layers. */
  readonly fused: Grouping;
  /** Layer of each operator; null for operators that are constant. */
  readonly layerOf: readonly (number | null)[];
  /** Work of each operator in any unit; only proportions matter. */
  readonly workOf: readonly number[];
}

/**
 * 1. A node that ends in an original tensor, or carries the name of one or of an operator, works for that one's layer.
 * 2. A group that no node ends in was fused further than the layers are (more optimisation): the node
 *    that makes its input works for it too, in proportion to the work.
 * 3. A node that leads to nothing original (reordered or converted data, constants rebuilt at each run)
 *    works for whoever reads its result, or else for the layer whose result it reads.
 */
export function assignNodes(
  operators: OperatorGraph,
  assignment: LayerAssignment,
  graph: RuntimeGraph,
): LayerShares[] {
  const groupsOf = new Map<number, Set<number>>();
  const nodeOf = new Map<number, number>();
  for (const node of graph.nodes) {
    const groups = anchoredGroups(operators, assignment.fused, node);
    if (groups.size === 0) continue;
    groupsOf.set(node.index, groups);
    for (const group of groups) nodeOf.set(group, node.index); // the last one ends the group
  }
  for (const [group, node] of absorbedGroups(operators, assignment.fused, nodeOf))
    groupsOf.get(node)!.add(group);
  const workOfGroup = new Map<number, number>();
  const layerOfGroup = new Map<number, number>();
  assignment.fused.forEach((group, index) => {
    const layer = assignment.layerOf[index];
    if (group === null || layer === null || layer === undefined) return;
    workOfGroup.set(group, (workOfGroup.get(group) ?? 0) + (assignment.workOf[index] ?? 0));
    layerOfGroup.set(group, layer);
  });
  const shares = graph.nodes.map((node) =>
    shareByWork([...(groupsOf.get(node.index) ?? [])], workOfGroup, layerOfGroup),
  );
  return lendFromNeighbours(graph, shares);
}

function anchoredGroups(operators: OperatorGraph, fused: Grouping, node: RuntimeNode): Set<number> {
  const isLayered = (name: string): boolean =>
    typeof fused[operators.producerOf.get(name) ?? -1] === 'number';
  const groups = new Set<number>();
  const add = (index: number | undefined): void => {
    const group = fused[index ?? -1];
    if (group !== null && group !== undefined) groups.add(group);
  };
  for (const runtimeName of node.writes) {
    const name = originalTensor(runtimeName, isLayered);
    if (name !== null) add(operators.producerOf.get(name));
  }
  if (groups.size > 0) return groups;
  const named = originalTensor(node.name, isLayered);
  if (named !== null) add(operators.producerOf.get(named));
  if (groups.size === 0) add(operators.operatorNamed.get(node.name));
  return groups;
}

/** Groups without a node of their own, each with the node that took them in. */
function absorbedGroups(
  operators: OperatorGraph,
  fused: Grouping,
  anchored: ReadonlyMap<number, number>,
): Map<number, number> {
  const edges = groupEdges(operators, fused);
  const ids = [...edges.keys()].sort((a, b) => a - b);
  const place = new Map(ids.map((id, index) => [id, index]));
  const forwards = ids.map((id) => [...edges.get(id)!].map((to) => place.get(to)!));
  const waiting = ids.map(() => 0);
  for (const targets of forwards) for (const to of targets) waiting[to]! += 1;
  const sources = ids.map((): number[] => []);
  forwards.forEach((targets, from) => targets.forEach((to) => sources[to]!.push(from)));
  const order = topologicalOrder(waiting, forwards);
  const node = ids.map((id) => anchored.get(id));
  const latest = (places: readonly number[]): number | undefined =>
    places
      .map((at) => node[at])
      .reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);
  for (const at of order) node[at] ??= latest(sources[at]!);
  for (const at of order.toReversed()) node[at] ??= latest(forwards[at]!);
  const absorbed = new Map<number, number>();
  ids.forEach((id, at) => {
    if (!anchored.has(id) && node[at] !== undefined) absorbed.set(id, node[at]);
  });
  return absorbed;
}

function shareByWork(
  groups: readonly number[],
  workOfGroup: ReadonlyMap<number, number>,
  layerOfGroup: ReadonlyMap<number, number>,
): LayerShares {
  const work = new Map<number, number>();
  for (const group of groups) {
    const layer = layerOfGroup.get(group)!;
    work.set(layer, (work.get(layer) ?? 0) + (workOfGroup.get(group) ?? 0));
  }
  const total = [...work.values()].reduce((a, b) => a + b, 0);
  return [...work].map(([layer, own]) => ({ layer, share: total > 0 ? own / total : 1 / work.size }));
}

function lendFromNeighbours(graph: RuntimeGraph, shares: readonly LayerShares[]): LayerShares[] {
  const readers = new Map<string, number[]>();
  for (const node of graph.nodes) {
    for (const name of node.reads) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node.index]);
      else known.push(node.index);
    }
  }
  const lent = [...shares];
  const main = (index: number | undefined): LayerShares => {
    const best = (lent[index ?? -1] ?? []).reduce<LayerShares[number] | null>(
      (a, b) => (a === null || b.share > a.share ? b : a),
      null,
    );
    return best === null ? [] : [{ layer: best.layer, share: 1 }];
  };
  for (const node of graph.nodes.toReversed()) {
    if (lent[node.index]!.length > 0) continue;
    const reader = node.writes
      .flatMap((name) => readers.get(name) ?? [])
      .find((index) => lent[index]!.length > 0);
    lent[node.index] = main(reader);
  }
  for (const node of graph.nodes) {
    if (lent[node.index]!.length > 0) continue;
    const writer = node.reads
      .map((name) => graph.producerOf.get(name))
      .find((index) => (lent[index ?? -1]?.length ?? 0) > 0);
    lent[node.index] = main(writer);
  }
  return lent;
}
